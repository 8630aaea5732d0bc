"""The rows that a schedule has to explain, and the check: a few hundred rows first, all rows last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import ExponentialDecay, InverseTimeDecay, Schedule, ScheduleModel, Warmup

from ..rates import Rates
from ..tolerance import allowed, near_peak

SAMPLE = 240
"""A guess is tried on this many rows before the next guess."""

CHUNK = 1 << 16
TIGHT = 1e-9
"""Relative error of float64 arithmetic; PyTorch's recursions nearly always stay well below it."""


def tolerance_of(schedule: ScheduleModel, step: np.ndarray, rate: np.ndarray, peak: float) -> np.ndarray:
    """The tolerance of `compare.tolerance.rate_tolerance` for some of the rows of a trace: float64.

    Args:
        peak: The highest rate of the whole trace.
    """
    scale, drift = schedule.float32_scale(step, Clock.STEPS), schedule.float32_drift(step, Clock.STEPS)
    return allowed(np.maximum(near_peak(rate, peak), scale), drift)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows counted from where a schedule begins.

    Attributes:
        t: int64, shape (n,), not falling: the step at which the rate of each row was looked up.
        y: float64, shape (n,): rates.
        rounding: float64, shape (n,): half a unit of the last digit written.
        peak: The highest rate of the whole trace.
        exact: Whether the numbers are float64 with all digits, so that parameters are known to 9 digits.
        unit: Steps per epoch if known, else 1; whole epochs count as tidy.
        by_epoch: Whether rates were looked up once per epoch, so that stairs change with an epoch.
    """

    t: np.ndarray
    y: np.ndarray
    rounding: np.ndarray
    peak: float
    exact: bool
    unit: int = 1
    by_epoch: bool = False

    @classmethod
    def of(cls, rates: Rates, step: np.ndarray, unit: int = 1) -> Rows:
        """All rows of a trace.

        Args:
            step: int64, shape (n,): when each rate was looked up.
        """
        held = rates.lr.astype(np.float32).astype(np.float64)
        exact = bool((rates.rounding == 0).all() and (held != rates.lr).any())
        return cls(step, rates.lr, rates.rounding, float(rates.lr.max()), exact, unit)

    def __len__(self) -> int:
        return len(self.t)

    def part(self, begin: int, end: int | None = None, origin: int = 0) -> Rows:
        """Rows from `begin` to before `end`, counted from step `origin`."""
        cut = slice(begin, end)
        return replace(self, t=self.t[cut] - origin, y=self.y[cut], rounding=self.rounding[cut])

    def pick(self, which: np.ndarray) -> Rows:
        """Some of the rows."""
        return replace(self, t=self.t[which], y=self.y[which], rounding=self.rounding[which])

    @cached_property
    def x(self) -> np.ndarray:
        """The steps as float64."""
        return self.t.astype(np.float64)

    @cached_property
    def gap(self) -> int:
        """The usual number of steps between two rows."""
        return max(1, int(np.median(np.diff(self.t[:2000])))) if len(self) > 1 else 1

    @cached_property
    def turns(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows at which rates turn from rising to falling, and from falling to rising: int64 each.

        Rows within rounding of each other do not count as rising or falling.
        """
        move = np.diff(self.y)
        noise = 0.0 if self.exact else 0.5 * float(self.absolute.max(initial=0.0))
        moving = np.flatnonzero(np.abs(move) > noise)
        if len(moving) < 2:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        sign = np.sign(move[moving])
        turned = np.flatnonzero(sign[1:] != sign[:-1])
        place = (moving[turned] + 1 + moving[turned + 1]) // 2  # the middle of a flat stretch
        return place[sign[turned] > 0], place[sign[turned] < 0]

    @cached_property
    def sample(self) -> Rows:
        """A few hundred rows: evenly spread, the first and last ones, and both sides of the largest jumps."""
        n = len(self)
        if n <= SAMPLE:
            return self
        chosen = [np.linspace(0, n - 1, SAMPLE - 80).astype(np.int64), np.arange(12), np.arange(n - 12, n)]
        largest = _largest(np.abs(np.diff(self.y)), 14)
        chosen += [largest, largest + 1]
        return self.pick(np.unique(np.concatenate(chosen)))

    @cached_property
    def some(self) -> Rows:
        """A few thousand rows, at irregular places."""
        n = len(self)
        if n <= 4000:
            return self
        even = np.linspace(0, n - 1, 4000).astype(np.int64)
        wobble = (np.arange(4000) * 7919) % max(1, n // 4000)
        return self.pick(np.unique(np.minimum(even + wobble, n - 1)))

    @cached_property
    def absolute(self) -> np.ndarray:
        """Tolerance of rates that are rounded at the size of the peak: float64, shape (n,)."""
        return np.asarray(allowed(np.array(self.peak)) + self.rounding)

    @cached_property
    def relative(self) -> np.ndarray:
        """Tolerance of rates that are rounded at their own size, unless they are near 0: float64, shape (n,)."""
        return np.asarray(allowed(near_peak(self.y, self.peak)) + self.rounding)

    def fits(self, schedule: Schedule, tight: bool = False) -> bool:
        """Whether a schedule explains a few thousand of the rows, those of the sample first."""
        if self.by_epoch and _changes_within(schedule, self.unit):
            return False
        if self.worst_of(schedule, self.sample, tight) > 1:
            return False
        return self.some is self.sample or self.worst_of(schedule, self.some, tight) <= 1

    def worst_of(self, schedule: Schedule, rows: Rows, tight: bool = False) -> float:
        """The largest error in units of the tolerance; infinite if the schedule cannot be evaluated."""
        error = self._errors(schedule, rows, tight)
        return float("inf") if error is None else float(error.max(initial=0.0))

    def first_miss(self, schedule: Schedule) -> int:
        """The first row that a schedule does not explain; the number of rows if it explains all."""
        for begin, rows in self._chunks():
            error = self._errors(schedule, rows, False)
            missed = np.ones(1) > 0 if error is None else error > 1
            if missed.any():
                return begin + int(missed.argmax())
        return len(self)

    def worst(self, schedule: Schedule) -> float:
        """The largest error of all rows in units of the tolerance; beyond 1, that of the first chunk above 1."""
        worst = 0.0
        for _, rows in self._chunks():
            worst = max(worst, self.worst_of(schedule, rows))
            if worst > 1:
                break
        return worst

    def _chunks(self) -> Iterator[tuple[int, Rows]]:
        size = 1024
        begin = 0
        while begin < len(self):
            yield begin, self.part(begin, begin + size)
            begin, size = begin + size, min(CHUNK, size * 4)

    def _errors(self, schedule: Schedule, rows: Rows, tight: bool) -> np.ndarray | None:
        try:
            rate = schedule.rate(rows.t, Clock.STEPS)
        except (ValueError, OverflowError):
            return None
        if tight:
            scale = np.maximum(schedule.float32_scale(rows.t, Clock.STEPS), np.maximum(rate, rows.y))
            allowed = TIGHT * near_peak(scale, self.peak)
        else:
            allowed = tolerance_of(schedule, rows.t, rate, self.peak)
        error = np.abs(rows.y - rate) / (allowed + rows.rounding)
        return np.asarray(np.where(np.isnan(error), np.inf, error))


def _changes_within(schedule: Schedule, size: int) -> bool:
    """Whether a schedule holds its rate and changes it within an epoch, where nobody who looks once an epoch does."""
    match schedule:
        case ExponentialDecay(staircase=True) | InverseTimeDecay(staircase=True):
            return schedule.every.count % size != 0
        case Warmup():
            return _changes_within(schedule.then, size)
    return False


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Indices of the largest values; for long arrays, of the largest in each of several hundred blocks."""
    size = len(values) // 500
    if size < 8:
        return np.argpartition(values, -count)[-count:]
    blocks = values[: len(values) // size * size].reshape(-1, size)
    inside = blocks.argmax(axis=1)
    best = np.argpartition(blocks[np.arange(len(blocks)), inside], -count)[-count:]
    return np.asarray(best * size + inside[best])
