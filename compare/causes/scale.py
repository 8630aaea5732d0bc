"""The cause `scale`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from samestep.experiment.schedules.base import tidy

from ..infer.numbers import digits, shortest
from ..refute import Claim, Pair, predict
from ..refute.estimate import constant_ratios
from ..terms import SIDES, Side, other
from ..words import multiple
from .base import Cause
from .scene import Fix, Scene


class Scale(Cause):
    """One has a multiple of the other's rate at every step.

    Attributes:
        factor: b in units of a.

    What you see:
        Both rates change at the same steps by the same factor, and b is 4 times as high throughout. They first differ
        at step 0, the very first one.

    How it comes about:
        A training script for several processes often multiplies the rate by their number, since all processes together
        have a batch that many times as large. If one side runs in one process, or leaves the multiplication out, the
        rates differ by a constant factor. So do a rate for the sum of the losses and one for their mean.

    The fix:
        Only the initial rate differs. If b is right, multiply a's instead.

    See also:
        Lesson 10: accumulation and processes.
    """

    factor: float

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """b = c * a at every step."""
        for side in sorted(SIDES, key=lambda each: len(pair.of(each).rates)):  # at rows that the other has as well
            rows, base = pair.of(side).rates, pair.other(side)
            for ratio in constant_ratios(rows, base.at(rows.step)):
                yield Claim(cls(ratio if side == "b" else 1 / ratio), side, predict.times(base, ratio))

    @classmethod
    def offhand(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Ratios of the highest rates, of the first, and of the last."""
        step = np.array([pair.b.rates.step[0], pair.b.rates.step[-1]])
        theirs = pair.a.at(step)
        ratios = [pair.b.peak / pair.a.peak] if pair.a.peak else []
        ratios += [
            float(mine / base)
            for mine, base, slack in zip(pair.b.rates.lr[[0, -1]], theirs.value, theirs.slack, strict=True)
            if base > 0 and slack < base
        ]
        factors = [shortest(ratio, 1e-6 * ratio) for ratio in ratios if np.isfinite(ratio) and ratio > 0]
        yield from (Claim(cls(c), "b", predict.times(pair.a, c)) for c in dict.fromkeys(factors) if c != 1)

    def rank(self) -> int:
        """A number as people write it is simpler than any other cause."""
        return -1 if digits(tidy(self.factor)) <= 2 else 0

    def sentence(self, scene: Scene) -> str:
        """How many times as high the higher side is."""
        if self.factor < 1 and abs(round(1 / self.factor) - 1 / self.factor) < 1e-9:
            return f"a's rate is {multiple(1 / self.factor)} times b's at every step."
        return f"b's rate is {multiple(self.factor)} times a's at every step."

    def fix(self, scene: Scene) -> Fix:
        """Give one side the rate of the other."""
        side = scene.to_change("b")
        if scene.of(other(side)).schedule is not None:
            return scene.given(side, lambda side: f"give {side} the rate of {other(side)}")

        def change(side: Side) -> str:
            factor = self.factor if side == "b" else 1 / self.factor
            by, times = ("divide", factor) if factor > 1 else ("multiply", 1 / factor)
            return f"{by} the initial rate of {side} by {multiple(times)}"

        return scene.either(side, change)
