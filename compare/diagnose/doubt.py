"""What a comparison leaves open: too few rows, a rate that is 0, and what a log does not say of its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from samestep.experiment.clock import Clock, Stepping

from ..align.steps import common_rows
from ..causes.never_falls import NeverFalls
from ..causes.unexplained import Unexplained
from ..infer import Inferred
from ..runs.run import Run
from ..runs.side import Name, Side, holds_means
from ..tolerance import allowed
from ..words import listed, short
from . import Diagnosis
from .meanings import Meaning, agreeing, as_read

FEW = 3
"""With fewer rows no schedule follows, and no cause of a difference."""


@dataclass(frozen=True)
class Doubt:
    """Why the verdict depends on what a log does not say.

    on : what the verdict depends on, as the end of a sentence. says : the option that settles it.
    """

    on: str
    says: str


def modest(diagnosis: Diagnosis, a: tuple[Side, Run], b: tuple[Side, Run]) -> Diagnosis:
    """The diagnosis without what its rows do not show.

    No schedule follows from one or two rows, and no cause from a difference in so few, or from a rate that is always 0.
    One row that agrees leaves open whether the schedules do.
    """
    few = [side.schedule is None and len(run.rates) < FEW for side, run in (a, b)]
    diagnosis = replace(
        diagnosis,
        inferred_a=None if few[0] else diagnosis.inferred_a,
        inferred_b=None if few[1] else diagnosis.inferred_b,
    )
    if diagnosis.compared == 1 and diagnosis.first_difference is None:
        return replace(diagnosis, verdict="inconclusive", also_possible=())
    if isinstance(diagnosis.cause, Unexplained) and diagnosis.first_difference is None:
        return replace(diagnosis, verdict="inconclusive")  # no row differs, and too few agree to say more
    diagnosis = _as_meant(diagnosis, a[0], b[0])
    vague = diagnosis.compared < FEW or is_zero(a[1]) or is_zero(b[1])
    if vague and diagnosis.first_difference is not None:
        return replace(diagnosis, cause=Unexplained(residual_ulp32=diagnosis.max_ulp32), also_possible=())
    return diagnosis


def _as_meant(diagnosis: Diagnosis, a: Side, b: Side) -> Diagnosis:
    """The diagnosis without a schedule that never falls: one that was given as such is meant so."""
    meant = {side.name for side in (a, b) if side.schedule is not None}
    found = (diagnosis.cause, *diagnosis.also_possible)
    kept = [cause for cause in found if not (isinstance(cause, NeverFalls) and cause.side in meant)]
    cause, *also = kept or [Unexplained(residual_ulp32=diagnosis.max_ulp32)]
    return replace(diagnosis, cause=cause, also_possible=tuple(also))


def is_zero(run: Run) -> bool:
    """Whether every rate of a run is 0."""
    return not run.rates.lr.any()


def follows(run: Run, inferred: Inferred | None) -> str:
    """Which schedule a run follows, as the end of a sentence."""
    if is_zero(run):
        return "has a rate of 0 throughout"
    if inferred is None:
        return (
            "has too few rows to infer a schedule from"
            if len(run.rates) < FEW
            else "follows no schedule that samestep knows"
        )
    looked_up = "" if inferred.stepping == "step" else ", looked up once per epoch"
    return f"follows {short(inferred.schedule)}{looked_up}"


def doubt(
    diagnosis: Diagnosis, a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None, stepping: Stepping
) -> Doubt | None:
    """Whether a difference may be nothing but what a log counts from, when it was written, or with how many digits."""
    for name in _ahead(diagnosis, a[1], b[1]):
        early, late = (b, a) if name == "b" else (a, b)
        base, timing = _of_base(early, late), _of_timing(diagnosis, early[0])
        if base and timing:
            return Doubt(
                "whether the logs' steps start at 0 or 1, and whether their rates are those used or the next ones",
                f"{base}: both are the same. They also are if {name}'s log holds the next rates and not those "
                f"used: --{name} lr_timing=next. If neither is so, give --{late[0].name} step_base=0 and "
                f"--{name} lr_timing=used: they differ.",
            )
        if base:
            missing = f"If its first update is missing, give --{late[0].name} step_base=0: they differ."
            return Doubt("whether the logs' steps start at 0 or 1", f"{base}: both are the same. {missing}")
        if timing:
            return Doubt("whether the rates in the log are those used or the next ones", timing)
    if diagnosis.verdict != "differs" or diagnosis.first_difference is None:
        return None
    return _of_means(a, b) or _of_digits(a, b) or _of_meaning(list(agreeing(a, b, clock, stepping)))


def _ahead(diagnosis: Diagnosis, a: Run, b: Run) -> Iterator[Name]:
    """The side that may be one step ahead of the other in all that it has."""
    for cause in (diagnosis.cause, *diagnosis.also_possible):
        if side := cause.one_ahead(a.rates, b.rates, diagnosis.ulp32):
            yield side


def _of_base(early: tuple[Side, Run], late: tuple[Side, Run]) -> str | None:
    """The log that is late may count from 1; None where it does not look so, or says what it counts from."""
    begins = int(early[1].rates.step[0])
    if "step_base" not in late[0].open or _is_of_epochs(late[0]) or (early[0].schedule is None and begins):
        return None
    name, first = late[0].name, f"{late[0].name}'s steps begin at {int(late[1].rates.step[0])}"
    first += "" if early[0].schedule is not None else f", {early[0].name}'s at 0"
    return f"{first}. If {name}'s log counts from 1, give --{name} step_base=1"


def _of_timing(diagnosis: Diagnosis, early: Side) -> str | None:
    """The log that is ahead may hold the next rates; None where it says when it read them."""
    if not diagnosis.cause.may_be_timing or "lr_timing" not in early.open or _is_of_epochs(early):
        return None
    name = early.name
    return (
        f"{name}'s log does not say whether its rates are those used or the next ones. If they are the next ones, give "
        f"--{name} lr_timing=next: both are the same. If those used, give --{name} lr_timing=used: they differ."
    )


def _is_of_epochs(side: Side) -> bool:
    """Whether a row of a log is an epoch: a convention then moves it by more than one update."""
    return "epoch_lr" in side.conventions


def _of_means(a: tuple[Side, Run], b: tuple[Side, Run]) -> Doubt | None:
    """A log of means cannot be held against a log that lacks rows of its epochs."""
    for (side, _), (other, theirs) in ((a, b), (b, a)):
        if holds_means(side) and not holds_means(other) and any(theirs is run for run in other.runs):  # as it was read
            return Doubt(
                f"the rates within each epoch, of which {side.name}'s log holds the mean",
                f"{other.name}'s log lacks steps of these epochs. Compare each with the intended schedule.",
            )
    return None


def _of_meaning(found: list[tuple[Side, Meaning]]) -> Doubt | None:
    """Both are the same if the rows of one log mean something else than they were taken for."""
    said, on = [], []
    for side, meaning in found:
        name = side.name
        if_so, if_not = (f"--{name} {_options(each)}" for each in (meaning.options, as_read(side)))
        said.append(f"If {name}'s log {meaning.says}, give {if_so}: both are the same. If not, give {if_not}.")
        on.append(f"whether {name}'s log {meaning.says}")
    return Doubt(listed(on), " ".join(said)) if said else None


def _of_digits(a: tuple[Side, Run], b: tuple[Side, Run]) -> Doubt | None:
    """Both are the same if a log was written with as few digits as it may have been."""
    runs = a[1], b[1]
    few = [side.name for side, run in (a, b) if run.perhaps is not None]
    if not few:
        return None
    ours, theirs = common_rows(*runs)
    if len(ours) < FEW:
        return None
    lr, value = runs[0].rates.lr[ours], runs[1].rates.lr[theirs]
    within = allowed(np.maximum(lr, value), runs[0].least_digits[ours], runs[1].least_digits[theirs])
    if (np.abs(lr - value) > within).any():
        return None
    logs = " and ".join(f"{name}'s" for name in few)
    return Doubt(
        f"how many digits {logs} rates were written with",
        f"{logs} rates have few digits. If they were rounded to these, both are "
        "the same. If they are exact, they differ. Log all digits, as repr(rate) writes them, to see which.",
    )


def _options(options: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in options.items())
