"""Structure of the rows without any formula: where rates hold, change, jump up and turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .rows import Rows


@dataclass(frozen=True, eq=False)
class Runs:
    """Consecutive rows of the same rate.

    Attributes:
        first, last: int64, shape (k,): the step of the first and of the last row of each run.
        value: float64, shape (k,): its rate.
        half: The rounding of its written digits.
        count: int64, shape (k,): its rows.
    """

    first: np.ndarray
    last: np.ndarray
    value: np.ndarray
    half: np.ndarray
    count: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def head(self, most: int) -> Runs:
        """The first of them."""
        return Runs(self.first[:most], self.last[:most], self.value[:most], self.half[:most], self.count[:most])


def runs_of(rows: Rows, loose: float = 0.0) -> Runs:
    """The runs of a trace, in one pass.

    Args:
        loose: Fraction of the tolerance by which two rows may differ and still have the same rate.
    """
    y = rows.y
    apart = y[1:] != y[:-1]
    if loose:
        apart = np.abs(np.diff(y)) > loose * np.minimum(rows.relative[1:], rows.relative[:-1])
    begin = np.concatenate([[0], np.flatnonzero(apart) + 1])
    end = np.concatenate([begin[1:], [len(y)]]) - 1
    return Runs(rows.t[begin], rows.t[end], y[begin], rows.rounding[begin], end - begin + 1)


def leading(which: np.ndarray) -> int:
    """How many are true before the first that is not."""
    return len(which) if which.all() else int(which.argmin())


def jumps_up(rows: Rows) -> np.ndarray:
    """Rows whose rate is well above that of the previous row and is followed by a fall: int64."""
    move = np.diff(rows.y)
    falls_then = np.append(move[1:] <= 0, True)
    return np.flatnonzero((move > 1e-5 * rows.peak) & falls_then) + 1


def epoch_lengths(rows: Rows) -> Iterator[int]:
    """Steps per epoch that explain where the rates change, the likeliest first.

    A length S fits if a multiple of S falls into every gap with a change and into hardly any other gap.
    """
    changed = rows.y[1:] != rows.y[:-1]
    places = np.flatnonzero(changed)
    if len(places) < 3:
        return
    if (np.diff(rows.t[places + 1]) > 0).all() and rows.gap == 1:
        common = int(np.gcd.reduce(rows.t[places + 1]))
        if common > 1:
            yield common
        return
    yield from _thinned_lengths(rows.t, changed)


def _thinned_lengths(t: np.ndarray, changed: np.ndarray) -> Iterator[int]:
    last_change = int(np.flatnonzero(changed)[-1]) + 1
    t, changed = t[: last_change + 1], changed[:last_change]
    count = int(changed.sum())
    if count > 0.9 * len(changed):
        return
    span = float(t[-1] - t[0])
    low, high = max(2, int(span / (count * 1.3 + 2))), int(span / max(1, count - 1)) + 2
    if high - low > 4000:
        return
    for size in range(low, high):
        crossed = np.diff(t[:2000] // size) > 0
        still = ~changed[: len(crossed)]
        if (crossed | still).all() and (crossed & still).mean() < 0.02:
            yield size
