"""Whether the losses of two runs agree; says nothing on the verdict, which is on the rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from compare.align.reduction_words import Reduction, instead
from compare.align.reductions import told_apart
from compare.causes.scene import LANGUAGES, Language
from compare.runs.run import Run, common_rows
from compare.runs.side import Side
from compare.tolerance import relative_difference
from experiment.clock import Clock

TOLERANCE = 2e-5
"""Relative difference of batch losses that two frameworks may have with everything shared; see `loss_tolerance`."""

MOST_STEPS = 10_000_000
"""Steps between the first and the last row, gaps counted in, up to which reductions are looked for."""


@dataclass(frozen=True)
class Losses:
    """How far the losses of two runs lie apart.

    compared : updates with a finite loss on both sides; 0 where losses cannot be compared, and `note` says why.
    max_relative : the largest difference. first_difference : the first update beyond the tolerance, with both losses.
    reduction : where they differ, or are not of one kind: what one side's are of the other's, if that is known.
    instead : code that logs what can be compared, by framework, for the side that is reduced.
    """

    compared: int
    max_relative: float
    first_difference: tuple[int, float, float] | None
    note: str | None
    reduction: Reduction | None = None
    instead: dict[Language, str] = field(default_factory=dict)

    @property
    def agree(self) -> bool:
        """Whether there are losses and all lie within the tolerance."""
        return bool(self.compared) and self.first_difference is None


def losses(a: tuple[Side, Run], b: tuple[Side, Run], clock: Clock | None = None) -> Losses:
    """Compare the batch losses at the steps that both have; where they differ, look for a reduction that says why.

    clock : of the comparison; where there is none, the epochs that a run's own rows tell.
    """
    lacking = [side.name for side, run in (a, b) if not np.isfinite(run.loss).any()]
    if lacking:
        return _none(f"{' and '.join(lacking)} {'have' if len(lacking) == 2 else 'has'} no losses")
    kinds = [str(side.conventions.get("loss_kind", "unknown")) for side, _ in (a, b)]
    if all(kind.startswith("batch") for kind in kinds):
        found = _compared(a[1], b[1])
    else:
        found = _none(f"the loss of a is of kind '{kinds[0]}', that of b '{kinds[1]}': only batch losses are compared")
    return found if found.agree else _reduced(found, a[1], b[1], kinds, clock)


def _compared(a: Run, b: Run) -> Losses:
    rows_a, rows_b = common_rows(a, b)
    steps, mine, theirs = a.rates.step[rows_a], a.loss[rows_a], b.loss[rows_b]
    known = np.isfinite(mine) & np.isfinite(theirs)
    if not known.any():
        return _none("no step has a loss on both sides")
    apart = np.where(known, relative_difference(mine, theirs), 0.0)
    beyond = np.flatnonzero(apart > TOLERANCE)
    first = None
    if len(beyond):
        row = int(beyond[0])
        first = (int(steps[row]), float(mine[row]), float(theirs[row]))
    return Losses(int(known.sum()), float(apart.max()), first, None)


def _none(why: str) -> Losses:
    return Losses(0, 0.0, None, why)


def _reduced(found: Losses, a: Run, b: Run, kinds: list[str], clock: Clock | None) -> Losses:
    """The same losses with the reduction that explains them, if there is one."""
    clock = clock or _clock(a) or _clock(b)
    size = 1 if clock is None else clock.steps_per_epoch
    first = min(int(run.rates.step[0]) for run in (a, b)) // size * size
    count = max(int(run.rates.step[-1]) for run in (a, b)) + 1 - first
    if count > MOST_STEPS:
        return found
    ways = [list(_series(run, kind, first, count, size)) for run, kind in zip((a, b), kinds, strict=True)]
    for mine in ways[0]:
        for theirs in ways[1]:
            per_epoch = len(mine) < count and len(theirs) < count
            reduction = told_apart(mine, theirs, None if per_epoch else clock, TOLERANCE)
            if reduction is not None:
                framework = (a if reduction.side == "a" else b).key.framework
                own = LANGUAGES.get(framework)
                languages: tuple[Language, ...] = ("Keras", "PyTorch") if own is None else (own,)
                return replace(found, reduction=reduction, instead=instead(reduction, languages))
    return found


def _series(run: Run, kind: str, first: int, count: int, size: int) -> Iterator[np.ndarray]:
    """The losses of a run as one per update, and as one per epoch, whichever they may be: NaN where there is none.

    first : the step to begin with, an epoch's first. count : of steps. size : steps per epoch.
    """
    known = np.isfinite(run.loss)
    at, loss = run.rates.step[known] - first, run.loss[known]
    if not kind.startswith("epoch") or size == 1:
        yield _placed(at, loss, count)
    epochs = at // size
    one_each = len(np.unique(epochs)) == len(epochs)
    if size > 1 and one_each and not kind.startswith("batch"):
        yield _placed(epochs, loss, -(-count // size))


def _placed(at: np.ndarray, loss: np.ndarray, count: int) -> np.ndarray:
    placed = np.full(count, np.nan)
    placed[at] = loss
    return placed


def _clock(run: Run) -> Clock | None:
    """A clock from the epochs that the rows of a run tell, where each but the last one has as many steps."""
    step, epoch = run.rates.step, run.epoch
    begins = np.flatnonzero(np.diff(epoch)) + 1
    if step[0] or epoch[0] or (np.diff(epoch)[begins - 1] != 1).any():
        return None
    if not len(begins):
        return Clock(int(step[-1]) + 1, 1)  # one epoch, finished or not
    sizes = np.diff(np.append(0, step[begins]))
    last = int(step[-1] + 1 - step[begins[-1]])
    return Clock(int(sizes[0]), 1) if (sizes == sizes[0]).all() and last <= sizes[0] else None
