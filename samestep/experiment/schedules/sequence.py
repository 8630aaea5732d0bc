"""One schedule after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, Duration, DurationText
from samestep.experiment.schedules.base import (
    After,
    ArrayLike,
    ScheduleModel,
    as_part,
    check_rising,
    in_turn,
    rising_steps,
)
from samestep.experiment.schedules.calls import Call, Calls, State, counted, number
from samestep.experiment.schedules.linear import Linear
from samestep.experiment.schedules.warmup import Warmup

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule


class Sequence(ScheduleModel):
    """One schedule after the other. A milestone is the first step of the next one, which begins at its own step 0.

    Source: PyTorch, `SequentialLR`; Keras has none.
    """

    EXAMPLES: ClassVar = {
        "sequence, all from one rate": (
            "sequence:schedules=[(constant:initial=0.1),(exponential:initial=0.1,factor=0.5,every=1 epoch),"
            "(polynomial:initial=0.1,end=0,power=2,over=2 epochs)],milestones=[1 epoch,4 epochs]"
        ),
        "sequence, any": (
            "sequence:schedules=[(constant:initial=0.1),(inverse-time:initial=0.05,decay_rate=1,every=1 epoch)],"
            "milestones=[2 epochs]"
        ),
    }
    KERAS: ClassVar = {"Sequence": {}}
    TORCH: ClassVar = {"SequentialLR": {"_schedulers": "schedules", "_milestones": "milestones"}}
    NAMES: ClassVar = {"milestones": "milestones"}
    ALONE: ClassVar = True

    kind: Literal["sequence"] = Field(default="sequence", repr=False)
    schedules: Annotated[tuple[Schedule, ...], Field(strict=False, min_length=2)]
    milestones: Annotated[tuple[DurationText, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _fit(self) -> Sequence:
        if len(self.milestones) != len(self.schedules) - 1:
            raise ValueError(
                f"milestones: {len(self.milestones)} for {len(self.schedules)} schedules. "
                f"Write {max(1, len(self.schedules) - 1)}, one less than schedules."
            )
        check_rising("milestones", self.milestones)
        return self

    @property
    def after_end(self) -> After | None:
        """As the last schedule."""
        return self.schedules[-1].after_end

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the last schedule."""
        length = self.schedules[-1].length(clock)
        return None if length is None else length + self.starts(clock)[-1]

    def starts(self, clock: Clock) -> list[int]:
        """The first step of each schedule. Raises ValueError where they do not rise."""
        return [0, *rising_steps("milestones", self.milestones, clock)]

    def whole_steps(self, clock: Clock) -> None:
        """Besides, the milestones rise, and none is asked after an end that is an error."""
        super().whole_steps(clock)
        starts = self.starts(clock)
        for index, schedule in enumerate(self.schedules):
            length = schedule.length(clock)
            if schedule.after_end == "error" and length is not None and index < len(starts) - 1:
                lasts = starts[index + 1] - starts[index]
                if length < lasts:
                    raise ValueError(
                        f"schedules[{index}] ends after {length} steps, but lasts {lasts} here. "
                        "Make it as long, or write after hold."
                    )

    def _each(self, what: str, step: ArrayLike, clock: Clock) -> np.ndarray:
        t = np.asarray(step, dtype=np.int64)
        starts = self.starts(clock)
        found = np.empty(t.shape)
        at = np.searchsorted(starts, t, side="right") - 1
        for index, (start, schedule) in enumerate(zip(starts, self.schedules, strict=True)):
            here = at == index
            if here.any():
                found[here] = getattr(schedule, what)(t[here] - start, clock)
        return found

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return self._each("rate", t, clock)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule at hand."""
        return self._each("float32_scale", step, clock)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule at hand."""
        return self._each("float32_drift", step, clock)

    def _torch(self, count: Calls) -> Call:
        parts = [as_part(each, count) for each in self.schedules]
        fault = next((each for each in parts if isinstance(each, str)), None)
        if fault is not None:
            return self.lambda_lr(count, f"for SequentialLR{fault}")
        return in_turn(self, [each for each in parts if isinstance(each, Call)], self.milestones, count)

    @classmethod
    def from_torch(cls, state: State) -> ScheduleModel:
        """A line that ends where the other begins, and when, is a warm-up."""
        begun = sum(number("milestones", each) <= 0 for each in state["_milestones"])  # a scheduler of no calls
        parts = [schedule for _, schedule in state.within(None)][begun:]
        milestones = tuple(counted("milestones", each, state.stepping) for each in state["_milestones"][begun:])
        return one_after_the_other(parts, milestones, state.clock)


def one_after_the_other(parts: list[Schedule], milestones: tuple[Duration, ...], clock: Clock) -> Schedule:
    """A sequence; where it is a line that ends where the other begins, and when, a warm-up; one alone as it is."""
    if len(parts) == 1:
        return parts[0]
    line, then = parts[0], parts[1]
    if len(parts) == 2 and isinstance(line, Linear) and line.over == milestones[0]:
        warmup = Warmup(initial=line.initial, over=line.over, then=then)
        if warmup.target(clock) == line.end:
            return warmup
    return Sequence(schedules=tuple(parts), milestones=milestones)
