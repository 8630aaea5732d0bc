"""Rates that hold and change: the number of decays before each rate, and of steps between decays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..tolerance import NEAR_ZERO, ULP32, ulp32
from .numbers import tidy_whole
from .rows import Rows
from .structure import Runs, leading

MOST_STAIRS = 8
"""So many times the stairs of the larger rates may be counted on, before errors add up."""


@dataclass(frozen=True)
class Stairs:
    """A staircase: ``z = level + rise * floor(t / every)``.

    Attributes:
        reach: The uncertainty of `rise`.
    """

    level: float
    rise: float
    every: int
    reach: float


def stairs(rows: Rows, runs: Runs, of: Callable[[np.ndarray], np.ndarray]) -> Iterator[Stairs]:
    """Every staircase whose changes agree with those of ``of(lr)``.

    Rows may be so far apart that several stairs lie between two of them.
    """
    everything = runs.head(4000)
    runs = everything.head(leading(everything.value > max(NEAR_ZERO * rows.peak, 1e-300)))
    if len(runs) < 2:
        return
    z = of(runs.value)
    doubt = np.abs(of(runs.value + np.minimum(ULP32 / 2 * ulp32(runs.value) + runs.half, runs.value / 2)) - z)
    count = _counts(np.diff(z), doubt[1:] + doubt[:-1])
    if count is None:
        return
    p = np.concatenate([[0], np.cumsum(count)])
    rise, offset = np.polyfit(p, z, 1) if len(p) > 2 else (float(np.diff(z)[0] / count[0]), float(z[0]))
    reach = float((doubt[0] + doubt[-1]) / p[-1])
    more, q = _beyond(everything, of, float(rise), float(offset), float(p[-1]))
    for before, every in _periods(rows, more, q) if len(q) > len(p) else ():
        yield Stairs(float(offset - before * rise), float(rise), every, reach)
    for before, every in _periods(rows, runs, p):
        yield Stairs(float(offset - before * rise), float(rise), every, reach)


def _beyond(
    runs: Runs, of: Callable[[np.ndarray], np.ndarray], rise: float, offset: float, last: float
) -> tuple[Runs, np.ndarray]:
    """As many rates as lie on the stairs, the small ones too, and the stairs before each: they bound the period."""
    some = runs.head(leading(runs.value > np.maximum(4 * runs.half, 1e-300)))
    stairs = (of(some.value) - offset) / rise
    near = np.rint(stairs)
    rises = np.concatenate([[True], np.diff(near) >= 1])
    count = leading((np.abs(stairs - near) < 0.1) & rises & (near <= MOST_STAIRS * max(last, 1)))
    return runs.head(count), near[:count]


def _counts(moves: np.ndarray, doubt: np.ndarray) -> np.ndarray | None:
    """The number of stairs in each move, all in one direction; None if the moves have no common stair."""
    size = np.abs(moves)
    if not ((moves > 0).all() or (moves < 0).all()) or (size <= doubt).any():
        return None
    noise = float(doubt.max()) * 2
    ordered = np.sort(size)
    between = np.diff(ordered)
    guess = min([float(ordered[0]), *between[between > noise].tolist()])
    for part in (1, 2, 3, 4):
        stair = guess / part
        for _ in range(3):  # a better stair from the larger moves
            count = np.rint(size / stair)
            if (count < 1).any():
                break
            stair = float((count * size).sum() / (count**2).sum())
        if (count >= 1).all() and (np.abs(size - count * stair) <= doubt + 1e-12 * size).all():
            return np.asarray(count, dtype=np.int64)
    return None


def _periods(rows: Rows, runs: Runs, p: np.ndarray) -> Iterator[tuple[int, int]]:
    """Possible pairs: stairs before the first row, and steps of one stair."""
    first, last = runs.first.astype(np.float64), runs.last.astype(np.float64)
    if first[0] == 0:
        before = [0]
    else:
        guess = first[0] * p[-1] / max(1.0, first[-1] - first[0])
        near = max(2, int(guess / max(1, p[-1])) + 1)
        before = [each for each in range(int(guess) - near, int(guess) + near + 1) if each >= 0][:200]
    fitting = []
    for each in before:
        q = p + each
        with np.errstate(divide="ignore"):
            high = float((first / np.where(q > 0, q, np.nan))[q > 0].min(initial=np.inf))
        for late in (0, 1):  # compiled code has some stairs a step late
            low = float(((last - late) / (q + 1)).max())
            every = tidy_whole(np.floor(low) + 1, high, rows.unit) if high >= low else None
            if every is not None:
                fitting.append((each, every))
                break
    yield from fitting[:6]
