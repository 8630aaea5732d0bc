"""The cause `identical`."""

from __future__ import annotations

from typing import ClassVar, Self

from ..refute import Pair
from ..terms import Verdict
from .base import Cause
from .scene import LOG_MORE, Fix, Scene


class Identical(Cause):
    """Every rate has the same bits.

    What you see:
        One line on the other, and no first difference. Keras' `ExponentialDecay` and PyTorch's `StepLR` agree in all
        bits of all 320 rates.

    How it comes about:
        Two runs of one framework with one schedule are identical as a rule. Where they should differ, as after a change
        of the schedule, the change never reached the optimizer.

        Between two frameworks this is rare. Keras computes a rate in float32, PyTorch in float64, and 0.1 is another
        number in each. Here all numbers are powers of two, which both hold exactly.

    The fix:
        None is needed. If the losses differ all the same, the schedule is not why: `samestep attribute` looks further.

    See also:
        `rounding`, the usual way of being the same; lesson 11 on rounding; lesson 6 on a fair comparison.
    """

    verdict: ClassVar[Verdict] = "same"
    is_exact: ClassVar = True

    @classmethod
    def of_equal(cls, pair: Pair) -> Self | None:
        """Where no other holds."""
        return cls()

    def sentence(self, scene: Scene) -> str:
        """How exactly both are the same."""
        if scene.a.is_zero and scene.b.is_zero:
            return "Both rates are 0 at every step: no update of either run changes a weight."
        last = "digit that was written" if scene.a.written and scene.b.written else "bit"
        return scene.few_rows or f"At every common step the rates agree to the last {last}."

    def fix(self, scene: Scene) -> Fix:
        """None; of a single row, more."""
        return LOG_MORE if scene.compared == 1 else Fix("Nothing to fix.")
