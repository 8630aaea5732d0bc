"""From one rate to another in equal steps."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import Level, ScheduleModel, ratio, tidy
from samestep.experiment.schedules.calls import Call, Calls, Config, Counts, State, grouped, lambda_call, torch_call
from samestep.experiment.schedules.polynomial import PolynomialDecay


class Linear(ScheduleModel):
    """From `initial` to `end` in equal steps. The end rate holds.

    ``lr(t) = I + (e - I) * min(t / T, 1)`` with I = `initial`, e = `end`, T = `over` in steps.

    Source: Keras, `PolynomialDecay` with power 1; PyTorch, `LinearLR`.
    """

    EXAMPLES: ClassVar = {
        "linear": "linear:initial=0.1,end=0.01,over=4 epochs",
        "linear, from 0": "linear:initial=0,end=0.1,over=4 epochs",
    }
    ADDED: ClassVar = ("initial", "end")
    KERAS: ClassVar = PolynomialDecay.KERAS
    TORCH: ClassVar = {
        "LinearLR": {"start_factor": "initial", "end_factor": "end", "total_iters": "over"},
        **PolynomialDecay.TORCH,
    }

    AFTER: ClassVar = "hold"

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

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        if self.initial == self.end:  # exactly, at every step
            return np.full(t.shape, self.end)
        part = np.minimum(t, over) / over
        return np.asarray(self.initial * (1 - part) + self.end * part)  # exact at both ends

    def keras(self, count: Counts) -> Call:
        """`PolynomialDecay` of power 1."""
        return PolynomialDecay(initial=self.initial, end=self.end, power=1.0, over=self.over, cycle=False).keras(count)

    def _torch(self, count: Calls) -> Call:
        if not self.initial:
            return self.lambda_lr(count, "for LinearLR, which cannot start at 0")
        start, end = (ratio(rate, self.base_lr) for rate in (self.initial, self.end))
        over = count(self.over)
        return torch_call("LinearLR", self.base_lr, start_factor=start, end_factor=end, total_iters=over)

    def in_a_line(self, count: Calls) -> Call | None:
        """A line from 0."""
        if self.initial:
            return None
        return lambda_call(self.end, f"min(n / {grouped(count(self.over))}, 1)")

    @classmethod
    def from_keras(cls, config: Config) -> ScheduleModel:
        """A straight `PolynomialDecay`."""
        return cls._straight(PolynomialDecay.from_keras(config))

    @classmethod
    def from_torch(cls, state: State) -> ScheduleModel:
        """`LinearLR`, both ends of which are factors of base_lr, or a straight `PolynomialLR`."""
        if state.name == "PolynomialLR":
            return cls._straight(PolynomialDecay.from_torch(state))
        initial, end = (tidy(state.base_lr * state.number(key)) for key in ("start_factor", "end_factor"))
        return cls(initial=initial, end=end, over=state.count("total_iters"))

    @classmethod
    def _straight(cls, decay: ScheduleModel) -> ScheduleModel:
        """A decay of power 1 is linear, but for one in cycles."""
        if not isinstance(decay, PolynomialDecay) or decay.power != 1 or decay.cycle:
            return decay
        return cls(initial=decay.initial, end=decay.end, over=decay.over)
