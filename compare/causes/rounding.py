"""The cause `rounding`."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import ExponentialDecay
from samestep.experiment.schedules.base import float32_error

from ..refute import Pair
from ..refute.estimate import decay_of
from ..terms import Verdict
from ..words import counted, part
from .base import Cause
from .scene import LOG_MORE, Fix, Scene


class Rounding(Cause):
    """The rates are the same within the tolerance.

    What you see:
        Two lines that the eye cannot tell apart: a rate of 0.1 that is multiplied by 0.9999 at every step. After 99,950
        steps they lie 0.166 % apart. There is no first difference.

    How it comes about:
        Keras computes a schedule in float32, which cannot hold 0.9999 exactly: the factor is off by 1.7e-8, relative.
        `ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9999)` repeats that error at each decay. PyTorch's
        `ExponentialLR(gamma=0.9999)` multiplies Python floats, which are float64. samestep adds this drift to its
        tolerance, since it follows from the schedule and is no mistake.

        A log that was written with few digits also differs by rounding alone; the output then names the digits.

    The fix:
        None is needed. Where the drift matters, write fewer decays: `decay_steps=6931, decay_rate=0.9999**6931` is the
        same schedule here, and decays about once in the time in which the rate halves.

    See also:
        `identical`, without any rounding; lesson 7 and lesson 11 on the last digits.
    """

    verdict: ClassVar[Verdict] = "same"

    @classmethod
    def of_equal(cls, pair: Pair) -> Self | None:
        """Where any rate differs in bits."""
        return cls() if pair.is_rounded() else None

    def sentence(self, scene: Scene) -> str:
        """How far both lie apart, and what explains it: written digits, or float32's rounding of a factor."""
        if few := scene.few_rows:
            return few
        if scene.digits and scene.written:
            return (
                f"The rates agree to {scene.written}: they differ by at most {part(scene.largest)}, and these digits "
                f"cannot show less than {part(scene.digits)}."
            )
        said = f"The rates agree to within rounding: they differ by at most {part(scene.largest)}."
        found = _drifting(scene) if scene.drifted else None
        if found is None:
            return said
        drift, decays, decay = found
        return (
            f"{said} float32's rounding of the factor {decay.factor!r} explains up to {part(drift)} of this: "
            f"{counted(decays, 'decay')} of {float32_error(decay.factor):.3g} each. The rest is at most "
            f"{scene.rounding_ulp32:.2g} float32 ULP."
        )

    def fix(self, scene: Scene) -> Fix:
        """None; how to see more, or to drift less."""
        if scene.compared == 1:
            return LOG_MORE
        if scene.digits and scene.written:
            return Fix(
                f"Nothing to fix within {scene.written}. Log all digits, as repr(rate) writes them, to see more."
            )
        if scene.largest < 1e-5:
            return Fix("Nothing to fix: float32 cannot hold the rates more exactly.")
        return Fix(
            "Nothing to fix: the schedules are the same. If the drift matters, write fewer decays with a smaller "
            "factor: float32 then rounds less often."
        )


def _drifting(scene: Scene) -> tuple[float, int, ExponentialDecay] | None:
    """How far float32 leads a decay away by the last step, after how many times, and which: the one it does most."""
    candidates = []
    for seen in (scene.a, scene.b):
        if (decay := decay_of(seen.schedule)) is not None:
            decays = round(float(np.max(decay.decays(np.array([seen.last]), Clock.STEPS))))
            candidates.append((float32_error(decay.factor) * decays, decays, decay))
    return max(candidates, key=lambda candidate: candidate[0], default=None)
