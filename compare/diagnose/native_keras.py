"""A schedule in a line or two of Keras; the same functions as in `native_torch`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiment.clock import Duration
from experiment.schedules import Constant, Schedule, Warmup

Counts = Callable[[Duration], str]
"""How a duration is written as a count: ``25 * steps_per_epoch``."""

MOST_BOUNDARIES = 8

WARMUP = """class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, first, steps, then):
        self.first, self.steps, self.then = first, steps, then

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        line = self.first + (self.then(0) - self.first) * step / self.steps
        return keras.ops.where(step < self.steps, line, self.then(keras.ops.maximum(step - self.steps, 0.0)))"""


def written(schedule: Schedule, count: Counts) -> str | None:
    """Code that defines `learning_rate`; None where Keras has no class for the schedule.

    count : writes its durations.
    """
    make = _CALLS.get(schedule.kind)
    call = None if make is None else make(schedule, count)
    if call is None:
        return None
    if "learning_rate = " in call:
        return call
    return f"learning_rate = {call if schedule.kind == 'constant' else f'keras.optimizers.schedules.{call}'}"


def _constant(schedule: Any, _: Counts) -> str:
    return repr(schedule.initial)


def _exponential(schedule: Any, count: Counts) -> str:
    stairs = ", staircase=True" if schedule.staircase else ""
    every = count(schedule.every)
    return f"ExponentialDecay({schedule.initial!r}, decay_steps={every}, decay_rate={schedule.factor!r}{stairs})"


def _inverse_time(schedule: Any, count: Counts) -> str:
    stairs = ", staircase=True" if schedule.staircase else ""
    every = count(schedule.every)
    return f"InverseTimeDecay({schedule.initial!r}, decay_steps={every}, decay_rate={schedule.decay_rate!r}{stairs})"


def _piecewise(schedule: Any, count: Counts) -> str | None:
    if len(schedule.boundaries) > MOST_BOUNDARIES:
        return None
    # Keras changes one step after its boundary
    edges = ", ".join(f"{count(each)} - 1" for each in schedule.boundaries)
    return f"PiecewiseConstantDecay([{edges}], {list(schedule.values)})"


def _polynomial(schedule: Any, count: Counts) -> str:
    cycle = ", cycle=True" if schedule.cycle else ""
    return (
        f"PolynomialDecay({schedule.initial!r}, decay_steps={count(schedule.over)}, "
        f"end_learning_rate={schedule.end!r}, power={schedule.power!r}{cycle})"
    )


def _linear(schedule: Any, count: Counts) -> str:
    over = count(schedule.over)
    return f"PolynomialDecay({schedule.initial!r}, decay_steps={over}, end_learning_rate={schedule.end!r})"


def _cosine(schedule: Any, count: Counts) -> str | None:
    if schedule.after == "rise":
        return None
    alpha = schedule.floor / schedule.initial
    return f"CosineDecay({schedule.initial!r}, decay_steps={count(schedule.over)}, alpha={alpha!r})"


def _restarts(schedule: Any, count: Counts) -> str:
    return (
        f"CosineDecayRestarts({schedule.initial!r}, first_decay_steps={count(schedule.first)}, "
        f"t_mul={schedule.t_mul!r}, m_mul={schedule.m_mul!r}, alpha={schedule.floor / schedule.initial!r})"
    )


def _warmup(schedule: Any, count: Counts) -> str | None:
    first, over = repr(schedule.initial), count(schedule.over)
    if isinstance(schedule.then, Constant):
        return f"PolynomialDecay({first}, decay_steps={over}, end_learning_rate={schedule.then.initial!r})"
    then = None if isinstance(schedule.then, Warmup) else written(schedule.then, count)
    if then is None:
        return None
    after = then.replace("learning_rate = ", "after = ")
    return f"{WARMUP}\n\n{after}\nlearning_rate = Warmup({first}, {over}, after)"


_CALLS: dict[str, Callable[[Any, Counts], str | None]] = {
    "constant": _constant,
    "exponential": _exponential,
    "inverse-time": _inverse_time,
    "piecewise-constant": _piecewise,
    "polynomial": _polynomial,
    "linear": _linear,
    "cosine": _cosine,
    "cosine-restarts": _restarts,
    "warmup": _warmup,
}
