"""Tidy numbers: a person wrote the number with the fewest digits of all that the data allow, and few of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from samestep.experiment.clock import Duration
from samestep.experiment.schedules import ScheduleModel

LONGEST = 10**12 - 1
"""The longest duration in steps that the vocabulary can write."""


def digits(value: float) -> int:
    """The number of significant digits in the shortest text of a number; 0 for 0.

    >>> digits(0.95), digits(1000), digits(0.0)
    (2, 1, 0)
    """
    return len(Decimal(repr(float(value))).normalize().as_tuple().digits) if value else 0


def rounded(value: float, count: int) -> float:
    """A number with `count` significant digits.

    >>> rounded(0.94999, 2)
    0.95
    """
    return float(f"{value:.{count - 1}e}")


def shortest(value: float, half: float) -> float:
    """The number with the fewest digits within `half` of `value`.

    >>> shortest(0.9499999881, 1e-7)
    0.95
    """
    return next((each for each in shorter(value) if abs(each - value) <= half), value)


def shorter(value: float) -> Iterator[float]:
    """0, and the number with 1, 2, 3, ... digits; each once."""
    last = math.nan
    for count in range(18):
        now = rounded(value, count) if count else 0.0
        if now != last:
            yield now
        last = now


def tidy_whole(low: float, high: float, unit: int = 1) -> int | None:
    """The whole number from `low` to `high` with the fewest digits, in ones or in `unit`; None if there is none.

    Args:
        unit: Steps per epoch; a number of whole epochs is as tidy as the count of epochs.

    >>> tidy_whole(96.1, 104.0), tidy_whole(799, 805, unit=32), tidy_whole(7.2, 7.9)
    (100, 800, None)
    """
    found = [each for each in (_roundest(low, high, 1), _roundest(low, high, max(1, unit))) if each is not None]
    return min(found, key=lambda each: (whole_digits(each, unit), each % max(1, unit)), default=None)


def whole_digits(value: int, unit: int = 1) -> int:
    """Digits of a number of steps, or of epochs if it is a whole number of epochs."""
    plain = digits(value)
    return min(plain, digits(value // unit)) if unit > 1 and value % unit == 0 else plain


def _roundest(low: float, high: float, unit: int) -> int | None:
    if not (math.isfinite(low) and low <= high):
        return None
    low, high = max(low, 1), min(high, LONGEST)
    for power in range(12, -1, -1):
        size = unit * 10**power
        first = int(math.ceil(low / size) * size)
        if first <= high:
            return first
    return None


def short_decimals(most: int) -> np.ndarray:
    """All numbers from 0.1 (0.1 included) to 1 (excluded) with at most `most` digits: float64, the shorter first."""
    found = [np.arange(10 ** (count - 1), 10**count) / 10.0**count for count in range(1, most + 1)]
    _, first = np.unique(np.concatenate(found), return_index=True)
    return np.asarray(np.concatenate(found)[np.sort(first)])


def tidy_wholes(low: float, high: float, unit: int = 1) -> list[int]:
    """Whole numbers from `low` to `high`, those with the fewest digits first; tries at most 200."""
    first, last = max(1, math.ceil(low)), min(math.floor(high), LONGEST)
    every = max(1, (last - first) // 200)
    found = dict.fromkeys(range(first, last + 1, every))
    if (tidiest := tidy_whole(first, last, unit)) is not None:
        found[tidiest] = None
    return sorted(found, key=lambda each: whole_digits(each, unit))


def longest_number(schedule: ScheduleModel) -> int:
    """Digits of its longest number that is no duration, parts included."""
    values = [getattr(schedule, name) for name in type(schedule).model_fields]
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    own = [digits(each) for each in flat if isinstance(each, float)]
    return max([*own, *(longest_number(each) for each in flat if isinstance(each, ScheduleModel))], default=0)


def cost(schedule: ScheduleModel, unit: int = 1) -> int:
    """The length of a schedule as text, 1 and its digits for each number: of several, the shortest is the likeliest."""
    total = 0
    for name in type(schedule).model_fields:
        value = getattr(schedule, name)
        for each in value if isinstance(value, tuple) else (value,):
            match each:
                case ScheduleModel():
                    total += 3 + cost(each, unit)
                case Duration():
                    total += 1 + whole_digits(int(each.count), unit)
                case float():
                    total += 1 + _digits_as_written(each)
    return total


def _digits_as_written(value: float) -> int:
    """Digits of a number, or of three times it and the 3, where somebody wrote a third."""
    plain = digits(value)
    return min(plain, 1 + digits(rounded(3 * value, 15))) if plain > _LONG else plain


_LONG = 12
"""Digits of a number that nobody wrote."""
