"""A line or a curve up to another schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import OWN_RATES, After, ArrayLike, Level, ScheduleModel, as_part, in_turn, tidy
from samestep.experiment.schedules.calls import Call, Calls, Counts
from samestep.experiment.schedules.linear import Linear

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule


class Warmup(ScheduleModel):
    """From `initial` to where `then` begins, in W = `over` steps; then that, from its own step 0.

    ``lr(t) = i + (g - i) * c(t)`` before step W, with i = `initial` and g the rate of `then` at its step 0; from
    step W on, ``then(t - W)``. With `overlaps` the warm-up lies over the first W steps of `then` instead of before
    them: from step W on, ``then(t)``. Where it `joins` as well, g is the rate of `then` at its step W.

    ``c(t) = t / W``, a line, where `curve` is not given; ``log(t + 1) / log(W)``, which is at g one step early, where
    it is ``logarithm`` (W is at least 2 there); ``(1 - cos(pi * t / W)) / 2`` where it is ``cosine``.

    Source: Keras, `CosineDecay` with warmup_target; PyTorch, `SequentialLR` of `LinearLR` and another; the logarithm,
    DeepSpeed's `WarmupLR`; half a cosine, Transformers' `get_wsd_schedule`; overlapping, timm, whose warmup_prefix
    says no; joining, detectron2's `WarmupParamScheduler`.
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
        "warm-up, logarithm": "warmup:initial=0,over=1 epoch,then=(constant:initial=0.1),curve=logarithm",
        "warm-up, half a cosine": (
            "warmup:initial=0.001,over=1 epoch,then=(linear:initial=0.1,end=0,over=4 epochs),curve=cosine"
        ),
        "warm-up over the beginning": (
            "warmup:initial=0.001,over=1 epoch,then=(cosine:initial=0.1,floor=0,over=4 epochs,after=hold),overlaps"
        ),
        "warm-up over the beginning, joining": (
            "warmup:initial=0,over=1 epoch,then=(cosine:initial=0.1,floor=0,over=4 epochs,after=hold),overlaps,joins"
        ),
    }
    KERAS: ClassVar = {"Warmup": {}, "AnyWarmup": {}}
    SAYS: ClassVar = {"Warmup": {"curve": "linear", "overlaps": False, "joins": False}}
    ALONE: ClassVar = True

    kind: Literal["warmup"] = Field(default="warmup", repr=False)
    initial: Level
    over: DurationText
    then: Schedule
    curve: Literal["linear", "logarithm", "cosine"] = "linear"
    overlaps: bool = False
    joins: bool = False

    @model_validator(mode="after")
    def _joins_what_goes_on(self) -> Warmup:
        if self.joins and not self.overlaps:
            raise ValueError("joins has no effect without overlaps. Leave it out, or write overlaps as well.")
        return self

    @property
    def is_line_before(self) -> bool:
        """Whether it is a straight line, before the schedule: the warm-up that both frameworks have."""
        return self.curve == "linear" and not self.overlaps

    @property
    def stretches(self) -> bool:
        """Not along a logarithm, which is that of the step."""
        return self.curve != "logarithm" and super().stretches

    @property
    def after_end(self) -> After | None:
        """As the schedule it leads to."""
        return self.then.after_end

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the schedule it leads to."""
        length, over = self.then.length(clock), clock.steps(self.over)
        return None if length is None else max(length, over) if self.overlaps else length + over

    def target(self, clock: Clock) -> float:
        """The rate that it warms up to."""
        return tidy(float(self.then.rate(clock.steps(self.over) if self.joins else 0, clock)))

    def line(self, clock: Clock) -> Linear:
        """The way up, where it is straight."""
        return Linear(initial=self.initial, end=self.target(clock), over=self.over)

    def _split(self, step: ArrayLike, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
        """Which steps warm up, and the step of `then` that the others ask."""
        t, over = np.asarray(step, dtype=np.int64), clock.steps(self.over)
        return t < over, np.maximum(t, over) - (0 if self.overlaps else over)

    def _part(self, t: np.ndarray, over: int) -> np.ndarray:
        """The part of the way up that is done at steps from 0 to `over`."""
        if self.curve == "logarithm":
            return np.asarray(np.log1p(t) / np.log(max(over, 2)))
        return np.asarray(np.sin(np.pi / 2 * (t / over)) ** 2 if self.curve == "cosine" else t / over)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        rising, later = self._split(t, clock)
        over = clock.steps(self.over)
        way = self.initial + (self.target(clock) - self.initial) * self._part(np.minimum(t, over), over)
        return np.where(rising, way, self.then.rate(later, clock))

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """On the way up its larger end; then that of `then`."""
        rising, later = self._split(step, clock)
        scale = self.then.float32_scale(later, clock)
        return np.where(rising, max(self.initial, self.target(clock)), scale)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """None on the way up; then that of `then`."""
        rising, later = self._split(step, clock)
        return np.where(rising, 0.0, self.then.float32_drift(later, clock))

    def stand_in(
        self, count: Counts, within: Callable[[ScheduleModel], Call] | None = None, name: str | None = None
    ) -> Call:
        """Ours holds the rate that it warms up to as well."""
        call = super().stand_in(count, within, name or ("Warmup" if self.is_line_before else "AnyWarmup"))
        initial, *others = call.arguments.items()
        return replace(call, arguments=dict([initial, ("target", self.target(count.clock)), *others]))

    def keras(self, count: Counts) -> Call:
        """`CosineDecay` has a warm-up of its own; ours leads to any other."""
        then = self.then.keras(count)
        if self.is_line_before and then.short_name == "CosineDecay" and "warmup_target" not in then.arguments:
            warmup = {"warmup_target": self.then.base_lr, "warmup_steps": count(self.over)}
            return then.having(initial_learning_rate=self.initial, **warmup)
        stand_in = self.stand_in(count, lambda _: then)
        only = "in Keras only CosineDecay has a warm-up" + (
            "" if self.is_line_before else ", a straight line before it"
        )
        return replace(stand_in, note=f"{stand_in.name} stands in: {only}.")

    def _torch(self, count: Calls) -> Call:
        """`LinearLR` is a line, cannot start at 0, nor come from above; `SequentialLR` puts it before the other."""
        if self.curve != "linear":
            return self.lambda_lr(count, "for SequentialLR with LinearLR, which is a straight line")
        if self.overlaps:
            return self.lambda_lr(count, "for SequentialLR, whose next scheduler begins at its own step 0")
        if not self.initial:
            return self.lambda_lr(count, "for SequentialLR with LinearLR, which cannot start at 0")
        then, target = as_part(self.then, count), self.target(count.clock)
        if isinstance(then, Call) and self.initial <= target:
            return in_turn(self, [self.line(count.clock)._torch(count), then], [self.over], count)
        return self.lambda_lr(count, f"for SequentialLR{OWN_RATES if isinstance(then, Call) else then}")
