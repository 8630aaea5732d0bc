"""From one rate to another along a power of the part that is done."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import Level, ScheduleModel
from samestep.experiment.schedules.calls import Call, Calls, grouped, lambda_call


class Power(ScheduleModel):
    """From `initial` to `end` along a power of the part that is done. The end rate holds.

    ``lr(t) = I + (e - I) * x ** k`` with ``x = min(t / T, 1)``; I = `initial`, e = `end`, k = `power`, T = `over` in
    steps. Down to 0 it is ``I * (1 - x ** k)``: with power 0.5, one minus the square root, fast at first. A
    `polynomial` is a power of the part that is left.

    Source: Transformers, the decay ``1-sqrt`` of `get_wsd_schedule`; Keras and PyTorch have none.
    """

    EXAMPLES: ClassVar = {
        "one minus the square root": "power:initial=0.1,end=0,power=0.5,over=4 epochs",
        "power, upwards": "power:initial=0,end=0.1,power=2,over=4 epochs",
    }
    ADDED: ClassVar = ("initial", "end")
    KERAS: ClassVar = {"Power": {}}
    AFTER: ClassVar = "hold"

    kind: Literal["power"] = Field(default="power", repr=False)
    initial: Level
    end: Level
    power: float = Field(gt=0, le=100)
    over: DurationText

    @model_validator(mode="after")
    def _some_rate(self) -> Power:
        if not max(self.initial, self.end):
            raise ValueError("initial and end are both 0. Write one rate above 0.")
        return self

    @property
    def base_lr(self) -> float:
        """The initial rate; the end rate where that is 0."""
        return self.initial or self.end

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        part = (np.minimum(t, over) / over) ** self.power
        return np.asarray(self.initial * (1 - part) + self.end * part)  # exact at both ends

    def in_a_line(self, count: Calls) -> Call:
        """A power of the part that is done."""
        part = f"min(n / {grouped(count(self.over))}, 1) ** {self.power!r}"
        if not self.initial:
            return lambda_call(self.end, part)
        return lambda_call(self.initial, f"1 - {1 - self.end / self.initial!r} * {part}" if self.end else f"1 - {part}")
