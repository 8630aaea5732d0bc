"""From one rate to another along a power."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import FLOAT32, After, ArrayLike, Level, ScheduleModel, float32_error
from samestep.experiment.schedules.calls import Call, Calls


class PolynomialDecay(ScheduleModel):
    """From `initial` to `end` along a power. The end rate holds, or with `cycle` the length grows instead.

    ``lr(t) = (I - e) * (1 - x) ** k + e`` with ``x = min(t / T, 1)``; I = `initial`, e = `end`, k = `power`, T = `over`
    in steps. With `cycle`, ``x = t / (T * max(1, ceil(t / T)))``: at each multiple of T the rate is e, and the step
    after it is on the way down to the next multiple.

    Source: Keras, `PolynomialDecay`; PyTorch, `PolynomialLR` where e is 0 and there is no cycle.
    """

    EXAMPLES: ClassVar = {
        "polynomial, to 0": "polynomial:initial=0.1,end=0,power=2,over=4 epochs",
        "polynomial, to an end rate": "polynomial:initial=0.1,end=0.01,power=2,over=4 epochs",
        "polynomial, cycle": "polynomial:initial=0.1,end=0.01,power=0.5,over=2 epochs,cycle",
    }
    ADDED: ClassVar = ("initial", "end")
    KERAS: ClassVar = {
        "PolynomialDecay": {"decay_steps": "over", "end_learning_rate": "end", "power": "power", "cycle": "cycle"}
    }
    TORCH: ClassVar = {"PolynomialLR": {"total_iters": "over", "power": "power"}}
    SAYS: ClassVar = {"PolynomialLR": {"end": 0.0, "cycle": False}}

    kind: Literal["polynomial"] = Field(default="polynomial", repr=False)
    initial: Level
    end: Level
    power: float = Field(ge=0, le=100)
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

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        if self.initial == self.end:  # exactly, at every step
            return np.full(t.shape, self.end)
        left = (1 - self._part(t, clock)) ** self.power
        return self.initial * left + self.end * (1 - left)  # exact at both ends

    def _part(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        if self.cycle:
            return np.asarray(t / (over * np.maximum(1, -(-t // over))))
        return np.asarray(np.minimum(t, over) / over)

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

    def _torch(self, count: Calls) -> Call:
        if self.end or self.cycle:
            return self.lambda_lr(count, "for PolynomialLR, which falls to 0 and has no cycle")
        return self.native("PolynomialLR", count)
