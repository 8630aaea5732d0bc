"""Another schedule that is asked a few steps late or early."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import After, ArrayLike, ScheduleModel

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule


class Shift(ScheduleModel):
    """Another schedule, some steps `late` or `early`.

    ``lr(t) = of(max(t - L, 0))`` with L = `late`: its first rate holds for L steps more. ``lr(t) = of(t + E)`` with
    E = `early`: its first E steps are left out.

    Source: DeepSpeed, whose schedules are one step late, since their first `step()` is at step 0; PyTorch, a
    `scheduler.step()` before the first update, which makes any schedule one step early.
    """

    EXAMPLES: ClassVar = {
        "some steps late": "shift:of=(warmup:initial=0.001,over=1 epoch,then=(constant:initial=0.1)),late=1 epoch",
        "some steps early": "shift:of=(linear:initial=0.1,end=0,over=5 epochs),early=1 epoch",
    }
    KERAS: ClassVar = {"Shift": {}}

    kind: Literal["shift"] = Field(default="shift", repr=False)
    of: Schedule
    late: DurationText | None = None
    early: DurationText | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Shift:
        if self.late is not None and self.early is not None:
            raise ValueError("late and early are both there. Keep one.")
        if self.late is None and self.early is None:
            raise ValueError("late and early are both missing. Write late=1 step, or early=1 step.")
        return self

    @property
    def after_end(self) -> After | None:
        """As the schedule that is shifted."""
        return self.of.after_end

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the schedule that is shifted."""
        length = self.of.length(clock)
        return None if length is None else max(0, length + self._by(clock))

    def whole_steps(self, clock: Clock) -> None:
        """Besides, it doesn't begin after an end that is an error."""
        super().whole_steps(clock)
        if self.after_end == "error" and self.length(clock) == 0:
            raise ValueError(f"early: '{self.early}' leaves out all of the schedule. Write less.")

    def _by(self, clock: Clock) -> int:
        """The steps by which it is late; below 0 where it is early."""
        late, early = (0 if each is None else clock.steps(each) for each in (self.late, self.early))
        return late - early

    def _asked(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The steps at which the schedule is asked."""
        return np.maximum(np.asarray(step, dtype=np.int64) - self._by(clock), 0)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return self.of.rate(self._asked(t, clock), clock)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule where it is asked."""
        return self.of.float32_scale(self._asked(step, clock), clock)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule where it is asked."""
        return self.of.float32_drift(self._asked(step, clock), clock)
