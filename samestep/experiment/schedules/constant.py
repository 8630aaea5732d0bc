"""One rate for the whole run."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.base import Peak, ScheduleModel
from samestep.experiment.schedules.calls import Call, Calls, Counts, torch_call


class Constant(ScheduleModel):
    """One rate for the whole run.

    ``lr(t) = I`` with I = `initial`.

    Source: Keras and PyTorch, a float as the optimizer's learning rate.
    """

    EXAMPLES: ClassVar = {"constant": "constant:initial=0.1"}
    KERAS: ClassVar = {"Constant": {}}

    kind: Literal["constant"] = Field(default="constant", repr=False)
    initial: Peak

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return np.full(t.shape, self.initial)

    def keras(self, count: Counts) -> Call:
        """A class of ours, where no float will do: as a part of another schedule."""
        return self.stand_in(count)

    def _torch(self, count: Calls) -> Call:
        return torch_call("ConstantLR", self.initial, factor=1.0, total_iters=0)
