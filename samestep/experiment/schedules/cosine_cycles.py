"""Half a cosine several times in a given length."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import FLOAT32, ArrayLike, Level, Peak, ScheduleModel
from samestep.experiment.schedules.calls import Call, Calls, grouped, lambda_call
from samestep.experiment.schedules.cosine import half_cosine


class CosineCycles(ScheduleModel):
    """Half a cosine from `initial` to `floor`, `cycles` times within `over`. The floor holds.

    ``lr = f + (I - f) * (1 + cos(pi * x)) / 2`` with ``x = (c * t / T) mod 1`` before step T, and f from there; I =
    `initial`, f = `floor`, c = `cycles`, T = `over` in steps. A cycle need not be a whole number of steps. Where it is,
    `cosine-restarts` with that `first` is the same before T.

    Source: Transformers, `get_cosine_with_hard_restarts_schedule_with_warmup`, whose floor is 0.
    """

    EXAMPLES: ClassVar = {
        "cosine cycles": "cosine-cycles:initial=0.1,floor=0,over=4 epochs,cycles=3",
        "cosine cycles, a part of one": "cosine-cycles:initial=0.1,floor=0.01,over=4 epochs,cycles=2.5",
    }
    KERAS: ClassVar = {"CosineCycles": {}}
    AFTER: ClassVar = "hold"

    kind: Literal["cosine-cycles"] = Field(default="cosine-cycles", repr=False)
    initial: Peak
    floor: Level
    over: DurationText
    cycles: float = Field(gt=0, le=10_000)

    @model_validator(mode="after")
    def _floor_is_low(self) -> CosineCycles:
        if self.floor > self.initial:
            raise ValueError(f"floor: {self.floor} is above initial {self.initial}. Write a floor of at most initial.")
        return self

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        part = np.where(t < over, np.mod(self.cycles * t, over) / over, 1.0)
        return half_cosine(self.initial, self.floor, part)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The rate at which each cycle begins."""
        return np.full(np.asarray(step).shape, self.initial)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The place within the cycle, where the part of the whole length was rounded to float32 before it."""
        done = np.minimum(np.asarray(step) / clock.steps(self.over), 1.0)
        return np.asarray(self.initial * np.minimum(np.pi / 2 * self.cycles * done * FLOAT32, 1.0))

    def in_a_line(self, count: Calls) -> Call:
        """The place within the cycle in a cosine, and nothing but the floor from the end on."""
        over = grouped(count(self.over))
        cosine = f"(1 + math.cos(math.pi * ({self.cycles!r} * n / {over} % 1))) / 2 * (n < {over})"
        low = self.floor / self.initial
        return lambda_call(self.initial, f"{low!r} + {1 - low!r} * {cosine}" if low else cosine)
