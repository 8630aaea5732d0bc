"""The cause `tail`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Self

import numpy as np

from samestep.experiment.schedules import Constant

from ..refute import Claim, Pair, predict
from ..refute.estimate import LATE_FIRST, allowed_at, first_apart, steps_between
from ..refute.written import Written
from ..terms import Side, other
from . import snippets
from .base import Cause
from .scene import Fix, Scene


class Tail(Cause):
    """Equal until the schedule's end, where one holds its rate and the other does not.

    Attributes:
        side: the one that holds.
        step: from which it holds.

    What you see:
        A cosine of 200 steps in a run of 320. Both are the same down to 0, at the schedule's end. There a, in Keras,
        stays, and b, in PyTorch, climbs again.

    How it comes about:
        `keras.optimizers.schedules.CosineDecay(0.1, decay_steps=200)` takes the smaller of the step and `decay_steps`,
        so that it holds. PyTorch's `CosineAnnealingLR(optimizer, T_max=200)` is a cosine without an end: `T_max` is
        half of its period. It shows as soon as a run is longer than its schedule, as after a few more epochs, or where
        `T_max` was given in epochs and `scheduler.step()` is called after each batch.

    The fix:
        samestep gives b the schedule of a, whichever of them holds. If the run is longer by mistake, end it at the
        schedule's end instead.

    See also:
        `floor`, where a rate stops before the schedule's end; lesson 8: warm-up, cosine, restarts.
    """

    side: Side
    step: int

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until the schedule's end; then one holds and the other goes on or rises."""
        for side in LATE_FIRST:
            holding, base = pair.of(side), pair.other(side)
            step = _end(pair, side)
            if step is None or base.schedule is None:
                continue  # what goes on must be a schedule
            if holding.schedule is not None:
                ours, theirs = Written.of(holding.schedule, holding.last), Written.of(base.schedule, base.last)
                if isinstance(ours.body, Constant):
                    if not theirs.stable:
                        continue  # it has no end: a warm-up is all that it has
                    step = theirs.warm + theirs.stable
            level = float(holding.rates.lr[-1])
            yield Claim(cls(side, step), side, predict.changed(base, step, predict.constant(level)))

    def sentence(self, scene: Scene) -> str:
        """Which side holds, where, and what the other does."""
        goes = "goes on"
        if scene.first is not None:
            a, b = scene.first.a, scene.first.b
            goes = "rises again" if (b > a if self.side == "a" else a > b) else "keeps falling"
        return (
            f"Both are equal until the schedule's end at step {self.step:,}. From there {self.side} holds its rate and "
            f"{other(self.side)} {goes}."
        )

    def fix(self, scene: Scene) -> Fix:
        """Hold the other side's rate as well, let this one go on, or end both."""
        holding = self.side

        def change(side: Side) -> str:
            return f"let {side} go on" if side == holding else f"make {side} hold its rate from step {self.step:,} on"

        side = scene.to_change("b")
        fix = scene.given(side, change)
        if not fix.code and side != holding:
            fix = scene.either(side, change, scene.coded(side, lambda name: snippets.hold(name, self.step)))
        if scene.is_meant("a") or scene.is_meant("b"):
            return fix
        return replace(fix, advice=f"{fix.advice} If the runs are longer by mistake, end both at step {self.step:,}.")


def _end(pair: Pair, side: Side) -> int | None:
    """The step from which one side holds its last rate, where the other reaches that rate and does not stay."""
    apart = first_apart(pair, side)
    holding, base = pair.of(side), pair.other(side)
    lr, steps, rounding = holding.rates.lr, holding.rates.step, holding.rates.rounding
    level = float(lr[-1])
    away = np.flatnonzero(np.abs(lr - level) > allowed_at(level) + rounding)
    if apart is None or not len(away) or away[-1] + 2 > len(lr) - 1 or away[-1] >= apart[1]:
        return None  # what never moved has no end, nor has what does not hold
    if rounding.max() > 0.01 * holding.peak:
        return None
    gap = steps_between(int(steps[away[-1]]), int(steps[apart[1]]))
    length = 0 if holding.schedule is None else Written.of(holding.schedule, holding.last).total
    if gap[0] <= length <= gap[-1]:
        return length  # its own end, to which it falls smoothly, whatever the other does there
    near = base.at(gap)
    distance = np.where(np.isfinite(near.slack), np.abs(near.value - level), np.inf)
    close = distance <= near.allowed(pair.ulp) + rounding[apart[1]]
    between = near.value.min() <= level <= near.value.max()
    if not (close.any() or between):
        return None  # it jumped to another rate: that is no end of a schedule
    if holding.stride == 1 and not rounding.any():
        return int(steps[away[-1] + 1])
    return max(int(gap[distance.argmin()]), 1) if holding.stride != 1 else int(steps[away[-1] + 1])
