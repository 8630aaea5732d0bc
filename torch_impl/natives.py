"""Which class of PyTorch each schedule becomes, or which stand-in where PyTorch has none; and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch.optim import lr_scheduler

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.calls import Call, Calls, Expression
from samestep.experiment.schedules.text import from_json, to_json
from torch_impl import stand_ins


def call_for(schedule: Schedule, clock: Clock, stepping: Stepping) -> Call:
    """The native class with its arguments, or the stand-in that `ClosedForm` asks."""
    return schedule.torch(Calls(clock, stepping))


def made(value: Any, optimizer: torch.optim.Optimizer | None) -> Any:
    """Carry a call out; without an optimizer, a stand-in."""
    if isinstance(value, Expression):
        return value.value
    if isinstance(value, list):
        return [made(each, optimizer) for each in value]
    if not isinstance(value, Call):
        return value
    found = getattr(stand_ins if value.is_stand_in else lr_scheduler, value.short_name)
    given = [optimizer] if value.first else []
    return found(*given, **{name: made(each, optimizer) for name, each in value.arguments.items()})


class ClosedForm:
    """What `LambdaLR` asks where it stands in: the rate at its n-th call over base_lr.

    It holds plain values only, so the scheduler's state keeps them and `read` finds them there.
    """

    def __init__(self, schedule: Schedule, clock: Clock, stepping: Stepping) -> None:
        self.schedule = to_json(schedule)
        self.samples, self.batch_size, self.drop_last = clock.samples, clock.batch_size, clock.drop_last
        self.accumulate, self.stepping = clock.accumulate, stepping

    def __call__(self, n: int) -> float:
        """The factor of base_lr."""
        rate, stride, base_lr = _asked(**vars(self))
        return float(rate(n * stride) / base_lr)


@lru_cache(maxsize=64)
def _asked(
    schedule: str, samples: int, batch_size: int, drop_last: bool, accumulate: int, stepping: Stepping
) -> tuple[Callable[[int], float], int, float]:
    """The stand-in that a `ClosedForm` asks, its counts per call, and base_lr."""
    clock = Clock(samples, batch_size, drop_last, accumulate)
    found = from_json(schedule)
    count = found.count(clock, stepping)
    return made(found.stand_in(count), None), count.stride, found.base_lr
