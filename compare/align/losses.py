"""When the losses of two runs are the same: one rule for runs that were trained here, for logs, and for attributions.

The verdict is on the losses alone; that of a comparison is on the rates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.frameworks import BY_NAME, LANGUAGES
from samestep.experiment.plan import Adam, AdamW, Momentum, Plan

from ..runs.run import Run
from ..runs.side import Side
from ..terms import Language, Verdict
from ..tolerance import NEAR_ZERO
from .reduction_words import Reduction, instead
from .reductions import find_reduction
from .steps import common_rows, placed

ROUNDING = {"float32": 2e-6, "float64": 1e-12}
"""Largest relative difference of batch losses that the order of sums makes by itself, by precision."""

TOLERANCE = 2e-5
"""Relative difference of batch losses that two frameworks may have with everything shared, whatever the optimizer."""

DOUBT = 100
"""Times the tolerance up to which a difference is no proof of anything: such differences grow with the rate and the
length of a training."""

MOST_STEPS = 10_000_000
"""Steps between the first and the last row, gaps counted in, up to which reductions are looked for."""


def tolerance(plans: Sequence[Plan | None]) -> float:
    """The relative difference that batch losses may have with everything shared; `TOLERANCE` if a plan is unknown.

    Measured on the default plan: Adam 8.4e-6, SGD 6e-7. Adam has more, since Keras puts epsilon elsewhere and raises
    the betas to a power in float32.
    """
    strict = all(plan is not None and not isinstance(plan.optimizer, Adam | AdamW) for plan in plans)
    return ROUNDING["float32"] if strict else TOLERANCE


def loss_difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``|a - b| / max(|a|, |b|, peak / 1024)`` with the largest loss of both as the peak: float64, shape (updates,).

    The loss of a batch of few rows can be nearly 0 by chance. Its rounding is that of the predictions all the same, so
    it is held against the size of the others.
    """
    sizes = np.abs(np.concatenate([a, b]))
    floor = NEAR_ZERO * float(sizes[np.isfinite(sizes)].max(initial=0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        size = np.maximum(np.maximum(np.abs(a), np.abs(b)), floor)
        return np.where(a == b, 0.0, np.abs(a - b) / size)


@dataclass(frozen=True)
class Agreement:
    """How far the batch losses of two runs agree.

    Attributes:
        verdict: `inconclusive` where the difference may be rounding that grew, or where nothing can be concluded.
        compared: Updates with a finite loss on both sides; of runs whose plan is known, before either diverges.
        max_relative: The largest difference, as `loss_difference` has it.
        tolerance: What two runs with everything shared may have.
        first: The first update beyond the tolerance.
        diverged: The first update with a loss that is no finite number, where every update is known to have one.
        note: Why the verdict is not `same`, as far as that is known.
    """

    verdict: Verdict
    compared: int
    max_relative: float
    tolerance: float
    first: int | None
    diverged: int | None = None
    note: str | None = None


def agreement(
    a: np.ndarray, b: np.ndarray, plans: Sequence[Plan | None], *, across: bool = True, moving: bool = True
) -> Agreement:
    """Judge the batch losses of two runs.

    Args:
        a: float64, one loss for each update; NaN where none was logged.
        b: The same updates of the other run.
        plans: What each side trained, where it is known.
        across: Whether the two sides are two frameworks.
        moving: Whether the rate changes.
    """
    known = np.isfinite(a) & np.isfinite(b)
    diverged = None
    if None not in plans and not known.all():
        diverged = int(known.argmin())
        known[diverged:] = False
    apart = np.zeros(len(a))
    apart[known] = loss_difference(a[known], b[known])
    limit, largest = tolerance(plans), float(apart.max(initial=0.0))
    beyond = np.flatnonzero(apart > limit)
    verdict: Verdict = "same" if largest <= limit else "inconclusive" if largest <= DOUBT * limit else "differs"
    known_plans = [plan for plan in plans if plan is not None] if across and None not in plans else []
    verdict, note = _concluded(verdict, known_plans, moving, largest, limit, diverged)
    return Agreement(verdict, int(known.sum()), largest, limit, int(beyond[0]) if len(beyond) else None, diverged, note)


def _concluded(
    verdict: Verdict, plans: Sequence[Plan], moving: bool, largest: float, limit: float, diverged: int | None
) -> tuple[Verdict, str | None]:
    """The verdict that the numbers alone give, with what is known of the trainings; and why.

    plans : of two frameworks; none where it is not known that there are two.
    """
    made = [name for plan in plans for name, source in plan.controls.model_dump().items() if source == "native"]
    if made:
        native = ", ".join(dict.fromkeys(made))
        return "inconclusive", f"Each framework made its own {native}, so their losses cannot be compared."
    if verdict != "same" and moving and any(isinstance(plan.optimizer, Momentum) for plan in plans):
        return "differs", (
            "With momentum, Keras multiplies each gradient by the rate before it enters the velocity, and PyTorch "
            "multiplies the whole buffer by the current rate: they train differently once the rate has changed."
        )
    if verdict == "inconclusive":
        return verdict, (
            f"The losses differ by up to {largest:.1e}, more than the tolerance of {limit:g}. Rounding and the "
            "optimizers' own arithmetic (Adam's epsilon and betas, the order of sums) can grow to that."
        )
    if verdict == "same" and diverged is not None:
        return "inconclusive", f"The loss is not finite from step {diverged} on; before that the losses are the same."
    return verdict, None


@dataclass(frozen=True)
class Losses:
    """How the losses of two runs in a comparison differ.

    Attributes:
        compared: Updates with a loss on both sides; 0 where losses cannot be compared, and `note` says why.
        max_relative: The largest difference.
        first_difference: The first update beyond the tolerance, with both losses.
        note: Why there is nothing to compare, or no verdict.
        reduction: Where they differ, or are not of one kind: what one side's are of the other's, if that is known.
        instead: Code that logs what can be compared, by framework, for the side that is reduced.
        verdict: As `agreement` has it; None where nothing is compared.
        tolerance: What was allowed.
    """

    compared: int
    max_relative: float
    first_difference: tuple[int, float, float] | None
    note: str | None
    reduction: Reduction | None = None
    instead: dict[Language, str] = field(default_factory=dict)
    verdict: Verdict | None = None
    tolerance: float = TOLERANCE

    @property
    def agree(self) -> bool:
        """Whether there are losses and all are within the tolerance."""
        return bool(self.compared) and self.first_difference is None


def losses(a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None = None) -> Losses:
    """Compare the batch losses at the steps that both have; where they differ, look for a reduction that says why.

    clock : of the comparison; where there is none, the epochs that a run's own rows give.
    """
    lacking = [side.name for side, run in (a, b) if not np.isfinite(run.loss).any()]
    if lacking:
        return _none(f"{' and '.join(lacking)} {'have' if len(lacking) == 2 else 'has'} no losses")
    kinds = [str(side.conventions.get("loss_kind", "unknown")) for side, _ in (a, b)]
    if all(kind.startswith("batch") for kind in kinds):
        compared = _compared(a, b)
    else:
        theirs = f"the loss of a is of kind '{kinds[0]}', that of b '{kinds[1]}'"
        compared = _none(f"{theirs}: only batch losses are compared")
    return compared if compared.agree else _reduced(compared, a[1], b[1], kinds, clock)


def _compared(a: tuple[Side, Run], b: tuple[Side, Run]) -> Losses:
    plans = [_plan(side.manifest) for side, _ in (a, b)]
    rows_a, rows_b = common_rows(a[1], b[1])
    ours, theirs = a[1].loss[rows_a], b[1].loss[rows_b]
    if not (np.isfinite(ours) & np.isfinite(theirs)).any():
        return _none("no step has a loss on both sides")
    names = {run.key.framework for _, run in (a, b)}
    moving = any((np.diff(run.rates.lr) != 0).any() for _, run in (a, b))
    found = agreement(ours, theirs, plans, across=names == set(BY_NAME), moving=moving)
    first = None
    if (row := found.first) is not None:
        first = (int(a[1].rates.step[rows_a[row]]), float(ours[row]), float(theirs[row]))
    return Losses(
        found.compared, found.max_relative, first, found.note, verdict=found.verdict, tolerance=found.tolerance
    )


def _plan(manifest: Mapping[str, Any]) -> Plan | None:
    """The plan of a run that samestep trained; None for any other log."""
    try:
        return Plan.model_validate_json(json.dumps(manifest.get("plan")))
    except ValueError:
        return None


def _none(why: str) -> Losses:
    return Losses(0, 0.0, None, why)


def _reduced(compared: Losses, a: Run, b: Run, kinds: list[str], clock: Clock | None) -> Losses:
    """The same losses with the reduction that explains them, if there is one."""
    clock = clock or _clock(a) or _clock(b)
    size = 1 if clock is None else clock.steps_per_epoch
    first = min(int(run.rates.step[0]) for run in (a, b)) // size * size
    count = max(int(run.rates.step[-1]) for run in (a, b)) + 1 - first
    if count > MOST_STEPS:
        return compared
    ways = [list(_series(run, kind, first, count, size)) for run, kind in zip((a, b), kinds, strict=True)]
    for mine in ways[0]:
        for theirs in ways[1]:
            per_epoch = len(mine) < count and len(theirs) < count
            reduction = find_reduction(mine, theirs, None if per_epoch else clock, TOLERANCE)
            if reduction is not None:
                own = LANGUAGES.get((a if reduction.side == "a" else b).key.framework)
                languages: tuple[Language, ...] = ("Keras", "PyTorch") if own is None else (own,)
                return replace(compared, reduction=reduction, instead=instead(reduction, languages))
    return compared


def _series(run: Run, kind: str, first: int, count: int, size: int) -> Iterator[np.ndarray]:
    """The losses of a run as one per update, and as one per epoch, whichever they may be: NaN where there is none.

    first : the step to begin with, an epoch's first. count : of steps. size : steps per epoch.
    """
    known = np.isfinite(run.loss)
    at, loss = run.rates.step[known] - first, run.loss[known]
    if not kind.startswith("epoch") or size == 1:
        yield placed(loss, at, count)
    epochs = at // size
    one_each = len(np.unique(epochs)) == len(epochs)
    if size > 1 and one_each and not kind.startswith("batch"):
        yield placed(loss, epochs, -(-count // size))


def _clock(run: Run) -> Clock | None:
    """A clock from the epochs in the rows of a run, if each but the last one has as many steps."""
    step, epoch = run.rates.step, run.epoch
    begins = np.flatnonzero(np.diff(epoch)) + 1
    if step[0] or epoch[0] or (np.diff(epoch)[begins - 1] != 1).any():
        return None
    if not len(begins):
        return Clock(int(step[-1]) + 1, 1)  # one epoch, finished or not
    sizes = np.diff(np.append(0, step[begins]))
    last = int(step[-1] + 1 - step[begins[-1]])
    return Clock(int(sizes[0]), 1) if (sizes == sizes[0]).all() and last <= sizes[0] else None
