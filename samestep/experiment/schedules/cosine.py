"""Rates along half a cosine."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock, DurationText
from samestep.experiment.schedules.base import Level, Peak, ScheduleModel, ratio, tidy
from samestep.experiment.schedules.calls import (
    Call,
    Calls,
    Config,
    Counts,
    State,
    grouped,
    lambda_call,
    number,
)
from samestep.experiment.schedules.constant import Constant
from samestep.experiment.schedules.linear import Linear
from samestep.experiment.schedules.warmup import Warmup


class CosineDecay(ScheduleModel):
    """From `initial` to `floor` along half a cosine; then it holds the floor, or climbs again.

    ``lr(t) = f + (I - f) * (1 + cos(pi * x)) / 2`` with ``x = min(t / T, 1)``, or ``x = t / T`` where `after` is
    ``rise``: then it is back at I after another T steps, and so on. I = `initial`, f = `floor`, T = `over` in steps.

    Source: Keras, `CosineDecay` (hold), whose alpha is f / I; PyTorch, `CosineAnnealingLR` (rise), whose eta_min is f.
    """

    EXAMPLES: ClassVar = {
        "cosine, then hold": "cosine:initial=0.1,floor=0.01,over=4 epochs,after=hold",
        "cosine, then rise": "cosine:initial=0.1,floor=0.01,over=4 epochs,after=rise",
    }
    ADDED: ClassVar = ("initial", "floor")
    KERAS: ClassVar = {"CosineDecay": {"decay_steps": "over"}, "CosineAnnealing": {}}
    TORCH: ClassVar = {"CosineAnnealingLR": {"T_max": "over", "eta_min": "floor"}, "SWALR": {"anneal_epochs": "over"}}
    SAYS: ClassVar = {"CosineAnnealing": {"after": "rise"}, "CosineAnnealingLR": {"after": "rise"}}

    kind: Literal["cosine"] = Field(default="cosine", repr=False)
    initial: Peak
    floor: Level
    over: DurationText
    after: Literal["hold", "rise"]

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        over = clock.steps(self.over)
        x = np.minimum(t, over) / over if self.after == "hold" else (t % (2 * over)) / over
        return half_cosine(self.initial, self.floor, x)

    def keras(self, count: Counts) -> Call:
        """`CosineDecay` where it holds."""
        if self.after == "hold":
            return super().keras(count).having(alpha=ratio(self.floor, self.initial))
        note = (
            f"CosineAnnealing stands in for CosineDecay, which is the same until {count(self.over)} {count.unit} and "
            "then holds its floor, while this schedule climbs again as PyTorch's CosineAnnealingLR does."
        )
        return replace(self.stand_in(count, name="CosineAnnealing"), note=note)

    def _torch(self, count: Calls) -> Call:
        if self.after == "rise":
            return self.native("CosineAnnealingLR", count)
        why = "for CosineAnnealingLR, which climbs again after T_max, while this holds its floor"
        if count.whole(self.over):
            native = f"CosineAnnealingLR(optimizer, T_max={int(count(self.over))}, eta_min={self.floor!r})"
            why += f". If your run ends by then, {native} is the same"
        return self.lambda_lr(count, why)

    def in_a_line(self, count: Calls) -> Call | None:
        """Half a cosine that holds."""
        if self.after == "rise":
            return None
        low = ratio(self.floor, self.initial)
        x = f"min(n / {grouped(count(self.over))}, 1)"
        factor = f"(1 + math.cos(math.pi * {x})) / 2"
        factor = f"{low!r} + {tidy(1 - low)!r} * {factor}" if low else factor
        return lambda_call(self.initial, factor, "CosineAnnealingLR climbs again after its end; this holds")

    @classmethod
    def from_keras(cls, config: Config) -> ScheduleModel:
        """Keras' own holds, and may have a warm-up; ours rises."""
        if config.name == "CosineAnnealing":
            return super().from_keras(config)
        initial, target = config["initial_learning_rate"], config["warmup_target"]
        high = initial if target is None else float(target)
        cosine = cls(initial=high, floor=tidy(config["alpha"] * high), over=config.count("decay_steps"), after="hold")
        if target is None or not config["warmup_steps"]:
            return cosine
        return Warmup(initial=initial, over=config.count("warmup_steps"), then=cosine)

    @classmethod
    def from_torch(cls, state: State) -> ScheduleModel:
        """`CosineAnnealingLR`; or `SWALR`, which goes to a rate that it keeps with the optimizer, and holds it."""
        if state.name != "SWALR":
            return super().from_torch(state)
        if "swa_lr" not in state.group:
            raise ValueError(
                "SWALR keeps swa_lr with the optimizer, not in its own state. "
                "Save optimizer.state_dict() as well, under the key 'optimizer'."
            )
        end = number("swa_lr", state.group["swa_lr"])
        if not state["anneal_epochs"]:
            return Constant(initial=end)
        over = state.count("anneal_epochs")
        if state["_anneal_strategy"] == "linear":
            return Linear(initial=state.base_lr, end=end, over=over)
        return cls(initial=state.base_lr, floor=end, over=over, after="hold")


def half_cosine(high: float | np.ndarray, low: float, x: np.ndarray) -> np.ndarray:
    """``low + (high - low) * (1 + cos(pi * x)) / 2``, exact at both ends: cos² of half the angle cancels nothing."""
    part = np.where(x == 1, 0.0, np.cos(np.pi / 2 * x)) ** 2
    return np.asarray(np.where(np.asarray(high) == low, low, high * part + low * (1 - part)))
