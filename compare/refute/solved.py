"""One number of a schedule, solved for from the rows of another run.

Where the other run's own schedule is not found, or the rows leave it open, one number of this one's may explain it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from samestep.experiment.clock import Clock, Duration

from ..infer.numbers import digits, shortest, tidy_whole, whole_digits
from ..rates import Rates
from .written import NAMES, RAMP, Change, Written

ROUNDS, POINTS = 9, 24
"""How often the range of a number is narrowed, and how many values are tried each time."""

EDGE = 0.05
"""Part of a range at its upper end where no number is found."""

SHORT, LONGEST = 4, 5
"""Digits of a number, and of a number of steps, that somebody may have written."""

SAME = 1e-6
"""Part of a level by which a rate may be off, and be that level."""

With = Callable[[float], Written]


def solved(a: Written, rows: Rates) -> Iterator[Change]:
    """a's schedule with one number that brings it as near to some rows of another run as that number can."""
    yield from _stones(a, rows)
    for name, ours, whole, low, high, changed in _numbers(a, rows):
        found = _nearest(changed, rows, low, high, whole)
        if found is None:
            continue
        value, half = found
        if value >= (1 - EDGE) * high:
            continue  # as far away as was looked: the rows do not show it
        short = round(value) if whole else shortest(value, half)
        if whole_digits(int(short)) > LONGEST if whole else digits(short) > SHORT:
            continue  # nobody writes it
        try:
            yield Change(name, ours, short, changed(short))
        except ValueError:
            continue


def _stones(a: Written, rows: Rates) -> Iterator[Change]:
    """Stairs with one boundary elsewhere: between the rows at which the rate changes to the next level."""
    if a.kind != "piecewise-constant":
        return
    body = vars(a.body)
    for number, level in enumerate(body["values"][1:]):
        there = np.flatnonzero(np.abs(rows.lr - level) <= rows.rounding + SAME * level)
        if not len(there) or not there[0]:
            continue
        begin = 0 if a.how[1] or a.how == RAMP else a.warm + a.stable
        step = tidy_whole(float(rows.step[there[0] - 1] + 1), float(rows.step[there[0]]))
        ours = int(body["boundaries"][number].count) + begin
        if step is None or step == ours or step <= begin:
            continue
        moved = [*body["boundaries"]]
        moved[number] = Duration(Fraction(step - begin), "steps")
        with suppress(ValueError):
            yield Change("milestone", ours, step, a.with_body(boundaries=tuple(moved)))


def _numbers(a: Written, rows: Rates) -> Iterator[tuple[str, float, bool, float, float, With]]:
    """Each number with a's value, whether it is whole, its range, and the schedule with another."""
    names, peak, last = NAMES.get(a.kind, {}), float(rows.lr.max()), float(rows.step[-1])
    fields = {name: field for field, name in names.items()}
    if a.decay:
        begin = a.total - a.decay
        yield "total_steps", a.total, True, begin + 2, 40 * max(last, a.total), partial(_until, a, begin)
    if "last_rate" in fields:
        yield "last_rate", vars(a.body)[fields["last_rate"]], False, 0.0, 0.95 * peak, _field(a, fields["last_rate"])
        yield "peak", a.peak, False, peak / 10, peak * 10, _field(a, fields["peak"])
        if a.warm and a.start:
            yield "peak", a.peak, False, peak / 10, peak * 10, partial(_warmed_to, a, fields["peak"])
    if "pct_start" in fields:
        yield "pct_start", vars(a.body)[fields["pct_start"]], False, 0.01, 0.9, _field(a, fields["pct_start"])
    if "power" in fields:
        yield "power", vars(a.body)[fields["power"]], False, 0.1, 8.0, _field(a, fields["power"])
    if a.kind == "cosine-restarts":
        first = float(vars(a.body)["first"].count)
        yield "period", first, True, 2, 4 * max(last, first), partial(_restarting, a)
    if a.warm:
        yield "warmup_start", a.start, False, 0.0, 0.999 * peak, lambda start: replace(a, start=start)
    if a.warm and a.decay and a.how != RAMP and not a.how[1]:
        yield "warmup_steps", a.warm, True, 1, a.total - a.stable - 1, partial(_warmed, a)


def _field(a: Written, field: str) -> With:
    return lambda value: a.with_body(**{field: float(value)})


def _warmed_to(a: Written, field: str, peak: float) -> Written:
    """With another peak, and a warm-up that begins at the same part of it."""
    return replace(a.with_body(**{field: float(peak)}), start=a.start * float(peak) / a.peak)


def _restarting(a: Written, first: float) -> Written:
    return a.with_body(first=Duration(Fraction(round(first)), "steps"))


def _until(a: Written, begin: int, total: float) -> Written:
    return a.lasting(round(total) - begin)


def _warmed(a: Written, warm: float) -> Written:
    return replace(a, warm=round(warm)).lasting(a.total - a.stable - round(warm))


def _nearest(changed: With, rows: Rates, low: float, high: float, whole: bool) -> tuple[float, float] | None:
    """The value that leaves least of the rows, and how near to it the next ones that were tried lie."""
    best, half = None, 0.0
    for count in range(ROUNDS):
        spaced = np.geomspace if low > 0 and count == 0 else np.linspace
        values = np.unique(np.round(spaced(low, high, POINTS)) if whole else spaced(low, high, POINTS))
        left = [_left(changed, float(value), rows) for value in values]
        place = int(np.argmin(left))
        if not np.isfinite(left[place]):
            return None
        best = float(values[place])
        low, high = float(values[max(place - 1, 0)]), float(values[min(place + 1, len(values) - 1)])
        half = (high - low) / 4
        if whole and high - low <= 2:
            break
    return None if best is None else (best, half)


def _left(changed: With, value: float, rows: Rates) -> float:
    try:
        rates = changed(value).schedule().rate(rows.step, Clock.STEPS)
    except ValueError:
        return np.inf
    return float(np.square(rates - rows.lr).sum())
