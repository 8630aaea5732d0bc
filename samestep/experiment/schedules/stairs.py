"""Another schedule that is looked up every so many steps, and held in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import After, ArrayLike, ScheduleModel

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule


class Stairs(ScheduleModel):
    """Another schedule in stairs: it is looked up every E steps, and its rate holds in between.

    ``lr(t) = of(E * floor(t / E))`` with E = `every`.

    Source: DeepSpeed, the stair counts of `OneCycle`; Lightning, a `frequency` above 1; Keras and PyTorch have none.
    """

    EXAMPLES: ClassVar = {"stairs": "stairs:every=1 epoch,of=(linear:initial=0.1,end=0,over=4 epochs)"}
    KERAS: ClassVar = {"Stairs": {}}

    kind: Literal["stairs"] = Field(default="stairs", repr=False)
    every: DurationText
    of: Schedule

    @property
    def after_end(self) -> After | None:
        """As the schedule that is looked up."""
        return self.of.after_end

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the last stair."""
        length, every = self.of.length(clock), clock.steps(self.every)
        return None if length is None else -(-length // every) * every

    def _asked(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The steps at which the schedule is looked up."""
        steps, every = np.asarray(step, dtype=np.int64), clock.steps(self.every)
        return steps - steps % every

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return self.of.rate(self._asked(t, clock), clock)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule where it is looked up."""
        return self.of.float32_scale(self._asked(step, clock), clock)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule where it is looked up."""
        return self.of.float32_drift(self._asked(step, clock), clock)
