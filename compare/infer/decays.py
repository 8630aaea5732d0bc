"""Guesses at the schedules that go one way: constant, exponential and inverse time, smooth and as a staircase."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

import numpy as np

from samestep.experiment.clock import Duration
from samestep.experiment.schedules import Constant, ExponentialDecay, InverseTimeDecay, PiecewiseConstant, Schedule
from samestep.experiment.schedules.base import tidy as to_15_digits

from ..tolerance import NEAR_ZERO
from .fitting import built
from .numbers import LONGEST, digits, short_decimals, shorter, shortest, tidy_whole, whole_digits
from .rows import Rows
from .staircase import Stairs, stairs
from .structure import Runs

DECIMALS = short_decimals(4)
FLOAT32 = 2.0**-24


def steps(count: float) -> Duration:
    """A duration in steps. Raises ValueError if it is longer than can be written, or less than 1."""
    if not 1 <= round(count) <= LONGEST:
        raise ValueError(f"{count} steps: no duration that can be written. Give 1 to {LONGEST}.")
    return Duration(Fraction(round(count)), "steps")


def constants(rows: Rows) -> Iterator[Schedule]:
    """One rate for all rows."""
    low, high = float((rows.y - rows.relative).max()), float((rows.y + rows.relative).min())
    if low <= high:
        middle = float(rows.y[0]) if rows.exact else (low + high) / 2
        value = shortest(middle, 1e-9 * middle if rows.exact else (high - low) / 2)
        yield from built(partial(Constant, initial=each) for each in (value, float(rows.y[0])))


def smooth_exponentials(rows: Rows) -> Iterator[Schedule]:
    """``log lr`` falls or rises evenly; takes the shortest of the many pairs of factor and period."""
    found = _straight(rows, np.log)
    if found is None or found[1] == 0:
        return
    level, slope, reach = found
    for factor, every in _pairs(slope, reach, rows):
        make = partial(exponential, factor=factor, every=every, staircase=False)
        yield from _with_initial(rows, float(np.exp(level)), make)


def smooth_inverse_times(rows: Rows) -> Iterator[Schedule]:
    """``1 / lr`` grows evenly."""
    found = _straight(rows, lambda y: 1 / y)
    if found is None or found[0] <= 0 or found[1] <= 0:
        return
    level, slope, reach = found
    slope, reach = slope / level, reach / level + abs(slope / level) * 1e-7 * (not rows.exact)
    for rate, every in _rate_pairs(slope, reach, rows):
        yield from _with_initial(rows, 1 / level, partial(inverse_time, factor=rate, every=every, staircase=False))


def staircases(rows: Rows, runs: Runs) -> Iterator[Schedule]:
    """Rates that hold and then change by a constant factor, or whose inverse grows by a constant, at even distances."""
    if len(runs) < 2:
        return
    for exponentially in (True, False):
        for found in stairs(rows, runs, np.log if exponentially else lambda y: 1 / y):
            yield from _of_stairs(rows, found, exponentially)


def piecewise_constants(rows: Rows, runs: Runs) -> Iterator[Schedule]:
    """A few rates, each for several rows."""
    levels = len(runs)
    if not 2 <= levels <= 24 or len(rows) < 5 * levels or runs.count[1:-1].min(initial=3) < 3:
        return
    if runs.count[-1] < 2 and not _goes_on(runs.value):
        return  # a single row is no level
    boundaries = [
        tidy_whole(before + 1, after, rows.unit) for before, after in zip(runs.last, runs.first[1:], strict=False)
    ]
    whole = [steps(each) for each in boundaries if each is not None]
    slack = 1e-9 if rows.exact else 2e-7
    tidy = [shortest(value, half + slack * value) for value, half in zip(runs.value, runs.half, strict=True)]
    if levels > 2 and not _written(tidy, rows):
        return
    either = (tidy, runs.value.tolist())
    yield from built(partial(PiecewiseConstant, boundaries=tuple(whole), values=tuple(each)) for each in either)


def _goes_on(values: np.ndarray) -> bool:
    """Whether the last of some rates is the same part of the one before as that is of its own."""
    if len(values) < 3 or not values[-3:-1].all():
        return False
    now, before = values[-1] / values[-2], values[-2] / values[-3]
    return bool(abs(now - before) < 0.01 * before)


MOST_FACTOR = 10
"""The largest factor of one period that is guessed."""


def _written(values: list[float], rows: Rows) -> bool:
    """Whether a person may have written these rates: short ones, or short parts of the first."""
    most = 6 if rows.exact else 5
    first = values[0] or max(values)
    parts = [shortest(each / first, 1e-6 * each / first) for each in values]
    return all(digits(each) <= most for each in values) or all(digits(each) <= 4 for each in parts)


def exponential(initial: float, factor: float, every: float, staircase: bool) -> Schedule:
    """An exponential decay with its period in steps.

    Raises ValueError for a factor that nobody writes of what is logged: two far rates are no growth.
    """
    if factor > MOST_FACTOR:
        raise ValueError(f"factor: {factor}")
    return ExponentialDecay(initial=initial, factor=factor, every=steps(every), staircase=staircase)


def inverse_time(initial: float, factor: float, every: float, staircase: bool) -> Schedule:
    """An inverse time decay, `factor` its decay rate, with its period in steps."""
    return InverseTimeDecay(initial=initial, decay_rate=factor, every=steps(every), staircase=staircase)


def _straight(rows: Rows, of: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float, float] | None:
    """Where ``of(lr)`` is a straight line of t: its value at 0, its slope, and the uncertainty of the slope."""
    some = rows.sample
    well = some.y > max(NEAR_ZERO * rows.peak, 1e-300)
    if well.sum() < 3:
        return None
    t, y, off = some.t[well].astype(np.float64), some.y[well], some.relative[well]
    z = of(y)
    doubt = np.abs(of(y + np.minimum(off, y / 2)) - z)
    weight = 1 / doubt**2
    middle = np.average(t, weights=weight)
    power = float(weight @ (t - middle) ** 2)
    if not power > 0 or not np.isfinite(power):
        return None
    slope = float(weight @ ((t - middle) * z)) / power
    level = float(np.average(z, weights=weight)) - slope * middle
    # Keras' factor drifts from the straight line, because its error enters once per decay
    if (np.abs(level + slope * t - z) > 3 * doubt + 3 * FLOAT32 * np.abs(t)).any():
        return None
    reach = float((np.abs(t - middle) * weight) @ doubt) / power
    return level, slope, reach * (0.01 if rows.exact else 1.0)


def _pairs(slope: float, reach: float, rows: Rows) -> list[tuple[float, float]]:
    """Factors and periods with ``log(factor) / every = slope``, those with the fewest digits first."""
    drift = 0.0 if rows.exact else 1.5 * FLOAT32
    factors = DECIMALS if slope < 0 else np.concatenate([1 + DECIMALS, np.arange(2, 11), 1 / DECIMALS[:9]])
    periods = np.log(factors) / slope
    half = np.abs(periods) * reach / abs(slope) + drift / abs(slope)
    found = _whole_periods(factors, periods, half, rows.unit)
    for every in dict.fromkeys([1, rows.unit, 10, 100, 1000]):
        exact = float(np.exp(np.clip(slope * every, -600, 600)))
        found += [(each, every) for each in shorter(exact) if abs(each - exact) <= exact * (reach * every + drift)][:3]
        found.append((exact, every))
    return _by_digits(found, rows.unit)


def _rate_pairs(slope: float, reach: float, rows: Rows) -> list[tuple[float, float]]:
    """Decay rates and periods with ``rate / every = slope``, those with the fewest digits first."""
    short = (DECIMALS[:999, None] * 10.0 ** np.arange(-5, 7)).ravel()  # the fewest digits first
    rates = np.array([float(f"{each:.3g}") for each in short])
    periods = rates / slope
    found = _whole_periods(rates, periods, periods * reach / slope, rows.unit)
    for every in dict.fromkeys([1, rows.unit]):
        found += [(each, every) for each in shorter(slope * every) if abs(each - slope * every) <= reach * every][:3]
        found.append((slope * every, every))
    return _by_digits(found, rows.unit)


def _whole_periods(factors: np.ndarray, periods: np.ndarray, half: np.ndarray, unit: int) -> list[tuple[float, float]]:
    nearest = np.rint(periods)
    possible = (periods + half >= 1) & (np.abs(nearest - periods) <= np.maximum(half, 1e-9)) & (periods < LONGEST)
    found = []
    for place in np.flatnonzero(possible)[:1500]:
        whole = tidy_whole(float(periods[place] - max(half[place], 1e-9)), float(periods[place] + half[place]), unit)
        whole = int(nearest[place]) if whole is None else whole
        if whole >= 1:
            found.append((float(factors[place]), float(whole)))
    return found


def _by_digits(found: list[tuple[float, float]], unit: int) -> list[tuple[float, float]]:
    def cost(pair: tuple[float, float]) -> tuple[int, int, float]:
        # 0.9999 is a ten-thousandth less than 1
        own, every = min(digits(pair[0]), digits(to_15_digits(1 - pair[0]))), whole_digits(int(pair[1]), unit)
        return own + every, every, pair[1]

    return sorted((each for each in dict.fromkeys(found) if each[0] > 0), key=cost)[:40]


def _with_initial(rows: Rows, level: float, make: Callable[[float], Schedule]) -> Iterator[Schedule]:
    """A schedule with the shortest initial rate that explains the rows; the level is known within the tolerance."""
    if not np.isfinite(level) or level <= 0:
        return
    for tight in (True, False) if rows.exact else (False,):
        reach = level * (2e-9 if tight else 2e-6) + float(rows.rounding.max(initial=0.0)) * level / rows.peak * 2
        short = [each for each in shorter(level) if abs(each - level) <= reach and each > 0]
        for schedule in built(partial(make, initial) for initial in [*short[:3], level]):
            if rows.worst_of(schedule, rows.sample, tight) <= 1:
                yield schedule
                return


def _of_stairs(rows: Rows, found: Stairs, exponentially: bool) -> Iterator[Schedule]:
    slack = 1e-9 if rows.exact else 1.5 * FLOAT32
    if exponentially:
        level, value = float(np.exp(found.level)), float(np.exp(found.rise))
        reach = value * (slack + found.reach)
        make = exponential
    else:
        level, value = 1 / found.level if found.level else np.inf, found.rise / found.level if found.level else -1.0
        reach = abs(value) * slack * 20 + abs(found.reach / found.level if found.level else 0.0)
        make = inverse_time
    if not (value > 0 and np.isfinite(value)):
        return
    short = [each for each in shorter(value) if abs(each - value) <= reach and each > 0]
    for factor in [*short[:4], value]:
        yield from _with_initial(rows, level, partial(make, factor=factor, every=found.every, staircase=True))
