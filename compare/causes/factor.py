"""The cause `factor`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar, Self

from samestep.experiment.schedules import ExponentialDecay, InverseTimeDecay

from ..refute import Claim, Pair, predict
from .base import Cause
from .scene import Scene

Decay = ExponentialDecay | InverseTimeDecay


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
        schedule = scene.a.schedule
        every = f" every {scene.steps(float(schedule.every.count))}" if isinstance(schedule, Decay) else ""
        if self.factor_a is not None:
            return (
                f"Both decay in the same way, but a multiplies its rate by {self.factor_a:.9g}{every}, b by "
                f"{self.factor_b:.9g}."
            )
        return (
            f"Both decay in the same way, but a's decay rate is {self.decay_rate_a:.9g}{every}, b's is "
            f"{self.decay_rate_b:.9g}."
        )


def other_factor(pair: Pair) -> Iterator[tuple[Decay, Decay]]:
    """a's schedule, and the same with b's factor, over a's period."""
    a, b = pair.a.schedule, pair.b.schedule
    if isinstance(a, Decay) and isinstance(b, Decay) and type(a) is type(b):
        value = factor_of(_with_period_of(b, a))
        if factor_of(a) != value:
            yield a, a.model_copy(update={"factor" if isinstance(a, ExponentialDecay) else "decay_rate": value})


def factor_of(decay: Decay) -> float:
    """The number that a decay goes by."""
    return decay.factor if isinstance(decay, ExponentialDecay) else decay.decay_rate


def _with_period_of(decay: Decay, other: Decay) -> Decay:
    """A smooth decay over another period: the same rates."""
    ratio = other.every.count / decay.every.count if not decay.staircase else Fraction(1)
    if ratio == 1:
        return decay
    if isinstance(decay, ExponentialDecay):
        return decay.model_copy(update={"factor": decay.factor ** float(ratio), "every": other.every})
    return decay.model_copy(update={"decay_rate": decay.decay_rate * float(ratio), "every": other.every})
