"""Whether the losses of two runs agree; says nothing on the verdict, which is on the rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compare.runs import Run, common_rows
from compare.sides import Side
from compare.tolerance import relative_difference

TOLERANCE = 2e-5
"""Relative difference of batch losses that two frameworks may have with everything shared; see `loss_tolerance`."""


@dataclass(frozen=True)
class Losses:
    """How far the losses of two runs lie apart.

    compared : updates with a finite loss on both sides; 0 where losses cannot be compared, and `note` says why.
    max_relative : the largest difference. first_difference : the first update beyond the tolerance, with both losses.
    """

    compared: int
    max_relative: float
    first_difference: tuple[int, float, float] | None
    note: str | None

    @property
    def agree(self) -> bool:
        """Whether there are losses and all lie within the tolerance."""
        return bool(self.compared) and self.first_difference is None


def losses(a: tuple[Side, Run], b: tuple[Side, Run]) -> Losses:
    """Compare the batch losses at the steps that both have."""
    lacking = [side.name for side, run in (a, b) if not np.isfinite(run.loss).any()]
    if lacking:
        return _none(f"{' and '.join(lacking)} {'have' if len(lacking) == 2 else 'has'} no losses")
    kinds = [str(side.conventions.get("loss_kind", "unknown")) for side, _ in (a, b)]
    if not all(kind.startswith("batch") for kind in kinds):
        return _none(f"the loss of a is of kind '{kinds[0]}', that of b '{kinds[1]}': only batch losses are compared")
    rows_a, rows_b = common_rows(a[1], b[1])
    steps, mine, theirs = a[1].rates.step[rows_a], a[1].loss[rows_a], b[1].loss[rows_b]
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
