"""What the rows of a log may mean where it does not say: what its steps count from, and whose rate a row holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from samestep.experiment.clock import Clock, Stepping

from ..align.epochs import epoch_means
from ..align.steps import common_rows
from ..rates import Rates
from ..runs.run import Run
from ..runs.side import Side, schedule_run
from ..tolerance import allowed, near_peak
from ..words import listed

ENOUGH = 3
"""Rows that must agree, and half of those that there are."""

_FROM_1 = "counts from 1"
_NEXT = "holds the next rates and not those used"
_OF_EPOCH = {
    "last": "holds the rate of each epoch's last update",
    "mean": "holds the mean rate of each epoch",
}


@dataclass(frozen=True)
class Meaning:
    """One way to read a log.

    Attributes:
        options: What states it.
        says: The same in words, after "the log".
        moved: Updates by which every row moves.
        is_mean: Whether a row holds the mean of its epoch.
    """

    options: Mapping[str, str]
    says: str
    moved: int
    is_mean: bool = False


def agreeing(
    a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, stepping: Stepping
) -> Iterator[tuple[Side, Meaning]]:
    """For each side the plainest other meaning under which both have the same rates, if there is one."""
    for (side, run), other in ((a, b), (b, a)):
        for meaning in sorted(meanings(side, run, clock), key=lambda meaning: len(meaning.options)):
            if _agree(meaning, run, other, clock, stepping):
                yield side, meaning
                break


def meanings(side: Side, run: Run, clock: Clock | None) -> Iterator[Meaning]:
    """Every meaning of a log that neither it nor the user rules out, but the one in which it was read."""
    per_epoch = clock is not None and "epoch_lr" in side.conventions
    unit = clock.steps_per_epoch if per_epoch and clock is not None else 1
    bases = [Meaning({}, "", 0)]
    if "step_base" in side.open and run.rates.step[0] >= unit:
        bases.append(Meaning({"step_base": "1"}, _FROM_1, -unit))
    held = [Meaning({}, "", 0)]
    if "epoch_lr" in side.open:
        held.append(Meaning({"epoch_lr": "last"}, _OF_EPOCH["last"], unit - 1))
        held.append(Meaning({"epoch_lr": "mean"}, _OF_EPOCH["mean"], 0, True))
    if "lr_timing" in side.open:
        held.append(Meaning({"lr_timing": "next"}, _NEXT, unit))
    for base in bases:
        for rate in held:
            says = listed([each for each in (base.says, rate.says) if each])
            both = Meaning({**base.options, **rate.options}, says, base.moved + rate.moved, rate.is_mean)
            if both.moved or both.is_mean:
                yield both


def as_read(side: Side) -> dict[str, str]:
    """The options that state the meaning in which a log was read."""
    read = {"step_base": str(side.conventions.get("step_base", 0)), "lr_timing": "used", "epoch_lr": "first"}
    names = [name for name in side.open if name != "lr_timing" or "epoch_lr" not in side.open]
    return {name: read[name] for name in names}


def _agree(meaning: Meaning, run: Run, other: tuple[Side, Run], clock: Clock | None, stepping: Stepping) -> bool:
    """Whether a log, read so, has the other side's rates in every row that both have, and in enough of them."""
    rates = run.rates
    moved = replace(run, rates=Rates.of(rates.step + meaning.moved, rates.lr, rates.rounding, rates.repeated))
    theirs = other[1]
    if other[0].schedule is not None:
        theirs = schedule_run(other[0], moved.rates.step, clock, stepping, meaning.is_mean)
    elif meaning.is_mean:
        if clock is None or (means := epoch_means(theirs, clock)) is None:
            return False
        theirs = means
    ours_at, theirs_at = common_rows(moved, theirs)
    if len(ours_at) < max(ENOUGH, min(len(rates), len(theirs.rates)) / 2):
        return False
    lr, value = rates.lr[ours_at], theirs.rates.lr[theirs_at]
    size = near_peak(np.maximum(lr, value), float(max(lr.max(), value.max())))
    within = allowed(size, run.least_digits[ours_at], theirs.least_digits[theirs_at])
    return bool((np.abs(lr - value) <= within).all())
