"""Rates that go one way: constant, exponential, inverse time, piecewise constant, polynomial, linear."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from experiment.clock import Clock, DurationText
from experiment.schedules.base import (
    FLOAT32,
    After,
    ArrayLike,
    Level,
    Peak,
    ScheduleModel,
    check_rising,
    float32_error,
    rising_steps,
)

Factor = Annotated[float, Field(gt=0, le=10)]


class Constant(ScheduleModel):
    """One rate for the whole run.

    ``lr(t) = I`` with I = `initial`.

    Source: Keras and PyTorch, a float as the optimizer's learning rate.
    """

    kind: Literal["constant"] = Field(default="constant", repr=False)
    initial: Peak

    @property
    def base_lr(self) -> float:
        """The rate itself."""
        return self.initial

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return np.full(t.shape, self.initial)


class ExponentialDecay(ScheduleModel):
    """A rate multiplied by one factor again and again. It has no end.

    ``lr(t) = I * r ** p`` with ``p = t / E``, or its floor where `staircase`;
    I = `initial`, r = `factor`, E = `every` in steps. Step E is the first with the factor.

    >>> halve = ExponentialDecay(initial=1.0, factor=0.5, every="25 steps", staircase=True)
    >>> halve.rate([24, 25], Clock(samples=1000, batch_size=32))
    array([1. , 0.5])

    Source: Keras, `ExponentialDecay`; PyTorch, `StepLR` (staircase) and `ExponentialLR` (smooth).
    """

    kind: Literal["exponential"] = Field(default="exponential", repr=False)
    initial: Peak
    factor: Factor
    every: DurationText
    staircase: bool

    @property
    def base_lr(self) -> float:
        """The initial rate."""
        return self.initial

    def decays(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """How often the factor has been applied, p: float64, the shape of `step`."""
        return _periods(np.asarray(step), clock.steps(self.every), self.staircase)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The factor held in float32, once for each decay, and p rounded where the rate grows.

        ``lr * p * d`` with ``d = |float32(r) - r| / r``, at most ``lr * p * 2**-24``. Where it grows smoothly,
        ``lr * p * ln(r) * 2**-24`` besides; where it falls this stays under the tolerance.
        """
        p = self.decays(step, clock)
        relative = p * float32_error(self.factor)
        if self.factor > 1 and not self.staircase:
            relative = relative + p * np.log(self.factor) * FLOAT32
        return np.asarray(relative * self.rate(step, clock))

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return self.initial * self.factor ** self.decays(t, clock)


class InverseTimeDecay(ScheduleModel):
    """A rate divided by a number that grows evenly. It has no end.

    ``lr(t) = I / (1 + d * p)`` with ``p = t / E``, or its floor where `staircase`;
    I = `initial`, d = `decay_rate`, E = `every` in steps. Step E is the first with p = 1.

    Source: Keras, `InverseTimeDecay`; PyTorch has none.
    """

    kind: Literal["inverse-time"] = Field(default="inverse-time", repr=False)
    initial: Peak
    decay_rate: float = Field(gt=0, le=1e6)
    every: DurationText
    staircase: bool

    @property
    def base_lr(self) -> float:
        """The initial rate."""
        return self.initial

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return self.initial / (1 + self.decay_rate * _periods(t, clock.steps(self.every), self.staircase))


class PiecewiseConstant(ScheduleModel):
    """One rate after the other. The last one holds.

    ``lr(t) = v[i]`` where i boundaries are at most t: a boundary is the first step with the next value, as in PyTorch.
    v = `values`, one more than `boundaries`.

    Source: Keras, `PiecewiseConstantDecay`, which changes one step after its boundary; PyTorch, `MultiStepLR` where the
    values are powers of one factor, `ConstantLR` where there are two and they rise.
    """

    kind: Literal["piecewise-constant"] = Field(default="piecewise-constant", repr=False)
    boundaries: Annotated[tuple[DurationText, ...], Field(strict=False, min_length=1)]
    values: Annotated[tuple[Level, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _fit(self) -> PiecewiseConstant:
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"values: {len(self.values)} for {len(self.boundaries)} boundaries. "
                f"Write {len(self.boundaries) + 1}, one more than boundaries."
            )
        if not max(self.values):
            raise ValueError("values: all are 0. Write at least one rate above 0.")
        check_rising("boundaries", self.boundaries)
        return self

    @property
    def base_lr(self) -> float:
        """The first value; the highest where the first is 0."""
        return self.values[0] or max(self.values)

    @property
    def after_end(self) -> After:
        """It holds its last value."""
        return "hold"

    def length(self, clock: Clock) -> int:
        """Steps until the last value."""
        return self.starts(clock)[-1]

    def starts(self, clock: Clock) -> list[int]:
        """The first step of each value but the first. Raises ValueError where they do not rise."""
        return rising_steps("boundaries", self.boundaries, clock)

    def whole_steps(self, clock: Clock) -> None:
        """Besides, the boundaries rise."""
        super().whole_steps(clock)
        self.starts(clock)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return np.asarray(self.values)[np.searchsorted(self.starts(clock), t, side="right")]


class PolynomialDecay(ScheduleModel):
    """From `initial` to `end` along a power. The end rate holds, or with `cycle` the length grows instead.

    ``lr(t) = (I - e) * (1 - x) ** k + e`` with ``x = min(t / T, 1)``; I = `initial`, e = `end`, k = `power`, T = `over`
    in steps. With `cycle`, ``x = t / (T * max(1, ceil(t / T)))``: at each multiple of T the rate is e, and the step
    after it is on the way down to the next multiple.

    Source: Keras, `PolynomialDecay`; PyTorch, `PolynomialLR` where e is 0 and there is no cycle.
    """

    kind: Literal["polynomial"] = Field(default="polynomial", repr=False)
    initial: Level
    end: Level
    power: float = Field(gt=0, le=100)
    over: DurationText
    cycle: bool

    @model_validator(mode="after")
    def _some_rate(self) -> PolynomialDecay:
        if not max(self.initial, self.end):
            raise ValueError("initial and end are both 0. Write one rate above 0.")
        return self

    @property
    def base_lr(self) -> float:
        """The initial rate; the end rate where that is 0."""
        return self.initial or self.end

    @property
    def after_end(self) -> After | None:
        """It holds its end rate; with `cycle` it has no end."""
        return None if self.cycle else "hold"

    def length(self, clock: Clock) -> int | None:
        """Steps until the end rate."""
        return None if self.cycle else clock.steps(self.over)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The larger of both rates: their difference and their sum are rounded at its size."""
        return np.full(np.asarray(step).shape, max(self.initial, self.end))

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """x and the power, rounded.

        ``|I - e| * (k * (1 - x) ** (k - 1) * x * 2**-24 + (1 - x) ** k * |ln(1 - x)| * |float32(k) - k|)``: x is a
        quotient in float32, and 1 - x keeps its error, which the power multiplies.
        """
        left = 1 - self._part(np.asarray(step, dtype=np.int64), clock)
        safe = np.where(left > 0, left, 1.0)
        of_x = self.power * safe ** (self.power - 1) * (1 - safe) * FLOAT32
        of_power = safe**self.power * np.abs(np.log(safe)) * float32_error(self.power) * self.power
        return np.asarray(abs(self.initial - self.end) * (of_x + of_power))

    def _part(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        if self.cycle:
            return np.asarray(t / (over * np.maximum(1, -(-t // over))))
        return np.asarray(np.minimum(t, over) / over)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        left = (1 - self._part(t, clock)) ** self.power
        return self.initial * left + self.end * (1 - left)  # exact at both ends


class Linear(ScheduleModel):
    """From `initial` to `end` in equal steps. The end rate holds.

    ``lr(t) = I + (e - I) * min(t / T, 1)`` with I = `initial`, e = `end`, T = `over` in steps.

    Source: Keras, `PolynomialDecay` with power 1; PyTorch, `LinearLR`.
    """

    kind: Literal["linear"] = Field(default="linear", repr=False)
    initial: Level
    end: Level
    over: DurationText

    @model_validator(mode="after")
    def _some_rate(self) -> Linear:
        if not max(self.initial, self.end):
            raise ValueError("initial and end are both 0. Write one rate above 0.")
        return self

    @property
    def base_lr(self) -> float:
        """The larger of both rates: `LinearLR` cannot go above what the optimizer was made with."""
        return max(self.initial, self.end)

    @property
    def after_end(self) -> After:
        """It holds its end rate."""
        return "hold"

    def length(self, clock: Clock) -> int:
        """Steps until the end rate."""
        return clock.steps(self.over)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The larger of both rates."""
        return np.full(np.asarray(step).shape, self.base_lr)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        part = np.minimum(t, over) / over
        return np.asarray(self.initial * (1 - part) + self.end * part)  # exact at both ends


def _periods(step: np.ndarray, every: int, staircase: bool) -> np.ndarray:
    """``t / E``, or its floor: float64."""
    return np.asarray((step // every).astype(np.float64) if staircase else step / every)
