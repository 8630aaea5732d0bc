"""One schedule times another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.base import After, ArrayLike, ScheduleModel, as_part
from samestep.experiment.schedules.calls import Call, Calls, State, torch_call

if TYPE_CHECKING:
    from samestep.experiment.schedules import Schedule

MULTIPLY = ("ConstantLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR")
"""Schedulers that multiply the rate they find."""

SET = ("CosineAnnealingWarmRestarts", "CyclicLR", "LambdaLR", "OneCycleLR")
"""Schedulers that set the rate at each call, whatever stood before them in a chain."""


class Product(ScheduleModel):
    """One schedule times another. The first carries the rate; the others, beginning at 1, are factors of it.

    Source: PyTorch, `ChainedScheduler` of schedulers that multiply; Keras has none.
    """

    EXAMPLES: ClassVar = {
        "product, factors that multiply": (
            "product:schedules=[(exponential:initial=0.1,factor=0.5,every=2 epochs,staircase),"
            "(linear:initial=0.1,end=1,over=1 epoch)]"
        ),
        "product, any": (
            "product:schedules=[(cosine:initial=0.1,floor=0,over=4 epochs,after=hold),"
            "(inverse-time:initial=1,decay_rate=1,every=1 epoch)]"
        ),
    }
    KERAS: ClassVar = {"Product": {}}
    TORCH: ClassVar = {"ChainedScheduler": {"_schedulers": "schedules"}}
    ALONE: ClassVar = True

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

    def length(self, clock: Clock) -> int | None:
        """Steps until the first end that is an error or rises; until the last one where all hold."""
        ends = [each.length(clock) or 0 for each in self.schedules if each.after_end == self.after_end]
        if self.after_end is None:
            return None
        return max(ends) if self.after_end == "hold" else min(ends)

    def _rate(self, t: np.ndarray, clock: Clock) -> np.ndarray:
        return np.asarray(np.prod([each.rate(t, clock) for each in self.schedules], axis=0))

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

    def _torch(self, count: Calls) -> Call:
        parts = [as_part(each, count) for each in self.schedules]
        calls = [each for each in parts if isinstance(each, Call) and each.short_name in MULTIPLY]
        if len(calls) < len(parts) or any(each.base_lr != 1 for each in calls[1:]):
            return self.lambda_lr(count, "for ChainedScheduler: a part does not multiply, or does not begin at 1")
        return torch_call("ChainedScheduler", calls[0].base_lr or self.base_lr, schedulers=calls)

    @classmethod
    def from_torch(cls, state: State) -> ScheduleModel:
        """All but the first are factors, as of a base_lr of 1. One that sets the rate is all there is, if it is last.

        `CosineAnnealingLR` and `MultiplicativeLR` may multiply; whoever reads the chain asks it.
        """
        parts = state.within(1.0)
        if len(parts) == 1 or parts[-1][0] in SET:
            return parts[-1][1]
        for name, _ in parts:
            if name in SET:
                raise ValueError(
                    f"{name} in a ChainedScheduler sets the rate at each call, whatever the others did before, so the "
                    f"chain is no product. Put {name} last, where it is the whole schedule, or leave it out."
                )
        return cls(schedules=tuple(schedule for _, schedule in parts))
