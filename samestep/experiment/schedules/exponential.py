"""A rate multiplied by one factor again and again."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import (
    FLOAT32,
    ArrayLike,
    Peak,
    ScheduleModel,
    float32_error,
    periods,
    periods_in_float32,
)
from samestep.experiment.schedules.calls import Call, Calls, Config, Counts, Held, State, counted, torch_call
from samestep.experiment.schedules.constant import Constant
from samestep.experiment.schedules.piecewise_constant import PiecewiseConstant


class ExponentialDecay(ScheduleModel):
    """A rate multiplied by one factor again and again. It has no end.

    ``lr(t) = I * r ** p`` with ``p = t / E``, or its floor where `staircase`;
    I = `initial`, r = `factor`, E = `every` in steps. Step E is the first with the factor.

    >>> halve = ExponentialDecay(initial=1.0, factor=0.5, every="25 steps", staircase=True)
    >>> halve.rate([24, 25], Clock(samples=1000, batch_size=32))
    array([1. , 0.5])

    Source: Keras, `ExponentialDecay`; PyTorch, `StepLR` (staircase) and `ExponentialLR` (smooth).
    """

    EXAMPLES: ClassVar = {
        "exponential, staircase": "exponential:initial=0.1,factor=0.5,every=2 epochs,staircase",
        "exponential, smooth": "exponential:initial=0.1,factor=0.5,every=2 epochs",
    }
    KERAS: ClassVar = {"ExponentialDecay": {"decay_steps": "every", "decay_rate": "factor", "staircase": "staircase"}}
    TORCH: ClassVar = {"StepLR": {"step_size": "every", "gamma": "factor"}, "ExponentialLR": {"gamma": "factor"}}
    SAYS: ClassVar = {"StepLR": {"staircase": True}}

    kind: Literal["exponential"] = Field(default="exponential", repr=False)
    initial: Peak
    factor: float = Field(gt=0, le=10**9)
    every: DurationText
    staircase: bool

    def decays(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """How often the factor has been applied, p: float64, the shape of `step`."""
        return periods(np.asarray(step), clock.steps(self.every), self.staircase)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return self.initial * self.factor ** self.decays(t, clock)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The factor held in float32, once for each decay, and p rounded to float32 where it is smooth.

        ``lr * p * d`` with ``d = |float32(r) - r| / r``, at most ``lr * p * 2**-24``. Where it is smooth, twice
        ``lr * p * |ln(r)| * 2**-24`` besides: compiled code rounds 1 / E, and its product with t. A staircase that
        compiled code has a step late at some decays, since it multiplies by 1 / E, drifts by the whole decay there.
        """
        p = self.decays(step, clock)
        relative = p * float32_error(self.factor)
        if not self.staircase:
            relative = relative + 2 * p * abs(np.log(self.factor)) * FLOAT32
        drift = np.asarray(relative * self.rate(step, clock))
        if not self.staircase:
            return drift
        late = self.initial * self.factor ** periods_in_float32(np.asarray(step), clock.steps(self.every))
        return drift + np.abs(late - self.initial * self.factor**p)

    def keras(self, count: Counts) -> Call:
        """The note says where float32 bends a factor near 1, and what to write instead."""
        return replace(super().keras(count), note=self._drifts(count))

    def _drifts(self, count: Counts) -> str | None:
        """That a factor near 1 is bent by float32 at every decay, and what to write instead."""
        error = float32_error(self.factor)
        if self.staircase or abs(self.factor - 1) > _NEAR_1 or not error:
            return None
        times = max(2, round(abs(math.log(2) / math.log(self.factor))))
        better = self.factor**times
        nearer = error * times / max(float32_error(better), 1e-12)
        instead = f"decay_steps={times * int(count(self.every))} with decay_rate={better!r}"
        return (
            f"float32 holds decay_rate {self.factor!r} off by {error:.1e}, and each decay repeats it: after 100,000 "
            f"the rate is {1e5 * error:.1e} off. {instead} is the same schedule, {nearer:,.0f} times nearer."
        )

    def _torch(self, count: Calls) -> Call:
        if self.staircase:
            return self.native("StepLR", count)
        return torch_call("ExponentialLR", self.initial, gamma=count.root(self.factor, self.every))

    @classmethod
    def from_keras(cls, config: Config) -> ScheduleModel:
        """One that counts in fractions is smooth: it decays by a root of its factor at every count."""
        steps = config["decay_steps"]
        if config["decay_rate"] == 0:
            return falls_to_0(config["initial_learning_rate"], math.ceil(steps) if config["staircase"] else 1, config)
        if config["staircase"] or steps == int(steps):
            return super().from_keras(config)
        initial, factor = config["initial_learning_rate"], config["decay_rate"] ** (1 / steps)
        return cls(initial=initial, factor=factor, every=counted("decay_steps", 1, config.stepping), staircase=False)

    @classmethod
    def from_torch(cls, state: State) -> ScheduleModel:
        """`StepLR`, or `ExponentialLR`, which knows the factor of one call only."""
        every = counted("gamma", 1, state.stepping)
        if state.name == "StepLR":
            calls = meets_every(state.number("step_size"))
            if calls is None:
                return Constant(initial=state.base_lr)
            every = counted("step_size", calls, state.stepping)
        if state["gamma"] == 0:
            return falls_to_0(state.base_lr, int(every.count), state)
        if state.name == "StepLR":
            return cls(initial=state.base_lr, factor=state.number("gamma"), every=every, staircase=True)
        return cls(initial=state.base_lr, factor=state.number("gamma"), every=every, staircase=False)


def falls_to_0(initial: float, count: int, held: Held) -> PiecewiseConstant:
    """What a factor of 0 makes: one rate, and 0 from a count on."""
    return PiecewiseConstant(boundaries=(counted("decay_steps", count, held.stepping),), values=(initial, 0.0))


def meets_every(step_size: float) -> int | None:
    """The calls from one multiple of a step size to the next, where it is no whole number; None where none is met.

    `StepLR` falls where its count of calls is a multiple of step_size.

    >>> meets_every(2.5), meets_every(7.0), meets_every(600.6)
    (5, 7, None)
    """
    calls = Fraction(step_size).numerator
    return calls if calls < 2**40 else None


_NEAR_1 = 0.01
