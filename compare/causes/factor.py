"""The cause `factor`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Self

from samestep.experiment.clock import Duration
from samestep.experiment.schedules import ExponentialDecay, InverseTimeDecay
from samestep.experiment.schedules.base import LARGEST

from ..infer.numbers import digits, shortest
from ..refute import Claim, Pair, predict
from .base import Cause
from .scene import Scene

Decay = ExponentialDecay | InverseTimeDecay

PARTS = 10
"""A period is divided by at most so much in search of shorter numbers."""

LEAST = 1e-4
"""The smallest factor that somebody writes."""

FARTHEST = 700.0
"""The largest exponent of e that a float64 holds."""


class Factor(Cause):
    """The same kind of decay with another factor.

    Attributes:
        factor_a: a's factor, if both are exponential decays.
        factor_b: b's factor.
        decay_rate_a: a's decay rate, if both are inverse-time decays.
        decay_rate_b: b's decay rate.

    What you see:
        Both rates are the same up to step 50, and both fall every 50 steps: a to 0.5 of what it was, b to 0.1.

    How it comes about:
        Keras' `ExponentialDecay` has no default for `decay_rate`. In PyTorch `StepLR` and `MultiStepLR` have
        `gamma=0.1`, so leaving it out raises no error. A factor that is written in two places and was changed in one
        gives the same picture.

    The fix:
        Write the factor out in both frameworks, so that no default is used.

    See also:
        `counter`, where a factor was meant for another number of steps; lesson 4 on PyTorch's schedulers.
    """

    alike: ClassVar = {"period": "a smooth decay with another factor is the same one with another period"}
    comes_second: ClassVar = False
    factor_a: float | None = None
    factor_b: float | None = None
    decay_rate_a: float | None = None
    decay_rate_b: float | None = None

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """The same kind of decay, with another factor."""
        for ours, theirs in other_factor(pair):
            a, b = factor_of(ours), factor_of(theirs)
            exponential = isinstance(ours, ExponentialDecay)
            factor = cls(factor_a=a, factor_b=b) if exponential else cls(decay_rate_a=a, decay_rate_b=b)
            yield Claim(factor, "b", predict.scheduled(pair.a, theirs, pair.b))

    offhand = claims  # there are few

    def sentence(self, scene: Scene) -> str:
        """Both factors."""
        every = self._every(scene)
        if self.factor_a is not None:
            return (
                f"Both decay in the same way, but a multiplies its rate by {self.factor_a:.9g}{every}, b by "
                f"{self.factor_b:.9g}."
            )
        return (
            f"Both decay in the same way, but a's decay rate is {self.decay_rate_a:.9g}{every}, b's is "
            f"{self.decay_rate_b:.9g}."
        )

    def _every(self, scene: Scene) -> str:
        """The period over which both numbers hold."""
        schedule, ratio = scene.a.schedule, 1.0
        if not isinstance(schedule, Decay):
            return ""
        if isinstance(schedule, ExponentialDecay) and self.factor_a and schedule.factor not in (0, 1):
            ratio = math.log(self.factor_a) / math.log(schedule.factor)
        elif isinstance(schedule, InverseTimeDecay) and self.decay_rate_a and schedule.decay_rate:
            ratio = self.decay_rate_a / schedule.decay_rate
        return f" every {scene.steps(round(float(schedule.every.count) * ratio))}"


def other_factor(pair: Pair) -> Iterator[tuple[Decay, Decay]]:
    """a's schedule, and the same with b's factor, over one period."""
    a, b = pair.a.schedule, pair.b.schedule
    if isinstance(a, Decay) and isinstance(b, Decay) and type(a) is type(b):
        if not (pair.a.is_endless or a.staircase or b.staircase):
            every = _common_period(a, b)
            a = _with_factor(a, _factor_over(a, every), every)
        value = factor_of(b) if b.staircase else _factor_over(b, a.every)
        if factor_of(a) != value and 0 < value <= LARGEST:
            yield a, _with_factor(a, value, a.every)


def factor_of(decay: Decay) -> float:
    """The number that a decay goes by."""
    return decay.factor if isinstance(decay, ExponentialDecay) else decay.decay_rate


def _with_factor(decay: Decay, value: float, every: Duration) -> Decay:
    name = "factor" if isinstance(decay, ExponentialDecay) else "decay_rate"
    return decay.model_copy(update={name: value, "every": every})


def _factor_over(decay: Decay, every: Duration) -> float:
    """The number that a smooth decay goes by over another period, at the same rates."""
    ratio = float(every.count / decay.every.count)
    if ratio == 1:
        return factor_of(decay)
    if not isinstance(decay, ExponentialDecay):
        value = decay.decay_rate * ratio
    else:
        value = math.exp(min(math.log(decay.factor) * ratio, FARTHEST))
    return shortest(value, 1e-12 * value)


def _common_period(a: Decay, b: Decay) -> Duration:
    """The period over which both numbers have fewest digits: of a log only the speed is known, not the period.

    0.81 in 500 steps and 0.0001 in 1,000 are 0.9 and 0.1 in 250. Over so long a period that hardly anything is left,
    any number is short.
    """
    parts = {each.every.count / k for each in (a, b) for k in range(2, PARTS + 1)}
    tried = [a.every, b.every, *(Duration(each, "steps") for each in sorted(parts) if each.denominator == 1)]

    def unusual(every: Duration) -> tuple[bool, int]:
        both = [_factor_over(each, every) for each in (a, b)]
        return not all(LEAST <= each <= 1 / LEAST for each in both), sum(map(digits, both))

    return min(tried, key=unusual)
