"""From one rate to another along a curve that is bent: a line, a cosine or a tanh, to a power."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import Level, ScheduleModel


class Curve(ScheduleModel):
    """From `initial` to `end` along a line, half a cosine or a tanh, bent by two powers. The end rate holds.

    ``lr(t) = e + (I - e) * c(x ** k) ** p`` with ``x = t / T`` before step T = `over`, and e from there on; I =
    `initial`, e = `end`, k = `k`, p = `power`. c(z) is ``1 - z`` for a `line`, ``(1 + cos(pi * z)) / 2`` for a
    `cosine`, and ``(1 - tanh(l * (1 - z) + u * z)) / 2`` for a `tanh`, with l = `lower` and u = `upper`.

    Source: timm, `TanhLRScheduler` and the k-decay of its cosine and polynomial; optax, the exponent of
    `cosine_decay_schedule`; Keras and PyTorch have none.
    """

    EXAMPLES: ClassVar = {
        "tanh": "curve:initial=0.1,end=0,over=4 epochs,shape=tanh",
        "k-decay": "curve:initial=0.1,end=0.001,over=4 epochs,shape=cosine,k=2",
        "cosine to a power": "curve:initial=0.1,end=0,over=4 epochs,shape=cosine,power=2",
    }
    ADDED: ClassVar = ("initial", "end")
    KERAS: ClassVar = {"Curve": {}}
    AFTER: ClassVar = "hold"

    kind: Literal["curve"] = Field(default="curve", repr=False)
    initial: Level
    end: Level
    over: DurationText
    shape: Literal["line", "cosine", "tanh"]
    power: float = Field(default=1.0, gt=0, le=100)
    k: float = Field(default=1.0, gt=0, le=100)
    lower: float = Field(default=-7.0, ge=-100, le=100)
    upper: float = Field(default=3.0, ge=-100, le=100)

    @model_validator(mode="after")
    def _makes_sense(self) -> Curve:
        if not max(self.initial, self.end):
            raise ValueError("initial and end are both 0. Write one rate above 0.")
        if self.lower >= self.upper:
            raise ValueError(f"lower: {self.lower} is not below upper {self.upper}. Write less.")
        if self.shape != "tanh" and (self.lower, self.upper) != (-7, 3):
            raise ValueError(f"lower and upper have no effect on a {self.shape}. Leave them out.")
        return self

    @property
    def base_lr(self) -> float:
        """The initial rate; the end rate where that is 0."""
        return self.initial or self.end

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        z = (np.minimum(t, over) / over) ** self.k
        match self.shape:
            case "line":
                part = 1 - z
            case "cosine":
                part = np.cos(np.pi / 2 * z) ** 2
            case _:
                part = (1 - np.tanh(self.lower * (1 - z) + self.upper * z)) / 2
        left = np.where(t < over, part**self.power, 0.0)
        return np.asarray(self.initial * left + self.end * (1 - left))
