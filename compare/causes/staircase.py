"""The cause `staircase`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from ..refute import Claim, Pair, predict
from ..terms import SIDES, Side, other
from .base import Cause
from .scene import Fix, Scene


class Staircase(Cause):
    """One holds its rate and then jumps, the other changes smoothly; all else is equal.

    Attributes:
        side: the one that holds.
        every: for how many steps it holds.

    What you see:
        Both rates are halved every 50 steps. a does so at once, b a little at every step. They meet where a new stair
        of a begins, and first differ at step 1.

    How it comes about:
        PyTorch has two classes: `StepLR` holds the rate, `ExponentialLR` does not. Keras has one, and an argument that
        is easily left out when the code is taken over: `ExponentialDecay` and `InverseTimeDecay` are smooth unless
        `staircase=True` is given.

    The fix:
        The period and the factor are right; only the floor of steps / period is missing.

    See also:
        Lesson 3: staircase or smooth.
    """

    side: Side
    every: int

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """One takes the floor, the other does not: y(n) = x(E * floor(n / E))."""
        for side in SIDES:
            for every in _holds(pair, side):
                yield Claim(cls(side, every), side, predict.held(pair.other(side), every))

    def sentence(self, scene: Scene) -> str:
        """Which side holds, and for how long."""
        return (
            f"{self.side} is a staircase, {other(self.side)} is not: for {scene.steps(self.every)} at a time "
            f"{self.side} holds the rate that {other(self.side)} has at the first of them. All else is equal."
        )

    def fix(self, scene: Scene) -> Fix:
        """Make the smooth side a staircase, or the other way round."""
        stairs, inferred = self.side, scene.of(self.side).inferred
        per_epoch = inferred is not None and inferred.stepping == "epoch"

        def change(side: Side) -> str:
            if per_epoch:
                often = "at every step" if side == stairs else "once per epoch"
                return f"make {side} look up its rate {often}, as {other(side)} does"
            return f"make {side} " + ("smooth" if side == stairs else f"a staircase of {scene.steps(self.every)}")

        return scene.given(other(stairs), change)


def _holds(pair: Pair, side: Side) -> list[int]:
    """Numbers of steps for which one side may hold its rate, where the other does not."""
    curve = pair.of(side)
    candidates: list[int] = []
    theirs = pair.other(side)
    smooth = len(theirs.changes) >= 0.9 * (len(theirs.rates) - 1)
    if theirs.is_stepwise or (not smooth and len(theirs.changes) < 2 * len(curve.changes)):
        return candidates  # both take the floor
    changes = curve.rates.step[curve.changes[:200]]
    if 0 < len(changes) < len(curve.rates) - 1:
        early = curve.rates.step[np.maximum(curve.changes[:200] - 1, 0)]
        count = np.arange(1, len(changes) + 1)
        low, high = float((early / count).max()), float((changes / count).min())
        if low < high and high - low < 400:
            candidates += range(int(low) + 1, int(high) + 1)
        if len(changes) > 1:
            candidates.append(int(np.gcd.reduce(changes)))
        candidates.append(int(changes[0]))
    if pair.clock is not None:
        candidates.append(pair.clock.steps_per_epoch)
    # of a log with a row every 100 steps, every rate seems to hold for 100
    return [every for every in dict.fromkeys(candidates) if every > max(curve.stride, 1)]
