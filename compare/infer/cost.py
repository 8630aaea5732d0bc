"""The length of a schedule as text: of several that explain the rows, the shortest is the likeliest."""

from __future__ import annotations

from collections.abc import Iterable

from samestep.experiment.clock import Duration
from samestep.experiment.schedules import ScheduleModel

from .numbers import digits, whole_digits


def cost(schedule: ScheduleModel, unit: int = 1) -> int:
    """The length: for each number, 1 plus its digits."""
    total = 0
    for name in type(schedule).model_fields:
        for value in _flat(getattr(schedule, name)):
            if isinstance(value, ScheduleModel):
                total += 3 + cost(value, unit)
            elif isinstance(value, float):
                total += 1 + digits(value)
    return total + sum(1 + whole_digits(int(each.count), unit) for each in _own_durations(schedule))


def _own_durations(schedule: ScheduleModel) -> list[Duration]:
    return [each for place, each in schedule.durations() if "." not in place]


def _flat(value: object) -> Iterable[object]:
    return value if isinstance(value, tuple) else (value,)
