"""A rate divided by a number that grows evenly."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import ArrayLike, Peak, ScheduleModel, periods, periods_in_float32
from samestep.experiment.schedules.calls import Call, Calls, Config, counted, grouped, lambda_call
from samestep.experiment.schedules.constant import Constant


class InverseTimeDecay(ScheduleModel):
    """A rate divided by a number that grows evenly. It has no end.

    ``lr(t) = I / (1 + d * p)`` with ``p = t / E``, or its floor where `staircase`;
    I = `initial`, d = `decay_rate`, E = `every` in steps. Step E is the first with p = 1.

    Source: Keras, `InverseTimeDecay`; PyTorch has none.
    """

    EXAMPLES: ClassVar = {"inverse time": "inverse-time:initial=0.1,decay_rate=0.5,every=1 epoch,staircase"}
    KERAS: ClassVar = {
        "InverseTimeDecay": {"decay_steps": "every", "decay_rate": "decay_rate", "staircase": "staircase"}
    }

    kind: Literal["inverse-time"] = Field(default="inverse-time", repr=False)
    initial: Peak
    decay_rate: float = Field(gt=0, le=1e6)
    every: DurationText
    staircase: bool

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return self.initial / (1 + self.decay_rate * periods(t, clock.steps(self.every), self.staircase))

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The whole decay where compiled code has a staircase's a step late, as it multiplies by 1 / E."""
        steps, every = np.asarray(step), clock.steps(self.every)
        if not self.staircase:
            return super().float32_drift(step, clock)
        late = self.initial / (1 + self.decay_rate * periods_in_float32(steps, every))
        return np.asarray(np.abs(late - self.rate(steps, clock)))

    @classmethod
    def from_keras(cls, config: Config) -> ScheduleModel:
        """One that counts in fractions is smooth; a decay rate of 0 is none."""
        initial, steps, decay_rate = (config[key] for key in ("initial_learning_rate", "decay_steps", "decay_rate"))
        if decay_rate == 0:
            return Constant(initial=initial)
        if config["staircase"] or steps == int(steps):
            return super().from_keras(config)
        every = counted("decay_steps", 1, config.stepping)
        return cls(initial=initial, decay_rate=decay_rate / steps, every=every, staircase=False)

    def in_a_line(self, count: Calls) -> Call:
        """A quotient."""
        divide = "//" if self.staircase else "/"
        return lambda_call(self.initial, f"1 / (1 + {self.decay_rate!r} * (n {divide} {grouped(count(self.every))}))")
