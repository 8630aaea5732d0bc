"""Rates that go up and down: one cycle, or cycle after cycle."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from experiment.clock import Clock, DurationText
from experiment.schedules.base import After, ArrayLike, Level, Peak, ScheduleModel


class OneCycle(ScheduleModel):
    """Up to `max_lr` and down far below the beginning, in T = `over` steps. Then it may not be asked, or holds.

    The rates are ``s = max_lr / div_factor``, max_lr, and ``e = s / final_div_factor``. Two phases: s to max_lr until
    step ``a = pct_start * T - 1``, then to e until step T - 1. With `three_phase`: back to s until step
    ``b = 2 * pct_start * T - 2``, then to e. The step at which a phase ends belongs to it. Between two rates the way is
    half a cosine or a line, as `anneal_strategy` says.

    Source: PyTorch, `OneCycleLR`; Keras has none. Smith and Topin, Super-convergence, 2018.
    """

    kind: Literal["one-cycle"] = Field(default="one-cycle", repr=False)
    max_lr: Peak
    div_factor: float = Field(gt=0, le=1e12)
    final_div_factor: float = Field(gt=0, le=1e12)
    pct_start: Annotated[float, Field(ge=0, le=1)]
    over: DurationText
    anneal_strategy: Literal["cos", "linear"]
    three_phase: bool
    after: Literal["error", "hold"]

    @property
    def stretches(self) -> bool:
        """No: a phase ends one count early, whatever is counted."""
        return False

    @property
    def base_lr(self) -> float:
        """The rate it begins with."""
        return self.max_lr / self.div_factor

    @property
    def after_end(self) -> After:
        """As `after` says."""
        return self.after

    def length(self, clock: Clock) -> int:
        """Steps that it may be asked for."""
        return clock.steps(self.over)

    def phases(self, clock: Clock) -> list[tuple[float, float, float]]:
        """Each phase as the step at which it ends, the rate it comes from and the one it goes to."""
        over = clock.steps(self.over)
        low, lowest = self.base_lr, self.base_lr / self.final_div_factor
        up = (float(self.pct_start * over) - 1, low, self.max_lr)
        if self.three_phase:
            return [up, (float(2 * self.pct_start * over) - 2, self.max_lr, low), (over - 1, low, lowest)]
        return [up, (over - 1, self.max_lr, lowest)]

    def whole_steps(self, clock: Clock) -> None:
        """Besides, no phase that is asked has a length of 0, by which PyTorch divides."""
        super().whole_steps(clock)
        self._check(clock)

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The highest rate."""
        return np.full(np.asarray(step).shape, max(self.max_lr, self.base_lr))

    def _check(self, clock: Clock) -> None:
        begin, last = 0.0, self.length(clock) - 1
        for end, _, _ in self.phases(clock):
            if end == begin and begin == 0.0:
                raise ValueError(
                    f"pct_start: {self.pct_start} of {last + 1} steps leaves no step to go up in, and OneCycleLR "
                    "divides by zero. Write another pct_start or a longer over."
                )
            begin = end

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        self._check(clock)
        t = np.minimum(t, self.length(clock) - 1)
        phases = self.phases(clock)
        rate = np.full(t.shape, np.nan)
        begin, waiting = 0.0, np.ones(t.shape, dtype=bool)
        for end, low, high in phases:
            last = (end, low, high) == phases[-1]
            here = waiting & (True if last else t <= end)
            part = (t - begin) / (end - begin) if end != begin else np.ones(t.shape)
            rate = np.where(here, self._between(low, high, part), rate)
            waiting &= ~here
            begin = end
        return rate

    def _between(self, start: float, end: float, part: np.ndarray) -> np.ndarray:
        if self.anneal_strategy == "linear":
            return np.asarray(start + (end - start) * part)
        return np.asarray(end + (start - end) * (1 + np.cos(np.pi * part)) / 2)


class Cyclic(ScheduleModel):
    """Up from `low` to `max_lr` in `up`, down again in `down`, cycle after cycle. It has no end.

    ``lr = b + (m - b) * h * c``: h goes evenly from 0 to 1 and back; c is 1 (``triangular``), ``1 / 2 ** i`` in cycle i
    (``triangular2``) or ``gamma ** t`` (``exp_range``). b = `low`, m = `max_lr`.

    Source: PyTorch, `CyclicLR`, whose base_lr is `low`; Keras has none. Smith, Cyclical Learning Rates, 2017.
    """

    kind: Literal["cyclic"] = Field(default="cyclic", repr=False)
    low: Level
    max_lr: Peak
    up: DurationText
    down: DurationText
    mode: Literal["triangular", "triangular2", "exp_range"]
    gamma: float = Field(gt=0, le=1)

    @property
    def stretches(self) -> bool:
        """Not where gamma applies at every step."""
        return self.mode != "exp_range"

    @model_validator(mode="after")
    def _gamma_is_used(self) -> Cyclic:
        if self.mode != "exp_range" and self.gamma != 1:
            raise ValueError(f"gamma: {self.gamma} has no effect in mode {self.mode}. Write 1, or mode exp_range.")
        return self

    @property
    def base_lr(self) -> float:
        """The rate at the foot of a cycle; the highest where that is 0."""
        return self.low or self.max_lr

    def float32_scale(self, step: ArrayLike, clock: Clock) -> np.ndarray:
        """The highest rate."""
        return np.full(np.asarray(step).shape, max(self.max_lr, self.low))

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        up, down = clock.steps(self.up), clock.steps(self.down)
        cycle, place = np.divmod(t, up + down)
        height = np.where(place <= up, place / up, (up + down - place) / down)
        match self.mode:
            case "triangular":
                scale = np.ones(t.shape)
            case "triangular2":
                scale = 0.5 ** cycle.astype(np.float64)
            case _:
                scale = self.gamma ** t.astype(np.float64)
        return self.low + (self.max_lr - self.low) * height * scale
