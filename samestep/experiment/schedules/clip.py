"""Another schedule that never falls below a lowest rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.base import FLOAT32, After, ArrayLike, Peak, ScheduleModel

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule


class Clip(ScheduleModel):
    """Another schedule, but never below `lowest`.

    ``lr(t) = max(of(t), m)`` with m = `lowest`.

    Source: optax, the end_value of `exponential_decay`; GPT-NeoX, min_lr; Keras and PyTorch have none.
    """

    EXAMPLES: ClassVar = {
        "clip at a lowest rate": "clip:lowest=0.004,of=(exponential:initial=0.1,factor=0.5,every=1 epoch)"
    }
    KERAS: ClassVar = {"Clip": {}}

    kind: Literal["clip"] = Field(default="clip", repr=False)
    lowest: Peak
    of: Schedule

    @property
    def after_end(self) -> After | None:
        """As the schedule that it clips."""
        return self.of.after_end

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the schedule that it clips."""
        return self.of.length(clock)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return np.asarray(np.maximum(self.of.rate(t, clock), self.lowest))

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule where float32 may find it above `lowest`."""
        return np.where(self._is_above(step, clock), self.of.float32_scale(step, clock), 0.0)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule where float32 may find it above `lowest`."""
        return np.where(self._is_above(step, clock), self.of.float32_drift(step, clock), 0.0)

    def _is_above(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        rate, drift = self.of.rate(step, clock), self.of.float32_drift(step, clock)
        rounding = 16 * FLOAT32 * np.maximum(rate, self.of.float32_scale(step, clock))  # 8 ULP
        return np.asarray(rate + drift + rounding >= self.lowest)
