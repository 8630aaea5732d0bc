"""A straight line up to another schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import OWN_RATES, After, ArrayLike, Level, ScheduleModel, as_part, in_turn, tidy
from samestep.experiment.schedules.calls import Call, Calls, Counts
from samestep.experiment.schedules.linear import Linear

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule


class Warmup(ScheduleModel):
    """A straight line from `initial` to where `then` begins, in W = `over` steps; then that, from its own step 0.

    ``lr(t) = i + (g - i) * t / W`` before step W, with i = `initial` and g the rate of `then` at its step 0; from
    step W on, ``then(t - W)``.

    Source: Keras, `CosineDecay` with warmup_target; PyTorch, `SequentialLR` of `LinearLR` and another.
    """

    EXAMPLES: ClassVar = {
        "warm-up, then cosine with hold": (
            "warmup:initial=0.001,over=1 epoch,then=(cosine:initial=0.1,floor=0,over=5 epochs,after=hold)"
        ),
        "warm-up, then cosine with rise": (
            "warmup:initial=0.001,over=1 epoch,then=(cosine:initial=0.1,floor=0,over=5 epochs,after=rise)"
        ),
        "warm-up, then any other": (
            "warmup:initial=0.001,over=1 epoch,then=(exponential:initial=0.1,factor=0.5,every=2 epochs,staircase)"
        ),
        "warm-up from 0": "warmup:initial=0,over=1 epoch,then=(constant:initial=0.1)",
    }
    KERAS: ClassVar = {"Warmup": {}}
    ALONE: ClassVar = True

    kind: Literal["warmup"] = Field(default="warmup", repr=False)
    initial: Level
    over: DurationText
    then: Schedule

    @property
    def after_end(self) -> After | None:
        """As the schedule it leads to."""
        return self.then.after_end

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the schedule it leads to."""
        length = self.then.length(clock)
        return None if length is None else length + clock.steps(self.over)

    def target(self, clock: Clock) -> float:
        """The rate that it warms up to."""
        return tidy(float(self.then.rate(0, clock)))

    def line(self, clock: Clock) -> Linear:
        """The way up."""
        return Linear(initial=self.initial, end=self.target(clock), over=self.over)

    def _split(self, step: ArrayLike, clock: Clock) -> tuple[np.ndarray, np.ndarray, int]:
        t, over = np.asarray(step, dtype=np.int64), clock.steps(self.over)
        return t < over, np.maximum(t, over), over

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        rising, later, over = self._split(t, clock)
        line = self.initial + (self.target(clock) - self.initial) * (np.minimum(t, over) / over)
        return np.where(rising, line, self.then.rate(later - over, clock))

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """On the way up the larger end of the line; then that of `then`."""
        rising, later, over = self._split(step, clock)
        scale = self.then.float32_scale(later - over, clock)
        return np.where(rising, max(self.initial, self.target(clock)), scale)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """None on the way up; then that of `then`."""
        rising, later, over = self._split(step, clock)
        return np.where(rising, 0.0, self.then.float32_drift(later - over, clock))

    def stand_in(
        self, count: Counts, within: Callable[[ScheduleModel], Call] | None = None, name: str | None = None
    ) -> Call:
        """Ours holds the rate that it warms up to as well."""
        call = super().stand_in(count, within, name)
        initial, *others = call.arguments.items()
        return replace(call, arguments=dict([initial, ("target", self.target(count.clock)), *others]))

    def keras(self, count: Counts) -> Call:
        """`CosineDecay` has a warm-up of its own; ours leads to any other."""
        then = self.then.keras(count)
        if then.short_name == "CosineDecay" and "warmup_target" not in then.arguments:
            warmup = {"warmup_target": self.then.base_lr, "warmup_steps": count(self.over)}
            return then.having(initial_learning_rate=self.initial, **warmup)
        note = "Warmup stands in: in Keras only CosineDecay has a warm-up."
        return replace(self.stand_in(count, lambda _: then), note=note)

    def _torch(self, count: Calls) -> Call:
        """`LinearLR` cannot start at 0, nor come from above."""
        if not self.initial:
            return self.lambda_lr(count, "for SequentialLR with LinearLR, which cannot start at 0")
        then, target = as_part(self.then, count), self.target(count.clock)
        if isinstance(then, Call) and self.initial <= target:
            return in_turn(self, [self.line(count.clock)._torch(count), then], [self.over], count)
        return self.lambda_lr(count, f"for SequentialLR{OWN_RATES if isinstance(then, Call) else then}")
