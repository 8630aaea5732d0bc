"""Schedules made of schedules: a warm-up before one, one after the other, one times the other."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from experiment.clock import Clock, DurationText
from experiment.schedules.base import After, ArrayLike, Level, ScheduleModel, check_rising, rising_steps, tidy
from experiment.schedules.cosine import CosineDecay, CosineRestarts
from experiment.schedules.cycles import Cyclic, OneCycle
from experiment.schedules.decays import (
    Constant,
    ExponentialDecay,
    InverseTimeDecay,
    Linear,
    PiecewiseConstant,
    PolynomialDecay,
)


class Warmup(ScheduleModel):
    """A straight line from `initial` to where `then` begins, in W = `over` steps; then that, from its own step 0.

    ``lr(t) = i + (g - i) * t / W`` before step W, with i = `initial` and g the rate of `then` at its step 0; from
    step W on, ``then(t - W)``.

    Source: Keras, `CosineDecay` with warmup_target; PyTorch, `SequentialLR` of `LinearLR` and another.
    """

    kind: Literal["warmup"] = Field(default="warmup", repr=False)
    initial: Level
    over: DurationText
    then: Schedule

    @property
    def base_lr(self) -> float:
        """That of the schedule it leads to."""
        return self.then.base_lr

    @property
    def after_end(self) -> After | None:
        """As the schedule it leads to."""
        return self.then.after_end

    @property
    def stretches(self) -> bool:
        """As the schedule it leads to."""
        return self.then.stretches

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the schedule it leads to."""
        length = self.then.length(clock)
        return None if length is None else length + clock.steps(self.over)

    def target(self, clock: Clock) -> float:
        """The rate that it warms up to."""
        return tidy(float(self.then.rate(0, clock)))

    def whole_steps(self, clock: Clock) -> None:
        """Besides, the schedule it leads to fits."""
        super().whole_steps(clock)
        self.then.whole_steps(clock)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """On the way up the larger end of the line; then that of `then`."""
        rising, later, over = self._split(step, clock)
        scale = self.then.float32_scale(later - over, clock)
        return np.where(rising, max(self.initial, self.target(clock)), scale)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """None on the way up; then that of `then`."""
        rising, later, over = self._split(step, clock)
        return np.where(rising, 0.0, self.then.float32_drift(later - over, clock))

    def _split(self, step: ArrayLike, clock: Clock) -> tuple[np.ndarray, np.ndarray, int]:
        t, over = np.asarray(step, dtype=np.int64), clock.steps(self.over)
        return t < over, np.maximum(t, over), over

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        rising, later, over = self._split(t, clock)
        line = self.initial + (self.target(clock) - self.initial) * (np.minimum(t, over) / over)
        return np.where(rising, line, self.then.rate(later - over, clock))


class Sequence(ScheduleModel):
    """One schedule after the other. A milestone is the first step of the next one, which begins at its own step 0.

    Source: PyTorch, `SequentialLR`; Keras has none.
    """

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
    def base_lr(self) -> float:
        """That of the first schedule."""
        return self.schedules[0].base_lr

    @property
    def after_end(self) -> After | None:
        """As the last schedule."""
        return self.schedules[-1].after_end

    @property
    def stretches(self) -> bool:
        """Where all of them do."""
        return all(each.stretches for each in self.schedules)

    def length(self, clock: Clock) -> int | None:
        """Steps until the end of the last schedule."""
        length = self.schedules[-1].length(clock)
        return None if length is None else length + self.starts(clock)[-1]

    def starts(self, clock: Clock) -> list[int]:
        """The first step of each schedule. Raises ValueError where they do not rise."""
        return [0, *rising_steps("milestones", self.milestones, clock)]

    def whole_steps(self, clock: Clock) -> None:
        """Besides, the milestones rise, each schedule fits, and none is asked after an end that is an error."""
        super().whole_steps(clock)
        starts = self.starts(clock)
        for index, schedule in enumerate(self.schedules):
            schedule.whole_steps(clock)
            length = schedule.length(clock)
            if schedule.after_end == "error" and length is not None and index < len(starts) - 1:
                lasts = starts[index + 1] - starts[index]
                if length < lasts:
                    raise ValueError(
                        f"schedules[{index}] ends after {length} steps, but lasts {lasts} here. "
                        "Make it as long, or write after hold."
                    )

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule at hand."""
        return self._each("float32_scale", step, clock)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """That of the schedule at hand."""
        return self._each("float32_drift", step, clock)

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


class Product(ScheduleModel):
    """One schedule times another. The first carries the rate; the others, beginning at 1, are factors of it.

    Source: PyTorch, `ChainedScheduler` of schedulers that multiply; Keras has none.
    """

    kind: Literal["product"] = Field(default="product", repr=False)
    schedules: Annotated[tuple[Schedule, ...], Field(strict=False, min_length=2)]

    @property
    def base_lr(self) -> float:
        """The product of theirs."""
        return float(np.prod([each.base_lr for each in self.schedules]))

    @property
    def after_end(self) -> After | None:
        """``error`` where one of them may not be asked any more, ``rise`` where one rises, ``hold`` where all hold."""
        ends = {each.after_end for each in self.schedules}
        return "error" if "error" in ends else "rise" if "rise" in ends else "hold" if ends == {"hold"} else None

    @property
    def stretches(self) -> bool:
        """Where all of them do."""
        return all(each.stretches for each in self.schedules)

    def length(self, clock: Clock) -> int | None:
        """Steps until the first end that is an error or rises; until the last one where all hold."""
        ends = [each.length(clock) or 0 for each in self.schedules if each.after_end == self.after_end]
        if self.after_end is None:
            return None
        return max(ends) if self.after_end == "hold" else min(ends)

    def whole_steps(self, clock: Clock) -> None:
        """Besides, each schedule fits."""
        super().whole_steps(clock)
        for each in self.schedules:
            each.whole_steps(clock)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Each one's, times the rates of the others, added up."""
        return np.asarray(self._others("float32_scale", step, clock) + self.rate(step, clock))

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """Each one's, times the rates of the others, added up."""
        return self._others("float32_drift", step, clock)

    def _others(self, what: str, step: ArrayLike, clock: Clock) -> np.ndarray:
        rates = [each.rate(step, clock) for each in self.schedules]
        total = np.zeros(np.asarray(step).shape)
        for index, each in enumerate(self.schedules):
            others = [rate for place, rate in enumerate(rates) if place != index]
            mine = getattr(each, what)(step, clock)
            mine = np.maximum(mine, rates[index]) if what == "float32_scale" else mine
            total += mine * np.prod(others, axis=0)
        return total

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return np.asarray(np.prod([each.rate(t, clock) for each in self.schedules], axis=0))


Schedule = Annotated[
    Constant
    | ExponentialDecay
    | InverseTimeDecay
    | PiecewiseConstant
    | PolynomialDecay
    | Linear
    | CosineDecay
    | CosineRestarts
    | OneCycle
    | Cyclic
    | Warmup
    | Sequence
    | Product,
    Field(discriminator="kind"),
]
"""Any of the vocabulary; the kind says which."""
