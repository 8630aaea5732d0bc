"""Guesses at half cosines: one that holds or climbs again, and restarts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from samestep.experiment.schedules import CosineCycles, CosineDecay, CosineRestarts, Schedule

from .decays import steps
from .fitting import Family, scan, settled
from .lines import last_moves, length_grid
from .numbers import LONGEST, rounded, shortest, tidy_wholes, whole_digits
from .rows import Rows
from .structure import jumps_up

MOST_CYCLES, MOST_LENGTHS = 12, 6
"""Cycles in one length, and lengths for each number of them, that are tried at most."""


def cosines(rows: Rows) -> Iterator[Schedule]:
    """Half a cosine down or up; then it holds, or goes back and forth."""
    some = rows.sample
    holding = np.concatenate([length_grid(rows), last_moves(rows)])
    rest, level, swing = scan(half_cosine(np.minimum(some.x / holding[:, None], 1)), some.y)
    starts = [(float(rest[k]), "hold", level[k] + swing[k], level[k], holding[k]) for k in np.argsort(rest)[:2]]
    rising = _periods(rows)
    if len(rising):
        rest, level, swing = scan(half_cosine(some.x / rising[:, None]), some.y)
        starts += [(float(rest[k]), "rise", level[k] + swing[k], level[k], rising[k]) for k in np.argsort(rest)[:3]]
    yield from settled(((_HOLD if after == "hold" else _RISE, theta) for _, after, *theta in sorted(starts)), rows)


def restarts(rows: Rows) -> Iterator[Schedule]:
    """Half cosines with a jump back up between them."""
    for first, t_mul in _restart_periods(rows):
        yield from _restarts(rows, first, t_mul)


def cycles(rows: Rows) -> Iterator[Schedule]:
    """Half a cosine several times in a length that is no whole number of them, or that ends before the rows."""
    up = jumps_up(rows)
    if not 0 < len(up) <= MOST_CYCLES:
        return
    number = np.arange(1, len(up) + 1)
    low, high = float((rows.t[up - 1] / number).max()), float((rows.t[up] / number).min())
    some, found = rows.sample, []
    for count in (each / 2 for each in range(2 * len(up) + 1, 2 * MOST_CYCLES + 1)):
        overs = np.array(tidy_wholes(max(count * low, float(rows.t[up[-1]])) + 1e-6, count * high, rows.unit))
        overs = overs[(overs % count != 0) | (overs < rows.t[-1])] if len(overs) else overs
        if not len(overs):
            continue
        columns = np.where(some.x < overs[:, None], half_cosine(np.mod(count * some.x / overs[:, None], 1)), 0.0)
        rest, level, swing = scan(columns, some.y)
        for place in np.flatnonzero(rest <= 2 * rest.min())[:MOST_LENGTHS]:
            over = int(overs[place])
            ends_later = over > rows.t[-1] + rows.gap  # a run mostly ends with its schedule
            likely = float(rest[place]), (ends_later, count % 1, count, whole_digits(over, rows.unit))
            found.append((*likely, over, [level[place] + swing[place], level[place]]))
    least = min(found, default=(0.0,))[0]
    close = [each for each in found if each[0] <= 2 * least + some.absolute.max()]
    for _, (_, _, count, _), over, theta in sorted(close, key=lambda each: each[1])[:MOST_LENGTHS]:
        yield from settled([(_cycles_family(count, over), theta)], rows)


def _cycles_family(count: float, over: int) -> Family:
    def form(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
        part = np.where(t < over, half_cosine(np.mod(count * t, over) / over), 0.0)
        return np.asarray(theta[1] + (theta[0] - theta[1]) * part)

    def build(p: list[float]) -> Schedule:
        return CosineCycles(initial=p[0], floor=max(0.0, p[1]), over=steps(over), cycles=count)

    return Family(form, build)


def half_cosine(part: np.ndarray) -> np.ndarray:
    """``(1 + cos(pi * part)) / 2``."""
    return np.asarray(np.cos(np.pi / 2 * part) ** 2)


def _periods(rows: Rows) -> np.ndarray:
    """Half periods from the turning points; all small ones if rows are too far apart to show them."""
    high, low = rows.turns
    turns = np.sort(np.concatenate([high, low]))
    found: list[float] = []
    if len(turns):
        first, last = float(rows.t[turns[0]]), float(rows.t[turns[-1]])
        for count in {len(turns), max(1, round(last / first)) if first else 1}:
            off = max(rows.gap, 0.02 * first)
            found += list(np.linspace(max(1.0, (last - off) / count), (last + off) / count, 41))
        found += list(np.linspace(max(1.0, first - rows.gap), first + rows.gap, 21))
    if len(turns) > len(rows) / 16:
        found += list(np.arange(1.0, min(512.0, float(rows.t[-1]) + 1)))
    elif not len(turns):
        return np.zeros(0)
    return np.unique(found)


def _restart_periods(rows: Rows) -> Iterator[tuple[float, float]]:
    """First periods with their growth, the likeliest first."""
    up = jumps_up(rows)
    if not len(up):
        return
    begins = [(float(rows.t[row - 1]) + 1, float(rows.t[row])) for row in up[:60]]
    low, high = begins[0]
    firsts = np.arange(low, min(high, low + 100) + 1)
    if len(firsts) > 1 and up[0] >= 4:
        head = rows.part(0, int(up[0])).sample
        firsts = firsts[np.argsort(scan(half_cosine(head.t / firsts[:, None]), head.y)[0])]
    found = [(first, t_mul) for first in firsts[:3] for t_mul in _growths(rows, first, begins)]
    if 1 < rows.gap <= 512 and (len(up) > len(rows) / 16 or up[0] < 4):
        found += _folded(rows)
    seen = dict.fromkeys(each for each in found if (each[1] == 1 or 1.001 <= each[1] <= 100) and each[0] <= LONGEST)
    some = rows.sample
    ordered = []
    for first, t_mul in seen:
        i, x = _places(some.x, first, t_mul)
        rest = scan(half_cosine(x)[None, :], some.y)[0][0] if i.max() else np.inf
        ordered.append((float(rest), first, t_mul))
    # rows far apart show each period as well as a longer one that they see in whole
    alike = max(2 * min(ordered, default=(0.0,))[0], float(np.median(some.absolute)))
    ordered.sort(key=lambda each: (each[0] > alike, each[1] < 2 * rows.gap, each))
    yield from [(first, t_mul) for rest, first, t_mul in ordered[:3] if rest < 0.02 * rows.peak]
    yield from list(seen)[:6]


def _growths(rows: Rows, first: float, begins: list[tuple[float, float]]) -> list[float]:
    """Possible t_mul: roughly from the second jump, well from the last one, or from the shape of the second period."""
    if len(begins) == 1:
        return _growth_by_shape(rows, first)
    low, high = (begins[1][0] - first) / first, (begins[1][1] - first) / first
    low, high = max(low, 1.0), max(high, 1.0)
    middle = (low + high) / 2
    for count, (before, after) in enumerate(begins[2:14], 3):
        if np.isfinite(after):
            low, high = _narrowed(low, high, first, count, before, after)
        if low > high:
            return [1.0, shortest(middle, middle * 0.05)]
    found = [shortest((low + high) / 2, (high - low) / 2 + 1e-12), rounded((low + high) / 2, 4)]
    return list(dict.fromkeys([*([1.0] if low <= 1.0 <= high else []), *found, *_nearby(low, high)]))


def _nearby(low: float, high: float) -> list[float]:
    return [
        each / 100 for each in range(int(low * 100), int(min(high, low + 0.3) * 100) + 2) if low <= each / 100 <= high
    ]


def _narrowed(low: float, high: float, first: float, count: int, before: float, after: float) -> tuple[float, float]:
    """The part of an interval of t_mul for which period `count` begins after `before` and at most at `after`."""

    def begin(t_mul: float) -> float:
        return first * sum(t_mul**each for each in range(min(count, 60)))

    def crossing(target: float) -> float:
        one, other = low, high
        for _ in range(40):
            middle = (one + other) / 2
            one, other = (middle, other) if begin(middle) < target else (one, middle)
        return (one + other) / 2

    new_low = crossing(before - 1 + 1e-6) if begin(low) < before - 1 else low
    new_high = crossing(after) if begin(high) > after else high
    return (new_low, new_high) if begin(low) <= after and begin(high) > before - 1 else (1.0, 0.0)


def _growth_by_shape(rows: Rows, first: float) -> list[float]:
    after = int(np.searchsorted(rows.t, first))
    tail = rows.part(after, None, int(first)).sample
    if len(tail) < 4:
        return [1.0, 2.0]
    last = float(tail.t[-1]) + 1
    tried = np.unique(np.concatenate([np.arange(100, 1001) / 100, np.geomspace(1, 100, 200)]))
    tried = tried[tried * first >= last - 1]
    if not len(tried):
        return []
    rest, _, _ = scan(half_cosine(tail.t / (first * tried)[:, None]), tail.y)
    return [float(tried[k]) for k in np.argsort(rest)[:4]]


def _folded(rows: Rows) -> list[tuple[float, float]]:
    """Short periods, for rows that are too far apart to show them: tries all."""
    some = rows.sample
    firsts = np.arange(2.0, min(1024.0, float(some.t[-1])))
    rest, _, _ = scan(half_cosine((some.x % firsts[:, None]) / firsts[:, None]), some.y)
    return [(float(firsts[k]), 1.0) for k in np.argsort(rest)[:2]]


def _places(t: np.ndarray, first: float, t_mul: float) -> tuple[np.ndarray, np.ndarray]:
    """The period of each step and the elapsed part of it."""
    if t_mul == 1:
        return t // first, (t % first) / first
    begins = CosineRestarts(initial=1, floor=0, first=steps(first), t_mul=t_mul, m_mul=1).begins(
        int(first), int(t.max(initial=0))
    )
    i = np.searchsorted(begins, t, side="right") - 1
    return i.astype(np.float64), (t - begins[i]) / (first * t_mul**i)


def _restarts(rows: Rows, first: float, t_mul: float) -> Iterator[Schedule]:
    """The remaining parameters are linear in the rates, except m_mul."""
    some = rows.sample
    i, x = _places(some.x, first, t_mul)
    if not (i > 0).any():
        return
    tried = np.unique(np.concatenate([np.arange(1, 41) / 20, np.geomspace(0.01, 20, 60)]))
    rest, level, swing = scan(half_cosine(x) * np.minimum(tried[:, None] ** i, 1e30), some.y)

    def form(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
        i, x = _places(t, first, t_mul)
        return np.asarray(theta[1] + (theta[0] - theta[1]) * theta[2] ** i * half_cosine(x))

    def build(p: list[float]) -> Schedule:
        return CosineRestarts(initial=p[0], floor=max(0.0, p[1]), first=steps(first), t_mul=t_mul, m_mul=p[2])

    best = int(rest.argmin())
    yield from settled([(Family(form, build), [level[best] + swing[best], level[best], tried[best]])], rows)


def _cosine_family(after: Literal["hold", "rise"]) -> Family:
    def form(theta: np.ndarray, t: np.ndarray) -> np.ndarray:
        initial, floor, over = theta
        part = np.minimum(t / over, 1) if after == "hold" else t / over
        return np.asarray(floor + (initial - floor) * half_cosine(part))

    def build(p: list[float]) -> Schedule:
        return CosineDecay(initial=p[0], floor=max(0.0, p[1]), over=steps(p[2]), after=after)

    return Family(form, build, whole=(2,))


_HOLD, _RISE = _cosine_family("hold"), _cosine_family("rise")
