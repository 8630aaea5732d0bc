"""Half a cosine, again and again."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import FLOAT32, ArrayLike, Level, Peak, ScheduleModel, ratio, tidy
from samestep.experiment.schedules.calls import Call, Calls, Config, Counts
from samestep.experiment.schedules.cosine import CosineDecay, half_cosine


class CosineRestarts(ScheduleModel):
    """Half a cosine from `initial` to `floor`, started afresh at the end of each period. It has no end.

    Period i is ``T * t_mul ** i`` steps long and falls from ``f + (I - f) * m_mul ** i``:
    ``lr = f + (I - f) * m_mul ** i * (1 + cos(pi * x)) / 2`` with x the part of period i that is over.
    I = `initial`, f = `floor`, T = `first` in steps. The step at which a period ends is the first of the next.

    Source: Keras, `CosineDecayRestarts`, whose alpha is f / I; PyTorch, `CosineAnnealingWarmRestarts`, whose eta_min is
    f, where m_mul is 1 and t_mul whole. Loshchilov and Hutter, SGDR, 2017.
    """

    EXAMPLES: ClassVar = {
        "cosine restarts, m_mul 1, t_mul whole": (
            "cosine-restarts:initial=0.1,floor=0.01,first=1 epoch,t_mul=2,m_mul=1"
        ),
        "cosine restarts, any m_mul": "cosine-restarts:initial=0.1,floor=0.01,first=1 epoch,t_mul=2,m_mul=0.5",
        "cosine restarts, any t_mul": "cosine-restarts:initial=0.1,floor=0,first=2 epochs,t_mul=1.5,m_mul=1",
    }
    KERAS: ClassVar = {
        "CosineDecayRestarts": {"first_decay_steps": "first", "t_mul": "t_mul", "m_mul": "m_mul"},
        "CosineRestarts": {},
    }
    SAYS: ClassVar = {"CosineAnnealingWarmRestarts": {"m_mul": 1.0}}
    TORCH: ClassVar = {"CosineAnnealingWarmRestarts": {"T_0": "first", "T_mult": "t_mul", "eta_min": "floor"}}

    kind: Literal["cosine-restarts"] = Field(default="cosine-restarts", repr=False)
    initial: Peak
    floor: Level
    first: DurationText
    t_mul: float = Field(gt=0, le=100)
    m_mul: float = Field(gt=0, le=100)

    @model_validator(mode="after")
    def _floor_is_low(self) -> CosineRestarts:
        if self.floor > self.initial and self.m_mul > 1:
            raise ValueError(
                f"floor: {self.floor} is above initial {self.initial}, and m_mul {self.m_mul} takes the rates below 0. "
                "Write a floor of at most initial, or an m_mul of at most 1."
            )
        if self.t_mul < 1:
            ends = f"{float(self.first.count / (1 - Fraction(self.t_mul))):g} {self.first.unit}"
            raise ValueError(
                f"t_mul: {self.t_mul} shrinks the periods to nothing until {ends}, and Keras gives no rate from there. "
                "Write at least 1."
            )
        if 1 < self.t_mul < 1.001:
            raise ValueError(
                f"t_mul: {self.t_mul} is too near 1 to tell the periods apart. Write 1, or 1.001 and more."
            )
        return self

    def begins(self, first: int, last: int) -> np.ndarray:
        """Where each period begins, as far as `last`: float64, the first is 0. All are counts of the same unit.

        first : the length of the first period.
        """
        if self.t_mul == 1:
            return np.arange(last // first + 1, dtype=np.float64) * first
        # as many periods as reach `last`, and one for good measure
        count = int(np.log1p(last / first * (self.t_mul - 1)) / np.log(self.t_mul)) + 2
        begins = first * ((self.t_mul ** np.arange(count) - 1) / (self.t_mul - 1))
        nearest = np.rint(begins)
        begins = np.where(np.abs(begins - nearest) < 1e-9 * np.maximum(1, begins), nearest, begins)
        return np.asarray(begins[begins <= last])

    def _place(self, t: np.ndarray, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
        """The period of each step, from 0, and the part of it that is over."""
        first = clock.steps(self.first)
        if self.t_mul == 1:
            return (t // first).astype(np.float64), (t % first) / first
        begins = self.begins(first, int(t.max(initial=0)))
        i = np.searchsorted(begins, t, side="right") - 1
        return i.astype(np.float64), (t - begins[i]) / (first * self.t_mul**i)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        i, x = self._place(t, clock)
        scale = self.m_mul**i
        high = np.where(scale == 1, self.initial, self.floor + (self.initial - self.floor) * scale)
        return half_cosine(high, self.floor, x)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The rate at which each period begins."""
        i, _ = self._place(np.asarray(step, dtype=np.int64), clock)
        with np.errstate(over="ignore", under="ignore"):
            begin = self.floor + (self.initial - self.floor) * self.m_mul**i
            return np.maximum(max(self.initial, self.floor), begin)

    def float32_drift(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The place within the period, in float32.

        Keras takes the periods that are over from the quotient t / T, so the rounding of either, of t_mul, and of
        m_mul ** i is in the rate: ``pi / 2 * I * dx + i * d`` with dx the error of the place, d that of m_mul.
        """
        steps = np.asarray(step, dtype=np.int64)
        i, _ = self._place(steps, clock)
        quotient = steps / clock.steps(self.first)
        with np.errstate(over="ignore", under="ignore"):
            peak = max(self.initial, self.floor) * np.maximum(self.m_mul**i, 1e-300)
            length = self.t_mul**i
            place = 4 * quotient * FLOAT32 / length
            if self.t_mul != 1:
                off = abs(float(np.float32(self.t_mul)) - self.t_mul) + FLOAT32 * self.t_mul
                # how far the sum of the periods moves with t_mul, and 1 - t_mul with its own rounding
                place = place + (i * length + quotient) / (self.t_mul - 1) * off / length
            powers = peak * i * (abs(float(np.float32(self.m_mul)) - self.m_mul) / self.m_mul + 0.0)
        return np.asarray(peak * np.minimum(np.pi / 2 * place, 1) + powers)

    def keras(self, count: Counts) -> Call:
        """`CosineDecayRestarts`, which may miss a restart: `tf_impl.natives` asks it, and puts ours in its place."""
        return super().keras(count).having(alpha=ratio(self.floor, self.initial))

    def _torch(self, count: Calls) -> Call:
        if self.m_mul != 1:
            return self.lambda_lr(
                count, "for CosineAnnealingWarmRestarts, which restarts at the same rate: it has no m_mul"
            )
        if self.t_mul != int(self.t_mul):
            return self.lambda_lr(count, "for CosineAnnealingWarmRestarts, whose T_mult is a whole number")
        return self.native("CosineAnnealingWarmRestarts", count).having(T_mult=int(self.t_mul))

    @classmethod
    def from_keras(cls, config: Config) -> CosineRestarts | CosineDecay:
        """Keras' own, whose floor is a factor of its initial rate, or ours."""
        keys = cls.keras_keys(config.name)
        if config.name == "CosineRestarts":
            return cls.known(config, keys)
        initial = config["initial_learning_rate"]
        floor = tidy(config["alpha"] * initial)
        if config["m_mul"] == 0:  # the first period is all there is
            return CosineDecay(initial=initial, floor=floor, over=config.count("first_decay_steps"), after="hold")
        return cls.known(config, keys, floor=floor)
