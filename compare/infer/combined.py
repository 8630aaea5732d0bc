"""Schedules made of schedules: a warm-up before one, one times the other, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Linear, PiecewiseConstant, Product, Schedule, ScheduleModel, Sequence, Warmup

from .decays import steps
from .fitting import built, scan
from .numbers import cost, digits, shorter, tidy_wholes, whole_digits
from .rows import Rows, tolerance_of
from .structure import leading

Simple = Callable[[Rows], Schedule | None]

MOST_PIECES = 4
FEWEST_ROWS = 8
"""A piece of a sequence must explain this many rows: anything explains fewer."""


class Limited:
    """A search for simple schedules with a limited number of tries, which bounds the time."""

    def __init__(self, simple: Simple, tries: int) -> None:
        self.simple, self.left = simple, tries

    def __call__(self, rows: Rows) -> Schedule | None:
        """The simplest schedule of the rows, or None; always None once the tries are spent."""
        self.left -= 1
        return self.simple(rows) if self.left >= 0 else None


def combined(rows: Rows, plain: Simple, simple: Simple) -> Iterator[Schedule]:
    """Guesses that explain the rows, the simplest first.

    plain : finds the kinds that cannot bend into another, of which all but a warm-up are made; simple : any kind.
    """
    if len(rows) < FEWEST_ROWS:
        return
    many = len(rows) > 200_000  # each try looks at all rows once
    tries = [Limited(each, 4 if many else 6) for each in (plain, simple)]
    warming = next(filter(None, ([each for each in warmups(rows, one) if rows.fits(each)] for one in tries)), [])
    first = warming[0] if warming else None
    # a product may express a warm-up to a list of levels with fewer numbers
    if isinstance(first, Warmup) and not isinstance(first.then, PiecewiseConstant):
        yield first
    multiplied = [each for each in products(rows, Limited(plain, 2 if many else 5)) if rows.fits(each)]
    yield from sorted([*warming, *multiplied], key=lambda each: cost(each, rows.unit))
    yield from (each for each in sequences(rows, Limited(plain, 6 if many else 18)) if rows.fits(each))


def warmups(rows: Rows, simple: Simple) -> Iterator[Schedule]:
    """A straight line as far as it goes, then any simple schedule that begins where the line ends."""
    count, level, slope = _straight_head(rows)
    if count < 2 or count > len(rows) - 2:
        return
    for over in _warmup_lengths(rows, count, level, slope):
        begin = int(np.searchsorted(rows.t, over))
        then = simple(rows.part(begin, None, over))
        if then is None:
            continue
        warm = partial(Warmup, over=steps(over), then=then)
        for schedule in built(partial(warm, initial=initial) for initial in _initials(rows, level)):
            if rows.fits(schedule):
                yield schedule
                return


def products(rows: Rows, simple: Simple) -> Iterator[Schedule]:
    """One schedule that explains the later rows alone, times a factor that has ended at 1 by then."""
    for part in (2, 4, 1.34):
        later = rows.part(int(len(rows) / part))
        if len(later) < FEWEST_ROWS:
            return
        if (carried := simple(later)) is None or (factors := _what_is_left(rows, carried)) is None:
            continue
        factor = simple(factors)
        if factor is not None and _may_be_factor(factor) and _tidy(factor, rows):
            yield from built([partial(Product, schedules=(carried, factor))])
            return


def sequences(rows: Rows, simple: Simple) -> Iterator[Schedule]:
    """The longest beginning that a simple schedule explains, then the next. Only tidy numbers count:
    any rates are a sequence of short enough pieces."""
    schedules, milestones = _pieces(rows, simple, MOST_PIECES) or ([], [])
    if len(schedules) == 1:
        yield schedules[0]
    elif schedules:
        whole = tuple(map(steps, milestones))
        yield from built([partial(Sequence, schedules=tuple(schedules), milestones=whole)])


def _straight_head(rows: Rows) -> tuple[int, float, float]:
    """How many of the first rows lie on one line, its rate at step 0 and its slope."""
    count = len(rows)
    while count > 2:
        line = _line(rows, count)
        head = rows.part(0, count).sample
        if count > 4096 and (np.abs(line[0] + line[1] * head.t - head.y) > head.absolute).any():
            count //= 2
            continue
        reached = leading(np.abs(line[0] + line[1] * rows.t - rows.y) <= rows.absolute)
        if reached >= count:
            return _stretched(rows, reached)
        count = min(count // 2, max(2, reached)) if count > 4 else count - 1
    return _stretched(rows, 2) if len(rows) > 2 else (0, 0.0, 0.0)


def _stretched(rows: Rows, count: int) -> tuple[int, float, float]:
    """The line through rows that lie on one, refitted as far as it reaches."""
    for _ in range(6):
        level, slope = _line(rows, count)
        reached = leading(np.abs(level + slope * rows.t - rows.y) <= rows.absolute)
        if reached <= count:
            break
        count = reached
    return count, level, slope


def _line(rows: Rows, count: int) -> tuple[float, float]:
    some = rows.part(0, count).sample
    _, level, slope = scan(some.x[None, :], some.y)
    return float(level[0]), float(slope[0])


def _warmup_lengths(rows: Rows, count: int, level: float, slope: float) -> list[int]:
    """Where the warm-up may end: at the last row on the line, or between it and the next row, where the line meets the
    backward extrapolation of the later rows."""
    before, after = int(rows.t[count - 1]), int(rows.t[count])
    if after - before == 1:
        return [each for each in (before, after, before - 1) if each >= 1]
    between = np.unique(np.linspace(before, after, min(after - before, 100000) + 1).astype(np.int64))
    line = level + slope * between
    drawn = [_drawn_back(rows, count, degree, between) for degree in range(5)]
    found = [int(between[np.abs(line - each).argmin()]) for each in drawn if each is not None]
    near = [each + off for each in reversed(found) for off in (0, -1, 1)]
    ordered = [*found[::-1], *tidy_wholes(before, after, rows.unit)[:2], *near]
    return [each for each in dict.fromkeys(ordered) if max(1, before) <= each <= after]


def _drawn_back(rows: Rows, begin: int, degree: int, t: np.ndarray) -> np.ndarray | None:
    """The polynomial through the rows from `begin` on, at earlier steps t."""
    x, y = rows.x[begin : begin + degree + 1], rows.y[begin : begin + degree + 1]
    if len(x) <= degree:
        return None
    total = np.zeros(t.shape)
    for place in range(degree + 1):
        others = np.delete(x, place)
        total += y[place] * np.prod((t[:, None] - others) / (x[place] - others), axis=1)
    return total


def _initials(rows: Rows, level: float) -> list[float]:
    allowed = float(rows.absolute[0]) * 2
    short = [each for each in shorter(level) if abs(each - level) <= allowed * (1e-3 if rows.exact else 1)]
    rough = [each for each in shorter(level) if abs(each - level) <= allowed]
    return [max(0.0, each) for each in dict.fromkeys([*short[:2], *rough[:2], level])]


def _what_is_left(rows: Rows, carried: Schedule) -> Rows | None:
    """The rows divided by a schedule; None if it is 0 or explains none of the last rows."""
    try:
        rate = carried.rate(rows.t, Clock.STEPS)
    except ValueError:
        return None
    well = rate > 2.0**-10 * rows.peak
    if well.sum() < FEWEST_ROWS or not well[: len(rows) // 4].all():
        return None
    allowed = tolerance_of(carried, rows.t, rate, rows.peak) + rows.rounding
    picked = rows.pick(well)
    ratio, doubt = picked.y / rate[well], allowed[well] / rate[well]
    settled = np.abs(ratio - 1) <= doubt
    ratio = np.where(settled, 1.0, ratio)
    return replace(picked, y=ratio, rounding=np.where(settled, 0.0, 0.5 * doubt), peak=float(ratio.max(initial=0.0)))


def _may_be_factor(factor: Schedule) -> bool:
    """Whether it is a line or begins with one level; nobody writes a more complex factor."""
    return isinstance(factor, Linear) or (isinstance(factor, PiecewiseConstant) and len(factor.values) == 2)


def _pieces(rows: Rows, simple: Simple, most: int) -> tuple[list[Schedule], list[int]] | None:
    """Schedules and the steps at which all but the first begin; None if the rows are not such a sequence."""
    whole = simple(rows)
    if whole is not None:
        return ([whole], []) if _tidy(whole, rows) else None
    head = _longest_head(rows, simple) if most > 1 else None
    if head is None or not _tidy(head[0], rows):
        return None
    first, count = head
    if count == len(rows):
        return [first], []
    for milestone in _milestones(rows, count):
        begin = int(np.searchsorted(rows.t, milestone))
        if len(rows) - begin < FEWEST_ROWS:
            continue
        rest = _pieces(rows.part(begin, None, milestone), simple, most - 1)
        if rest is not None:
            return [first, *rest[0]], [milestone, *(milestone + each for each in rest[1])]
    return None


def _longest_head(rows: Rows, simple: Simple) -> tuple[Schedule, int] | None:
    count = len(rows) // 2
    while count >= FEWEST_ROWS:
        found = simple(rows.part(0, count))
        if found is not None:
            return _grown(rows, found, count, simple)
        count //= 2
    return None


def _grown(rows: Rows, found: Schedule, count: int, simple: Simple) -> tuple[Schedule, int]:
    """A schedule of the first rows, refitted to all rows that it explains until it reaches no further."""
    reached = rows.first_miss(found)
    for _ in range(3):
        better = simple(rows.part(0, reached))
        further = rows.first_miss(better) if better is not None else 0
        if better is None or further <= reached:
            return (better, reached) if better is not None and further == reached else (found, reached)
        found, reached = better, further
    return found, reached


def _milestones(rows: Rows, count: int) -> list[int]:
    """Where the next schedule may begin: both may agree on rows before the first that differs."""
    before, after = int(rows.t[count - 1]), int(rows.t[count])
    if after - before == 1:
        return [after, after - 1, after - 2]
    return tidy_wholes(before, after, rows.unit)[:6]


def _tidy(schedule: ScheduleModel, rows: Rows) -> bool:
    """Whether all numbers are short, as a person writes them; chance does not produce short numbers."""
    most = 4 if rows.rounding.any() else 5
    numbers = [getattr(schedule, name) for name in type(schedule).model_fields]
    flat = [each for value in numbers for each in (value if isinstance(value, tuple) else (value,))]
    return all(digits(each) <= most for each in flat if isinstance(each, float)) and all(
        whole_digits(int(each.count), rows.unit) <= 7 for _, each in schedule.durations()
    )
