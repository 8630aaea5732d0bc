"""Which class of Keras each schedule becomes, or which stand-in where Keras has none; and how it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from samestep.experiment.clock import Clock, Count, Stepping
from samestep.experiment.programs.simulate import proof_length
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
        assert isinstance(in_counts, CosineRestarts)  # m_mul is above 0
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


PACKAGES = ("samestep", "printed_by_samestep")
"""Under which Keras knows our stand-ins, and those in code that we printed: neither takes the other's names."""

SMALLEST = float(np.finfo(np.float32).tiny)
"""TensorFlow takes what is nearer to 0 for 0."""

_LOOKED_AT = 4096


def too_small(schedule: Schedule, call: Call, clock: Clock) -> str | None:
    """What TensorFlow takes for 0, of the numbers that Keras is given and of the rates that they should give."""
    numbers = [
        each
        for inner in call.calls()
        if not inner.is_stand_in  # ours computes in float64
        for value in inner.arguments.values()
        for each in (value if isinstance(value, list) else [value])
    ]
    for number in numbers:
        if isinstance(number, float) and 0 < abs(number) < SMALLEST:
            return (
                f"TensorFlow takes {number!r} for 0, as all numbers below {SMALLEST:.2g}, and so does what it leads to."
            )
    steps = np.unique(np.linspace(0, proof_length(schedule, clock) - 1, _LOOKED_AT).astype(np.int64))
    lr = schedule.rate(steps, clock)
    small = (lr > 0) & (lr < SMALLEST)
    if not small.any():
        return None
    step, rate = int(steps[small][0]), float(lr[small][0])
    return f"TensorFlow takes rates below {SMALLEST:.2g} for 0, like {rate:.2g} at step {step}."


def asked(schedule: Any, counts: np.ndarray) -> np.ndarray:
    """The rates of a schedule at many counts: float64."""
    steps = tf.constant(counts)
    found = tf.vectorized_map(schedule, steps) if _asks_one_at_a_time(schedule) else schedule(steps)
    return np.asarray(found, dtype=np.float64)


def _asks_one_at_a_time(schedule: Any) -> bool:
    """Whether Keras' warm-up is in it, which chooses with a condition on a single step."""
    within = [getattr(schedule, "then", None), getattr(schedule, "of", None), *getattr(schedule, "schedules", ())]
    return getattr(schedule, "warmup_target", None) is not None or any(map(_asks_one_at_a_time, filter(None, within)))
