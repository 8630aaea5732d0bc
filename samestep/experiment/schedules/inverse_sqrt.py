"""A rate that falls with a power of the step: the inverse square root."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import Peak, ScheduleModel
from samestep.experiment.schedules.calls import Call, Calls, grouped, lambda_call


class InverseSqrt(ScheduleModel):
    """A rate that falls with a power of the step, fast at first and ever slower. It has no end.

    ``lr(t) = I * (T / (t + T)) ** k`` with I = `initial`, T = `timescale` in steps, k = `power`, the square root's 0.5
    where it is not given. After 3 T steps the square root has halved the rate.

    Source: Transformers, `get_inverse_sqrt_schedule` after its warm-up, whose length is T where no timescale is given;
    Keras and PyTorch have none.
    """

    EXAMPLES: ClassVar = {"inverse square root": "inverse-sqrt:initial=0.1,timescale=1 epoch"}
    KERAS: ClassVar = {"InverseSqrt": {}}

    kind: Literal["inverse-sqrt"] = Field(default="inverse-sqrt", repr=False)
    initial: Peak
    timescale: DurationText
    power: float = Field(default=0.5, gt=0, le=100)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        timescale = clock.steps(self.timescale)
        return np.asarray(self.initial * (timescale / (t + timescale)) ** self.power)

    def in_a_line(self, count: Calls) -> Call:
        """A quotient to a power."""
        timescale = grouped(count(self.timescale))
        return lambda_call(self.initial, f"({timescale} / (n + {timescale})) ** {self.power!r}")
