"""Up and down, cycle after cycle."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import Level, Peak, ScheduleModel, tidy
from samestep.experiment.schedules.calls import Call, Calls, State, counted, number, torch_call
from samestep.experiment.schedules.one_cycle import COUNTS_CALLS, MOMENTUM


class Cyclic(ScheduleModel):
    """Up from `low` to `max_lr` in `up`, down again in `down`, cycle after cycle. It has no end.

    ``lr = b + (m - b) * h * c``: h goes evenly from 0 to 1 and back; c is 1 (``triangular``), ``1 / 2 ** i`` in cycle i
    (``triangular2``) or ``gamma ** t`` (``exp_range``). b = `low`, m = `max_lr`.

    Source: PyTorch, `CyclicLR`, whose base_lr is `low`; Keras has none. Smith, Cyclical Learning Rates, 2017.
    """

    EXAMPLES: ClassVar = {
        "cyclic, triangular": "cyclic:low=0.01,max_lr=0.1,up=1 epoch,down=2 epochs,mode=triangular,gamma=1",
        "cyclic, triangular2": "cyclic:low=0.01,max_lr=0.1,up=1 epoch,down=1 epoch,mode=triangular2,gamma=1",
        "cyclic, exp_range": "cyclic:low=0.01,max_lr=0.1,up=1 epoch,down=1 epoch,mode=exp_range,gamma=0.999",
    }
    ADDED: ClassVar = ("max_lr", "low")
    KERAS: ClassVar = {"Cyclic": {}}
    TORCH: ClassVar = {"CyclicLR": {"max_lrs": "max_lr", "step_ratio": "up", "total_size": "down"}}
    NAMES: ClassVar = {"up": "step_size_up", "down": "step_size_down"}
    ALONE: ClassVar = True

    kind: Literal["cyclic"] = Field(default="cyclic", repr=False)
    low: Level
    max_lr: Peak
    up: DurationText
    down: DurationText
    mode: Literal["triangular", "triangular2", "exp_range"]
    gamma: float = Field(gt=0, le=10)

    @property
    def stretches(self) -> bool:
        """Not where gamma applies at every step."""
        return self.mode != "exp_range"

    @model_validator(mode="after")
    def _gamma_is_used(self) -> Cyclic:
        if self.mode != "exp_range" and self.gamma != 1:
            raise ValueError(f"gamma: {self.gamma} has no effect in mode {self.mode}. Write 1, or mode exp_range.")
        if self.gamma > 1 and self.low > self.max_lr:
            raise ValueError(
                f"low: {self.low} is above max_lr {self.max_lr}, and gamma {self.gamma} takes the rates below 0. "
                "Write a low of at most max_lr, or a gamma of at most 1."
            )
        return self

    @property
    def base_lr(self) -> float:
        """The rate at the foot of a cycle; the highest where that is 0."""
        return self.low or self.max_lr

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

    def _torch(self, count: Calls) -> Call:
        if count.stepping == "epoch" and not self.stretches:
            return self.lambda_lr(count, f"for CyclicLR, {COUNTS_CALLS}")
        return torch_call(
            "CyclicLR",
            self.base_lr,
            note=MOMENTUM.format("CyclicLR"),
            base_lr=self.low,
            max_lr=self.max_lr,
            step_size_up=count(self.up),
            step_size_down=count(self.down),
            mode=self.mode,
            gamma=self.gamma,
            cycle_momentum=False,
        )

    @classmethod
    def from_torch(cls, state: State) -> Cyclic:
        """`CyclicLR` holds the length of a cycle, and which part of it goes up."""
        own = {"triangular": "cycle", "triangular2": "cycle", "exp_range": "iterations"}
        scale_mode = state.values.get("scale_mode", own.get(state["mode"]))
        if (
            state.values.get("_scale_fn_custom") is not None
            or state["mode"] not in own
            or own[state["mode"]] != scale_mode
        ):
            raise ValueError(
                "CyclicLR has a scale_fn of its user's, which cannot be read. Record a run and compare it."
            )
        total, part = state.number("total_size"), state.number("step_ratio")
        rising = tidy(total * part)
        if rising != int(rising) or total != int(total):
            raise ValueError(f"step_size_up: got {rising:g}. samestep counts in whole numbers; write whole step sizes.")
        exponential = state["mode"] == "exp_range"
        gamma = state.number("gamma") if exponential else 1.0
        if exponential and state.stepping == "epoch":
            gamma **= 1 / state.clock.steps_per_epoch  # the vocabulary's gamma is that of one step
        high = number("max_lrs", state["max_lrs"][0])
        up = counted("step_size_up", rising, state.stepping)
        down = counted("step_size_down", total - rising, state.stepping)
        return cls(low=state.base_lr, max_lr=high, up=up, down=down, mode=state["mode"], gamma=gamma)
