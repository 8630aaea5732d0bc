"""Which class of Keras each schedule becomes, or which stand-in where Keras has none; and how it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from samestep.experiment.clock import Clock, Count, Stepping
from samestep.experiment.schedules import CosineRestarts, Schedule
from samestep.experiment.schedules.calls import Call, Config
from tf_impl import stand_ins


def call_for(schedule: Schedule, clock: Clock, stepping: Stepping) -> Call:
    """The native class with its arguments; ours in place of a `CosineDecayRestarts` that misses a restart."""
    count = schedule.count(clock, stepping)

    def checked(call: Call) -> Call:
        if call.short_name != "CosineDecayRestarts":
            return call
        in_counts = CosineRestarts.from_keras(Config(call.short_name, call.arguments, "step", made))
        late = _first_wrong_restart(call, in_counts)
        if late is None:
            return call
        note = (
            "CosineRestarts stands in for CosineDecayRestarts, which finds its restarts with float32 logarithms and "
            f"here misses the one at {late} {count.unit}."
        )
        return replace(in_counts.stand_in(Count(Clock(1, 1), "steps", 1)), note=note)

    return schedule.keras(count).each(checked)


def _first_wrong_restart(native: Call, in_counts: CosineRestarts) -> int | None:
    """The first restart that Keras' own class misses by a step, in 1,000 times the first period; None if none."""
    if in_counts.t_mul == 1:
        return None
    first = int(in_counts.first.count)
    begins = np.ceil(in_counts.begins(first, min(2**24, first * 1000))[1:]).astype(np.int64)
    if not len(begins):
        return None
    asked = np.stack([begins - 1, begins])
    closed_form = in_counts.rate(asked, Clock.STEPS)
    got = np.asarray(made(native)(asked), dtype=np.float64)
    wrong = (np.abs(got - closed_form) > 0.01 * closed_form[1]).any(axis=0)
    return int(begins[wrong][0]) if wrong.any() else None


def made(value: Any) -> Any:
    """Carry a call out."""
    if isinstance(value, list):
        return [made(each) for each in value]
    if not isinstance(value, Call):
        return value
    found = stand_ins if value.is_stand_in else keras.optimizers.schedules
    return getattr(found, value.short_name)(**{name: made(each) for name, each in value.arguments.items()})
