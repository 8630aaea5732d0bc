"""Guesses at lines and powers: linear, polynomial with and without cycles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Linear, PolynomialDecay, Schedule

from .decays import steps
from .fitting import Family, built, scan, settle, settled
from .numbers import LONGEST, digits, shortest, whole_digits
from .rows import Rows
from .structure import jumps_up

POWERS = np.array([2.0, 0.5, 3.0, 1.5, 4.0, 5.0, 0.9, 0.75, 0.25, 8.0, 1.1, 2.5])

MOST_POWERS = 6
"""Powers that are looked at closely at most, those that leave least."""

NEAR = 0.01
"""Part of the range of rates that a power of about the right length leaves at most."""


def linears(rows: Rows) -> Iterator[Schedule]:
    """A line, and the end rate that it holds, if the rows show it."""
    yield from _held_lines(rows)
    yield from _endless_lines(rows)


def polynomials(rows: Rows) -> Iterator[Schedule]:
    """A power of the remaining way; the rows may show the end or not."""
    some, last = rows.sample, float(rows.t[-1])
    lengths = np.unique(np.concatenate([length_grid(rows), last_moves(rows), [last, last + 1]]))
    starts = []
    for power in POWERS:
        best = lengths[_rests(some, lengths, power)[0].argmin()]
        near = np.unique(np.concatenate([[best], best * np.linspace(0.94, 1.06, 25)]))
        rest, level, swing = _rests(some, near, power)
        place = int(rest.argmin())
        starts.append((float(rest[place]), level[place] + swing[place], level[place], power, near[place]))
    worst = max(NEAR * float(np.ptp(some.y)), 2 * float(some.absolute.max()))
    starts = sorted(each for each in starts if each[0] <= worst)[:MOST_POWERS]
    yield from settled(((_POLYNOMIAL, theta) for _, *theta in starts[:3]), rows)
    for _, initial, end, power, over in starts:  # the beginning alone does not determine the power: take a usual one
        to_zero = [initial, 0.0, power, max(over, last)]
        yield from settled([(_TO_ZERO, to_zero), (_OF_POWER, [initial, end, power, over])], rows)


def _rests(rows: Rows, lengths: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What powers of the remaining way, of these lengths, leave of the rows."""
    return scan((1 - np.minimum(rows.x / lengths[:, None], 1)) ** power, rows.y)


def polynomial_cycles(rows: Rows) -> Iterator[Schedule]:
    """A power whose length grows to the next multiple when it is reached: rates jump up one step later."""
    lengths = np.array(_cycle_lengths(rows))
    if not len(lengths):
        return
    some, starts = rows.sample, []
    left = 1 - _part_of_cycle(some.x, lengths[:, None])
    for power in (0.5, 1.0, 2.0, 3.0):
        rest, level, swing = scan(left**power, some.y)
        starts += [(float(rest[k]), level[k] + swing[k], level[k], power, lengths[k]) for k in np.argsort(rest)[:2]]
    yield from settled(((_CYCLES, theta) for _, *theta in sorted(starts)[:3]), rows)


def length_grid(rows: Rows, beyond: float = 60.0, count: int = 160) -> np.ndarray:
    """Possible lengths of a schedule, evenly spread over their magnitudes: float64."""
    last = max(2.0, float(rows.t[-1]))
    return np.geomspace(max(1.5, last / 50), last * beyond, count)


def last_moves(rows: Rows) -> np.ndarray:
    """Steps near which the rates stop moving, if they do: float64."""
    moved = np.flatnonzero(rows.y[1:] != rows.y[:-1])
    if not len(moved) or moved[-1] == len(rows) - 2:
        return np.zeros(0)
    before, after = float(rows.t[moved[-1]]), float(rows.t[moved[-1] + 1])
    return np.unique(np.linspace(before + 1, after, 9))


def _held_lines(rows: Rows) -> Iterator[Schedule]:
    some = rows.sample
    lengths = np.concatenate([last_moves(rows), length_grid(rows, 1.0, 120)])
    rest, level, swing = scan(1 - np.minimum(some.t / lengths[:, None], 1), some.y)
    best = int(rest.argmin())
    if lengths[best] > rows.t[-1]:
        return
    found = settle(_LINEAR, [level[best] + swing[best], level[best], lengths[best]], rows)
    if found and found.length(Clock.STEPS) < rows.t[-1]:  # a row shows that it holds
        yield found


def _endless_lines(rows: Rows) -> Iterator[Schedule]:
    """A line that continues to the last row: the shortest numbers decide where it ends."""
    some = rows.sample
    rest, level, slope = (each[0] for each in scan(some.x[None, :], some.y))
    if rest > 4 * some.absolute.max() or slope == 0:
        return
    # the outermost rows determine the slope best
    allowed = some.absolute * (0.01 if rows.exact else 1.0)
    reach = float((allowed[0] + allowed[-1]) / max(1, some.t[-1] - some.t[0]))
    initial = 0.0 if abs(level) <= allowed[0] else shortest(float(level), float(allowed[0]))
    ends = _ends(rows, float(level), float(slope), reach)[:8]
    yield from built(partial(_line_to, initial, end, over) for over, end in ends)


def _ends(rows: Rows, level: float, slope: float, reach: float) -> list[tuple[float, float]]:
    last = float(rows.t[-1])
    sizes = 10.0 ** np.arange(0, 12)
    tidy = (np.arange(1, 100)[:, None] * sizes).ravel()
    whole = rows.unit * np.arange(1, 1000) if rows.unit > 1 else np.zeros(0)
    lengths = np.unique(np.concatenate([tidy, whole, [last, last + 1], 2.0 ** np.arange(1, 30)]))
    lengths = lengths[(lengths >= last) & (lengths < LONGEST) & (lengths >= 1)]
    found = []
    if slope < 0:  # to 0
        over = float(np.rint(-level / slope))
        if last <= over < LONGEST:
            found.append((over, 0.0))
    for over in lengths[:300]:
        exact = level + slope * over
        if exact >= 0:
            found.append((float(over), shortest(exact, reach * over)))
    found += [(over, level + slope * over) for over in (last, last + 1) if over >= 1]
    return sorted(found, key=lambda each: digits(each[1]) + whole_digits(int(each[0]), rows.unit) + (each[1] != 0))


def _line_to(initial: float, end: float, over: float) -> Schedule:
    return Linear(initial=_level(initial), end=_level(end), over=steps(over))


def _linear(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    initial, end, over = theta
    return np.asarray(initial + (end - initial) * np.minimum(t / over, 1))


def _polynomial(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    initial, end, power, over = theta
    left = np.maximum(1 - t / over, 0.0) if over > 0 else np.full(t.shape, np.nan)
    return np.asarray(end + (initial - end) * left**power)


def _cycles(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
    initial, end, power, over = theta
    return np.asarray(end + (initial - end) * (1 - _part_of_cycle(t, over)) ** power)


def _decay(p: list[float], cycle: bool) -> Schedule:
    return PolynomialDecay(initial=_level(p[0]), end=_level(p[1]), power=p[2], over=steps(p[3]), cycle=cycle)


def _part_of_cycle(t: np.ndarray, over: float | np.ndarray) -> np.ndarray:
    return np.asarray(t / (over * np.maximum(1.0, np.ceil(t / over))))


def _cycle_lengths(rows: Rows) -> list[float]:
    """Lengths whose multiples are right before the jumps up."""
    up = jumps_up(rows)
    found: list[float] = []
    if len(up):
        low, high = float(rows.t[up[0] - 1]), float(rows.t[up[0]]) - 1
        for row in up[: 200 if rows.gap == 1 else 1]:  # narrower with each jump, as long as none is missed
            turn = round(float(rows.t[row] - 1) / max(1.0, (low + high) / 2))
            if turn >= 1:
                near = max(low, rows.t[row - 1] / turn), min(high, (rows.t[row] - 1) / turn)
                low, high = near if near[0] <= near[1] else (low, high)
        found = [each for each in max(1.0, np.ceil(low)) + np.arange(80.0) if each <= high]
    if (rows.gap > 1 and len(up) > 2) or len(up) > len(rows) / 8:
        found += list(np.arange(1.0, min(400.0, float(rows.t[-1]))))
    return found


def _level(value: float) -> float:
    return max(0.0, float(value))


_LINEAR = Family(_linear, lambda p: _line_to(*p), whole=(2,))
_POLYNOMIAL = Family(_polynomial, partial(_decay, cycle=False), whole=(3,))
_OF_POWER, _TO_ZERO = replace(_POLYNOMIAL, given=(2,)), replace(_POLYNOMIAL, given=(1, 2))
_CYCLES = Family(_cycles, partial(_decay, cycle=True), whole=(3,), given=(3,))
