"""How one run's rates follow from another's: each function makes a `Tell`, the rates at any steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from compare.diagnose.curve import UNKNOWN, Curve, Known
from compare.diagnose.infer import Inferred
from compare.tolerance import near_peak

Tell = Callable[[np.ndarray], Known]


def moved(curve: Curve, steps: int) -> Tell:
    """So many steps later in its schedule; before its first step it holds its first rate."""
    return lambda step: curve.at(step + steps)


def moved_and_unknown_before(curve: Curve, steps: int) -> Tell:
    """The same, but nothing is known of the time before its first step."""

    def tell(step: np.ndarray) -> Known:
        told = curve.at(step + steps)
        return replace(told, slack=np.where(step + steps < 0, UNKNOWN, told.slack))

    return tell


def quickened(curve: Curve, factor: int) -> Tell:
    """By a clock that runs `factor` times as fast."""
    return lambda step: curve.at(step * factor)


def slowed(curve: Curve, factor: int) -> Tell:
    """By a clock that runs `factor` times slower; between two of its steps, anything in between, unless it holds."""

    def tell(step: np.ndarray) -> Known:
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

    return tell


def stretched(curve: Curve, numerator: int, denominator: int) -> Tell:
    """By a clock that runs by a ratio, the last step below counting."""
    return lambda step: curve.at(step * numerator // denominator)


def held(curve: Curve, every: int) -> Tell:
    """Looked up once in so many steps."""
    return lambda step: curve.at(step // every * every)


def times(curve: Curve, factor: float) -> Tell:
    """Multiplied."""
    return lambda step: curve.at(step).times(factor)


def ramped(curve: Curve, first: int, begins: float, steps: int) -> Tell:
    """Multiplied by a line from `begins` at step `first` to 1 at step `steps`."""
    slope = (1 - begins) / (steps - first)
    return lambda step: curve.at(step).times(begins + slope * (step - first))


def floored(curve: Curve, floor: float) -> Tell:
    """Nowhere under a floor."""
    return lambda step: curve.at(step).at_least(floor)


def constant(level: float, slack: float = 0.0) -> Tell:
    """One rate."""
    return line(level, level, 1, slack)


def line(start: float, goal: float, steps: int, slack: float) -> Tell:
    """A straight line that reaches its goal in so many steps."""

    def tell(step: np.ndarray) -> Known:
        size = np.full(step.shape, max(start, goal))
        return Known(start + (goal - start) * (step / steps), np.full(step.shape, slack), size, np.zeros(step.shape))

    return tell


def changed(curve: Curve, begins: int, later: Tell) -> Tell:
    """A run's rates, from one step on others."""
    return lambda step: curve.at(step).instead(step >= begins, later(step))


def after(curve: Curve, steps: int, delay: int, head: Tell) -> Tell:
    """A head of some steps, and then a run's rates."""
    return lambda step: curve.at(np.maximum(step - delay, 0)).instead(step < steps, head(step))


def scheduled(inferred: Inferred, curve: Curve) -> Tell:
    """What a schedule gives, at the steps and the size of a run."""
    asked = Curve(curve.rates, inferred)

    def tell(step: np.ndarray) -> Known:
        value = inferred.rate(step)
        size, drift = asked.bent(step)
        near = np.maximum(near_peak(value, curve.peak), size)
        return Known(value, np.zeros(step.shape), near, drift)

    return tell
