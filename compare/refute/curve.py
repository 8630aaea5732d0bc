"""The rate of one run at any step, with how well it is known: observed, from its inferred schedule, or in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstant,
    Product,
    Schedule,
    ScheduleModel,
)

from ..infer import Inferred
from ..rates import Rates
from ..tolerance import ULP32, allowed, near_peak, ulp32

UNKNOWN = np.inf
"""Slack of a rate that nothing is known of."""

SHARP = 1e-4
"""Slack of a rate, as a fraction of the highest, up to which it is known well enough to be compared."""

DOUBT = 4
"""Between rows, a rate may be off by this many times the spread of three cubic interpolants."""

BLOCK = 1 << 16
"""Rows of a long run that are worked on at once."""

FEWEST = 6
"""Rows from which on something follows."""


class Known(NamedTuple):
    """What is known of the rate at some steps; all float64, of one shape.

    value : the rate. slack : how far the true one may lie from it, since it was written with few digits or stands
    between two rows; `UNKNOWN` where nothing is known. size : at which float32 rounds it. drift : how far parameters
    in float32 may have led it away.
    """

    value: np.ndarray
    slack: np.ndarray
    size: np.ndarray
    drift: np.ndarray

    def at_rows(self, rows: np.ndarray | slice) -> Known:
        """Some of the rates."""
        return Known(*(column[rows] for column in self))

    def put(self, rows: np.ndarray | slice, other: Known) -> None:
        """Write those of `other` at some rows, in place."""
        for ours, theirs in zip(self, other, strict=True):
            ours[rows] = theirs

    def times(self, factor: np.ndarray | float) -> Known:
        """The same rates, each multiplied."""
        return Known(self.value * factor, self.slack * factor, self.size * factor, self.drift * factor)

    def at_least(self, floor: float) -> Known:
        """The same rates, none under `floor`."""
        return Known(np.maximum(self.value, floor), self.slack, np.maximum(self.size, floor), self.drift)

    def instead(self, where: np.ndarray, other: Known) -> Known:
        """These rates, and those of `other` at some places."""
        return Known(*(np.where(where, theirs, ours) for ours, theirs in zip(self, other, strict=True)))

    def allowed(self, ulp: float = ULP32) -> np.ndarray:
        """How far another rate may lie from `value` and still be the same: rounding, drift and slack."""
        return allowed(self.size, self.drift, self.slack, ulp=ulp)


@dataclass(frozen=True)
class Curve:
    """One run's rates as a function of the step.

    inferred : the schedule that its rows follow, None where none was found.
    rounds_at_peak : whether, without a schedule, float32 may have rounded every rate at the size of the highest one.
    is_endless : whether its schedule is asked beyond the last row as well, for a claim that other rows may then refute.
    epoch : steps of an epoch, where they are known; else 1.
    """

    rates: Rates
    inferred: Inferred | None
    rounds_at_peak: bool = True
    is_endless: bool = False
    epoch: int = 1

    @property
    def schedule(self) -> Schedule | None:
        """The schedule that its rows follow, with durations in steps; None where none was found."""
        return None if self.inferred is None else self.inferred.schedule

    @cached_property
    def peak(self) -> float:
        """The highest rate."""
        return float(self.rates.lr.max())

    @cached_property
    def last(self) -> int:
        """The last step with a row."""
        return int(self.rates.step[-1])

    @cached_property
    def stride(self) -> int:
        """Steps from row to row, where that is the same throughout; else 0. 1 for a single row."""
        steps = self.rates.step
        if len(steps) == 1:
            return 1
        if int(steps[-1] - steps[0]) % (len(steps) - 1):
            return 0
        apart = int(steps[1] - steps[0])
        return apart if (np.diff(steps) == apart).all() else 0

    @cached_property
    def changes(self) -> np.ndarray:
        """Rows at which the rate is another than in the row before, beyond the digits that it was written with."""
        lr, rounding = self.rates.lr, self.rates.rounding
        least = rounding[1:] + rounding[:-1]
        if np.array_equal(lr, lr.astype(np.float32)):  # the same step asked twice may differ in float32's last bit
            least = least + 1.5 * ulp32(lr[1:])
        return np.flatnonzero(np.abs(np.diff(lr)) > least) + 1

    @cached_property
    def is_stepwise(self) -> bool:
        """Whether the rate holds for several rows and then jumps."""
        rows = len(self.rates)
        return rows > 4 and len(self.changes) <= 0.6 * (rows - 1) and not self._is_flattened

    @cached_property
    def _is_flattened(self) -> bool:
        """Whether it holds only because it was rounded: every jump is as small as rounding makes it."""
        if not len(self.changes):
            return False
        lr, rounding = self.rates.lr, self.rates.rounding
        jumps = np.abs(np.diff(lr))[self.changes - 1]
        unit = 2 * rounding[self.changes] + 2 * ulp32(lr[self.changes])
        return bool((jumps <= 2 * unit).mean() > 0.5)

    def at(self, step: np.ndarray) -> Known:
        """The rate at these steps: int64 of any values; a step before 0 has the rate of step 0.

        An observed row first; else the inferred schedule; else, between two rows, what they leave open.
        """
        if step is self.rates.step:
            return self.observed
        wanted = np.maximum(step, 0)
        row, there = self._rows_of(wanted)
        if there.all():
            return self.observed.at_rows(_as_slice(row))
        elsewhere = wanted[~there]
        known = Known(*(np.empty(step.shape) for _ in range(4)))
        known.put(there, self.observed.at_rows(row[there]))
        known.put(~there, self.known(elsewhere, *self._elsewhere(elsewhere)))
        return known

    @cached_property
    def observed(self) -> Known:
        """The rates of its own rows."""
        rates, known = self.rates, Known(*(np.empty(len(self.rates)) for _ in range(4)))
        for rows in blocks(len(rates)):
            known.put(rows, self.known(rates.step[rows], rates.lr[rows], rates.rounding[rows]))
        return known

    def known(self, step: np.ndarray, lr: np.ndarray, slack: np.ndarray) -> Known:
        """What is known of rates at these steps, with the size and the drift that this run's would have."""
        size, drift = self.bent(step)
        near = np.maximum(near_peak(lr, self.peak), size)
        return Known(lr, slack, near, drift)

    def has(self, step: np.ndarray) -> np.ndarray:
        """Whether there is a row for each of these steps: bool."""
        return self._rows_of(step)[1]

    def _rows_of(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The row of each step, or the one before it, and whether it is there."""
        steps = self.rates.step
        if self.stride:
            row = np.clip((step - steps[0]) // self.stride, 0, len(steps) - 1)
        else:
            row = np.clip(np.searchsorted(steps, step, side="right") - 1, 0, len(steps) - 1)
        return row, steps[row] == step

    def _elsewhere(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.inferred is None:
            return self._between(step)
        # a schedule seen for a while may go on otherwise
        slack = np.where(self.is_endless | self.has_ended | (step <= self.last), 0.0, UNKNOWN)
        if self._is_loose:
            after = np.clip(np.searchsorted(self.rates.step, step), 1, len(self.rates) - 1)
            slack += np.abs(self.rates.lr[after] - self.rates.lr[after - 1])
        goes_on = self.is_endless or self.has_ended
        return self.inferred.rate(step if goes_on else np.minimum(step, self.last)), slack

    @cached_property
    def shows_end(self) -> bool:
        """Whether it has rows after the end of its schedule."""
        length = None if self.schedule is None else self.schedule.length(Clock.STEPS)
        return length is not None and length < self.last

    @cached_property
    def has_ended(self) -> bool:
        """Whether its schedule was seen to its end, and holds from there on."""
        assert self.schedule is not None
        length = self.schedule.length(Clock.STEPS)
        return length is not None and self.schedule.after_end == "hold" and length <= self.last + max(self.stride, 1)

    @cached_property
    def _is_loose(self) -> bool:
        """Whether its schedule jumps at steps between rows, so that the rows do not tell where."""
        schedule = self.schedule
        if schedule is None or self.stride == 1 or len(self.rates) < 2:
            return False
        seen = self.stride == self.epoch or (2 * self.stride <= self.epoch and len(self.changes) >= FEWEST)
        by_epoch = self.inferred is not None and self.inferred.steps_per_epoch == self.epoch > 1
        if seen and (by_epoch or _changes_with(schedule, self.epoch)):
            return False
        if getattr(schedule, "staircase", False):  # evenly: each change narrows the period down
            return not self.stride or len(self.changes) < self.stride
        return _jumps(schedule)

    def _between(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rates between rows: the same where both neighbours are; else along a polynomial, in doubt where it bends."""
        steps, lr = self.rates.step, self.rates.lr
        value, slack = np.zeros(step.shape), np.full(step.shape, UNKNOWN)
        inside = (step > steps[0]) & (step < steps[-1])
        if not inside.any():
            return value, slack
        at = step[inside]
        after = np.searchsorted(steps, at, side="right")
        low, high = lr[after - 1], lr[after]
        middle, half = (low + high) / 2, np.abs(high - low) / 2
        if not self.is_stepwise and len(lr) >= 6:
            before, across, beyond = (_interpolated(steps, lr, at, after + late, 4) for late in (-1, 0, 1))
            # large where the curve has a corner
            doubt = DOUBT * np.maximum(np.abs(before - across), np.abs(beyond - across))
            smooth = (doubt <= half) & (low != high)
            middle = np.where(smooth, _interpolated(steps, lr, at, after, 6), middle)
            half = np.where(smooth, doubt, half)
        value[inside] = middle
        slack[inside] = half + np.maximum(self.rates.rounding[after - 1], self.rates.rounding[after])
        return value, slack

    def bent(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The size at which float32 rounds, and the drift; of a schedule that is not known, the peak and none."""
        if self.inferred is None:
            return np.full(step.shape, self.peak if self.rounds_at_peak else 0.0), np.zeros(step.shape)
        seen = step if self.is_endless else np.minimum(step, self.last)
        return self.inferred.float32_scale(seen), self.inferred.float32_drift(seen)


def blocks(rows: int) -> Iterator[slice]:
    """All rows in parts that a processor's cache holds."""
    return (slice(begin, min(begin + BLOCK, rows)) for begin in range(0, rows, BLOCK))


def _as_slice(rows: np.ndarray) -> np.ndarray | slice:
    """Rows that follow one another as a slice, which copies nothing."""
    if not len(rows) or (np.diff(rows) != 1).any():
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1)


def _changes_with(schedule: ScheduleModel, epoch: int) -> bool:
    """Whether every jump of a schedule comes with an epoch of so many steps."""
    match schedule:
        case PiecewiseConstant():
            return all(each.count % epoch == 0 for each in schedule.boundaries)
        case ExponentialDecay(staircase=True) | InverseTimeDecay(staircase=True):
            return schedule.every.count % epoch == 0
        case Product():
            return all(_changes_with(each, epoch) for each in schedule.schedules)
    return False


def _jumps(schedule: ScheduleModel) -> bool:
    """Whether a schedule, or one within it, holds its rate and then jumps."""
    if isinstance(schedule, PiecewiseConstant) or getattr(schedule, "staircase", False):
        return True
    return any(_jumps(each) for each in schedule.parts())


@dataclass(frozen=True)
class Predicted(Curve):
    """A run as a claim predicts it from another one."""

    predict: Callable[[np.ndarray], Known] = field(kw_only=True)

    @classmethod
    def on(cls, step: np.ndarray, predict: Callable[[np.ndarray], Known]) -> Predicted | None:
        """With a row at each of these steps that is predicted; None where these are too few, or all the same."""
        rates = predict(step)
        known = rates.slack <= SHARP * rates.value.max()
        if known.sum() < max(FEWEST, len(step) / 4) or np.ptp(rates.value[known]) < 1e-3 * rates.value.max():
            return None
        return cls(Rates(step[known], rates.value[known], rates.slack[known]), None, predict=predict)

    def at(self, step: np.ndarray) -> Known:
        """As the claim predicts it."""
        return self.predict(np.maximum(step, 0))

    def bent(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As the claim predicts it."""
        rates = self.at(step)
        return rates.size, rates.drift


def _interpolated(steps: np.ndarray, lr: np.ndarray, at: np.ndarray, after: np.ndarray, points: int) -> np.ndarray:
    """Lagrange's polynomial through the nearest rows, in its barycentric form; `at` is none of the rows."""
    first = np.clip(after - points // 2, 0, len(lr) - points)
    near = first[:, None] + np.arange(points)
    nodes = steps[near].astype(np.float64)
    apart = nodes[:, :, None] - nodes[:, None, :]
    apart[:, np.arange(points), np.arange(points)] = 1.0
    weight = 1 / (apart.prod(axis=2) * (at[:, None] - nodes))
    return np.asarray((weight * lr[near]).sum(axis=1) / weight.sum(axis=1))
