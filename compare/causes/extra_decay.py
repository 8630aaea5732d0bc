"""The cause `extra-decay`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np

from ..infer.numbers import digits
from ..refute import Claim, Pair, predict
from ..refute.estimate import LATE_FIRST, constant_ratios, first_apart, onset
from ..terms import Side, other
from ..words import multiple
from . import snippets
from .base import Cause
from .scene import Fix, Scene

MOST = 150
"""Steps at which the factor may begin that are tried at most."""

MOST_DIGITS = 4
"""Digits of a factor that somebody wrote, where the rates after it hold."""


class ExtraDecay(Cause):
    """Equal until a step after which they differ by one constant factor.

    Attributes:
        side: the lower one.
        step: the first with the factor.
        factor: b in units of a.

    What you see:
        b was resumed at step 150, where a decay was due. a's rate is halved there, b's twice; from there on b has 0.5
        times the rate of a, to the end.

    How it comes about:
        PyTorch's `StepLR` multiplies the rate that it finds in the optimizer, and takes a first step as it is built.
        Here the optimizer's state was loaded first, with the rate that had been decayed already;
        `StepLR(optimizer, 50, 0.5, last_epoch=149)`, built over it, stepped to 150 and decayed that once more. Keras
        computes each rate from the counter and the first rate alone, so a schedule there cannot decay twice; a
        `LearningRateScheduler` that multiplies the rate it is given can.

    The fix:
        In PyTorch the order matters: create optimizer and scheduler first, load both states last.

    See also:
        `reset`, where the counter is lost instead; lesson 9: resuming.
    """

    alike: ClassVar = {
        "floor": "where a schedule holds its last rate, a factor on that is another last rate",
        "tail": "where a schedule holds its last rate, a factor on that is another last rate",
    }
    side: Side
    step: int
    factor: float

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until a step after which they differ by one constant factor."""
        for side in sorted(LATE_FIRST, key=lambda each: -len(pair.of(each).rates)):
            apart = first_apart(pair, side)
            if apart is None:
                continue
            base, rates = pair.other(side), pair.of(side).rates
            rows = rates.rows(slice(apart[1], None))
            roundest = onset(pair, side)
            near = [int(each) for each in (rows.step[0], *rates.step[apart[0] + 1 : apart[1]][:MOST])]
            steps = near if roundest is None else list(dict.fromkeys([roundest, *near]))
            for ratio in constant_ratios(rows, base.at(rows.step)):
                if not np.ptp(rows.lr) and min(digits(ratio), digits(1 / ratio)) > MOST_DIGITS:
                    continue  # of two rates that hold, any two have a ratio
                factor = ratio if side == "b" else 1 / ratio
                for step in steps:
                    later = predict.changed(base, step, predict.times(base, ratio))
                    yield Claim(cls("b" if factor < 1 else "a", step, factor), side, later)

    def sentence(self, scene: Scene) -> str:
        """Which side is lower, from where on, and by how much."""
        times = self.factor if self.side == "b" else 1 / self.factor
        return (
            f"Both are equal until step {self.step:,}. From there on {self.side} has {multiple(times)} times the rate "
            f"of {other(self.side)}, like a run that decayed once more when it was resumed."
        )

    def fix(self, scene: Scene) -> Fix:
        """Resume the lower side in the right order, or give the other side the decay."""
        lower, higher = self.side, other(self.side)
        is_lacking = lower == "a" and not scene.is_meant(higher) and scene.following("b")
        if scene.is_meant(lower) or is_lacking:
            return scene.given(
                higher,
                lambda side: (
                    f"give {side} the decay at step {self.step:,}"
                    if side == higher
                    else f"create {side}'s scheduler first and load its state last when it is resumed"
                ),
            )
        advice = f"If {lower} is resumed at step {self.step:,}, create its scheduler first and load its state last."
        if not scene.is_meant(higher):
            advice += f" If the decay is meant, give it to {higher} as well."
        return Fix(advice, scene.coded(lower, lambda name: snippets.resume(name, self.step), snippets.RESUME_IN))
