"""How one run's rates follow from another's: each function makes a `Prediction`, the rates at any steps.

A number that says how may also be an array with one for each step that is asked, which tries many at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import CosineDecay, Schedule, ScheduleModel, Warmup

from .curve import UNKNOWN, Curve, Known

Prediction = Callable[[np.ndarray], Known]


def moved(curve: Curve, steps: int | np.ndarray) -> Prediction:
    """So many steps later in its schedule; before its first step it holds its first rate."""
    return lambda step: curve.at(step + steps)


def moved_and_unknown_before(curve: Curve, steps: int | np.ndarray) -> Prediction:
    """The same, but nothing is known of the time before its first step."""

    def predicted(step: np.ndarray) -> Known:
        known = curve.at(step + steps)
        return known._replace(slack=np.where(step + steps < 0, UNKNOWN, known.slack))

    return predicted


def quickened(curve: Curve, factor: int | np.ndarray, late: int | np.ndarray = 0) -> Prediction:
    """By a clock that runs `factor` times as fast, and is looked up some of its steps late."""
    return lambda step: curve.at(step * factor + late)


def slowed(curve: Curve, factor: int | np.ndarray) -> Prediction:
    """By a clock that runs `factor` times slower; between two of its steps, anything in between, unless it holds."""

    def predicted(step: np.ndarray) -> Known:
        whole, part = np.divmod(step, factor)
        now = curve.at(whole)
        if curve.is_stepwise:
            return now
        then = curve.at(whole + 1)
        between = Known(
            (now.value + then.value) / 2,
            np.abs(now.value - then.value) / 2 + np.maximum(now.slack, then.slack),
            np.maximum(now.size, then.size),
            np.maximum(now.drift, then.drift),
        )
        return between.instead(part == 0, now)

    return predicted


def stretched(curve: Curve, numerator: int, denominator: int) -> Prediction:
    """By a clock that runs by a ratio, the last step below counting."""
    return lambda step: curve.at(step * numerator // denominator)


def beyond(curve: Curve) -> Iterator[Curve]:
    """A run whose schedule is asked beyond its last row as well: as it is, and a cosine as one that climbs again.

    Nothing for a run whose schedule is not known.
    """
    if curve.inferred is None:
        return
    endless = replace(curve, is_endless=True)
    yield endless
    schedule = curve.inferred.schedule
    inner = schedule.then if isinstance(schedule, Warmup) else schedule
    if isinstance(inner, CosineDecay) and inner.after == "hold" and not curve.is_endless and not curve.shows_end:
        rising = inner.model_copy(update={"after": "rise"})
        whole = schedule.model_copy(update={"then": rising}) if isinstance(schedule, Warmup) else rising
        yield replace(endless, inferred=replace(curve.inferred, schedule=whole))


def held(curve: Curve, every: int) -> Prediction:
    """Looked up once in so many steps."""
    return lambda step: curve.at(step // every * every)


def times(curve: Curve, factor: float) -> Prediction:
    """Multiplied."""
    return lambda step: curve.at(step).times(factor)


def ramped(curve: Curve, first: int, begins: float, steps: int) -> Prediction:
    """Multiplied by a line from `begins` at step `first` to 1 at step `steps`."""
    slope = (1 - begins) / (steps - first)
    return lambda step: curve.at(step).times(begins + slope * (step - first))


def floored(curve: Curve, floor: float) -> Prediction:
    """Nowhere under a floor."""
    return lambda step: curve.at(step).at_least(floor)


def constant(level: float, slack: float = 0.0) -> Prediction:
    """One rate."""
    return line(level, level, 1, slack)


def unknown(step: np.ndarray) -> Known:
    """Nothing."""
    return Known(np.zeros(step.shape), np.full(step.shape, UNKNOWN), np.zeros(step.shape), np.zeros(step.shape))


def line(start: float, goal: float, steps: int, slack: float) -> Prediction:
    """A straight line that reaches its goal in so many steps."""

    def predicted(step: np.ndarray) -> Known:
        size = np.full(step.shape, max(start, goal))
        return Known(start + (goal - start) * (step / steps), np.full(step.shape, slack), size, np.zeros(step.shape))

    return predicted


def changed(curve: Curve, begins: int, later: Prediction) -> Prediction:
    """A run's rates, from one step on others."""
    return lambda step: curve.at(step).instead(step >= begins, later(step))


def changed_before(curve: Curve, ends: int, earlier: Prediction) -> Prediction:
    """A run's rates, before one step others."""
    return lambda step: earlier(step).instead(step >= ends, curve.at(step))


def begun_again(prediction: Prediction, begins: int) -> Prediction:
    """What is predicted from step 0 on, from a later step on; before it, the first rate."""
    return lambda step: prediction(np.maximum(step - begins, 0))


def after(curve: Curve, steps: int, delay: int, head: Prediction) -> Prediction:
    """A head of some steps, and then a run's rates."""
    return lambda step: curve.at(np.maximum(step - delay, 0)).instead(step < steps, head(step))


def scheduled(base: Curve, schedule: Schedule, curve: Curve) -> Prediction:
    """What a run's schedule gives once it is another one, at the steps and the size of `curve`."""
    assert base.inferred is not None
    inferred = replace(base.inferred, schedule=schedule)
    asked = Curve(curve.rates, inferred)
    return lambda step: asked.known(step, inferred.rate(step), np.zeros(step.shape))


def lengthened(schedule: Schedule, ratio: Fraction) -> Schedule | None:
    """A schedule with every duration multiplied; None where one would be no whole number of steps."""
    try:
        longer: Schedule = _longer(schedule, ratio)
        longer.rate(0, Clock.STEPS)
    except ValueError:  # a length that this kind cannot have
        return None
    return longer


def _longer(value: Any, ratio: Fraction) -> Any:
    match value:
        case Duration():
            if (value.count * ratio).denominator != 1:
                raise ValueError(f"{value} times {ratio} divides a step.")
            return Duration(value.count * ratio, value.unit)
        case tuple():
            return tuple(_longer(each, ratio) for each in value)
        case ScheduleModel():
            fields = type(value).model_fields
            return value.model_copy(update={name: _longer(getattr(value, name), ratio) for name in fields})
        case _:
            return value
