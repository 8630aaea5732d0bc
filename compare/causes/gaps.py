"""The cause `gaps`."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from ..rates import Rates
from ..refute import Pair
from ..refute.estimate import usual_distance
from ..words import counted
from .base import Cause
from .scene import Fix, Scene


class Gaps(Cause):
    """Equal where both have rows; one lacks or repeats steps.

    Attributes:
        missing_a: steps that a lacks.
        missing_b: steps that b lacks.
        repeated_a: rows that a has twice.
        repeated_b: rows that b has twice.
        step: the first missing step of either.
        step_a: the first step that a lacks.
        step_b: the first step that b lacks.

    What you see:
        Both rates are the same, but b has no rows from step 128 on, for 52 steps.

    How it comes about:
        The log, not the schedule, has lost something. Here a loop in PyTorch kept its rows in memory and wrote them
        every 64 updates; it was killed at step 180 and went on from a checkpoint of that step.

        A Keras callback that writes in `on_epoch_end` loses up to an epoch in the same way. Updates that AMP's
        `GradScaler` or Keras' `LossScaleOptimizer` skips are no updates: a log that has no row for them, but counts
        batches, has holes too. A run resumed from before its last row repeats steps instead.

    The fix:
        There is no code, since no schedule is wrong. The recorders of samestep write their rows every half second, and
        name steps that come twice.

    See also:
        Page `recording`, in one line in either framework; lesson 9: resuming.
    """

    missing_a: int
    missing_b: int
    repeated_a: int
    repeated_b: int
    step: int | None = None
    step_a: int | None = None
    step_b: int | None = None

    @classmethod
    def of_equal(cls, pair: Pair) -> Self | None:
        """How many steps each side lacks of those that the other goes over, or repeats; None where neither does.

        A log of every tenth step lacks nothing: its rows are as far apart as the others. One that only ends earlier is
        a matter of `length`; where something else is missing as well, its end counts too. Neither lacks what the other
        does not have.
        """
        a, b = pair.a.rates, pair.b.rates
        if np.array_equal(a.step, b.step) and not (a.repeated or b.repeated):
            return None
        if not (_missing(a, b, ends=False).steps or _missing(b, a, ends=False).steps or a.repeated or b.repeated):
            return None
        of_a, of_b = _missing(a, b, ends=True), _missing(b, a, ends=True)
        step = min((each.first for each in (of_a, of_b) if each.first is not None), default=None)
        return cls(of_a.steps, of_b.steps, a.repeated, b.repeated, step, of_a.first, of_b.first)

    def sentence(self, scene: Scene) -> str:
        """What each side lacks or has twice."""
        said = []
        for side, missing, repeated, first in (
            ("a", self.missing_a, self.repeated_a, self.step_a),
            ("b", self.missing_b, self.repeated_b, self.step_b),
        ):
            does = []
            if missing:
                does.append(f"lacks {counted(missing, 'step')}, {'the first at ' if missing > 1 else ''}step {first:,}")
            if repeated:
                does.append(f"has {counted(repeated, 'row')} twice")
            if does:
                said.append(f"{side} {' and '.join(does)}")
        return f"The rates agree wherever both have rows, but {'; '.join(said)}."

    def fix(self, scene: Scene) -> Fix:
        """Fix the log."""
        lacking = [side for side, missing in (("a", self.missing_a), ("b", self.missing_b)) if missing]
        if lacking:
            lack = "lack" if len(lacking) > 1 else "lacks"
            return Fix(f"Nothing to fix in the schedule. Find out why {' and '.join(lacking)} {lack} rows.")
        return Fix("Nothing to fix in the schedule. Log each update once.")


class _Missing(NamedTuple):
    """How many steps a log lacks. first : the first of them; None where none is missing."""

    steps: int
    first: int | None


def _missing(rates: Rates, other: Rates, ends: bool) -> _Missing:
    """Steps that a log should have had, judged by how far its rows usually lie apart.

    ends : whether those count that the other has after the log's last row. They are counted, never listed: a log may
    lack more steps than fit into memory.
    """
    usual = usual_distance(rates)
    distances = np.diff(rates.step)
    if len(rates) < 3 or ((distances != usual).mean() > 0.3 and usual > 1):
        return _Missing(0, None)
    count, firsts = 0, []
    far = max(usual, usual_distance(other))
    if (late := int(rates.step[0] - other.step[0])) >= 2 * far:
        count += -(-late // usual)
        firsts.append(int(other.step[0]))
    wide = np.flatnonzero(distances >= 2 * usual)
    if len(wide):
        count += int(((distances[wide] - 1) // usual).sum())
        firsts.append(int(rates.step[wide[0]]) + usual)
    if ends and (early := int(other.step[-1] - rates.step[-1])) >= far:
        count += early // usual
        firsts.append(int(rates.step[-1]) + usual)
    return _Missing(count, min(firsts, default=None))
