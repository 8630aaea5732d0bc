"""The search: guesses on some of the rows, then the check on all rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import islice

import numpy as np

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import PiecewiseConstant, Schedule, Warmup
from samestep.experiment.schedules.base import LARGEST

from ..rates import Rates
from ..tolerance import ULP32, ulp32
from .guesses import is_long, schedules_of
from .numbers import cost, longest_number
from .rows import Rows
from .structure import epoch_lengths
from .tabled import Tabled


@dataclass(frozen=True, eq=False)
class Inferred:
    """A schedule that explains every row of a trace.

    Attributes:
        schedule: With all durations in steps.
        stepping: ``step``, or ``epoch`` if the rate was looked up once per `steps_per_epoch` steps.
        steps_per_epoch: S of ``t(n) = S * floor(n / S)``; 1 if stepping is ``step``.
        max_error: The largest error of a row divided by its tolerance, at most 1; the tolerance includes the
            rounding of written digits.
        peak: The highest rate of the trace; rates far below it are compared with its size.
    """

    schedule: Schedule
    stepping: Stepping
    steps_per_epoch: int
    max_error: float
    peak: float

    def looked_up(self, step: np.ndarray | int) -> np.ndarray:
        """The step at which the rate of each update was looked up: int64, the shape of `step`."""
        steps = np.asarray(step, dtype=np.int64)
        return steps - steps % self.steps_per_epoch

    def rate(self, step: np.ndarray | int) -> np.ndarray:
        """The schedule's rate at any steps, including steps outside the trace: float64, the shape of `step`.

        Beyond the range of float32 the rate of a growing schedule stays at 3e38.
        """
        return self._rates(self.looked_up(step))

    def float32_scale(self, step: np.ndarray) -> np.ndarray:
        """The size at which float32 rounds at steps of the trace, if larger than the rate: float64."""
        return self._scales(self.looked_up(step))

    def float32_drift(self, step: np.ndarray) -> np.ndarray:
        """The drift of the rate from float32 parameters at steps of the trace, absolute: float64."""
        return self._drifts(self.looked_up(step))

    @cached_property
    def _rates(self) -> Tabled:
        return Tabled(lambda t: _held_back(self.schedule, self.schedule.rate, t, LARGEST))

    @cached_property
    def _scales(self) -> Tabled:
        return Tabled(lambda t: _held_back(self.schedule, self.schedule.float32_scale, t))

    @cached_property
    def _drifts(self) -> Tabled:
        return Tabled(lambda t: _held_back(self.schedule, self.schedule.float32_drift, t))


def infer(rates: Rates, clock: Clock | None = None) -> Inferred | None:
    """Find the simplest schedule of the vocabulary that explains every row.

    Args:
        rates: The recorded rates; rows may be missing.
        clock: The steps per epoch, if known. Rates looked up once per epoch are then recognised in thinned logs as
            well, and a number of steps that is a whole number of epochs counts as tidy.

    Returns:
        The schedule, or None if no schedule of the vocabulary explains all rows with few parameters. A long trace is
        thinned first: a schedule of the thinned rows is checked on all rows, and without one there is none.

    >>> step = np.arange(100)
    >>> found = infer(Rates.of(step, 0.1 * 0.95 ** (step // 25)))
    >>> found.schedule.factor, str(found.schedule.every), found.schedule.staircase, found.stepping
    (0.95, '25 steps', True, 'step')
    """
    if not 0 < float(rates.lr.max()) <= LARGEST or _is_noise(rates):
        return None
    with np.errstate(all="ignore"):
        unit = clock.steps_per_epoch if clock else 1
        apart = len(rates) // (_MANY if len(rates) < 10 * _MANY else _FEW)
        if apart > 1:
            part = _searched(rates.rows(slice(None, None, apart)), unit)
            whole = part and _checked(rates, part.schedule, part.steps_per_epoch)
            if part is None or whole:
                return whole
        return _searched(rates, unit)


def _is_noise(rates: Rates) -> bool:
    """Whether rates go up and down at most of the rows and hardly any rate repeats, as in no schedule."""
    lr = rates.lr[:_MANY]
    moves = np.diff(lr)
    moves = moves[np.abs(moves) > rates.rounding[: len(moves)] + 4 * ULP32 * ulp32(lr[1:])]
    if len(moves) < _MANY // 400:
        return False
    turns = float((np.sign(moves[1:]) != np.sign(moves[:-1])).mean())
    return 0.55 < turns < 0.8 and len(np.unique(lr)) > 0.9 * len(lr)


def _searched(rates: Rates, unit: int) -> Inferred | None:
    whole = Rows.of(rates, rates.step, unit)
    found = _first(rates, whole, 1)
    if found is not None and not is_long(found.schedule) and not _may_be_late(whole, found.schedule):
        return found
    both = filter(None, (found, _per_epoch(rates, whole, unit)))
    return min(both, key=lambda each: cost(each.schedule, unit), default=None)


def _first(rates: Rates, rows: Rows, size: int) -> Inferred | None:
    """The first schedule of some of the rows that explains every row."""
    return next(filter(None, (_checked(rates, each, size) for each in schedules_of(rows))), None)


def _per_epoch(rates: Rates, whole: Rows, unit: int) -> Inferred | None:
    late = [whole.gap] if unit == 1 and whole.gap > 1 and int(whole.t[0]) % whole.gap else []
    for size in dict.fromkeys([*([unit] if unit > 1 else []), *islice(epoch_lengths(whole), 2), *late]):
        t = rates.step - rates.step % size
        first = np.concatenate([[True], t[1:] != t[:-1]])
        if _moves_within(rates, first):
            continue
        found = _first(rates, replace(Rows.of(rates, t, size), by_epoch=True).pick(first), size)
        if found:
            return replace(found, schedule=_at_epochs(found.schedule, size))
    return None


def _may_be_late(rows: Rows, schedule: Schedule) -> bool:
    """Whether each row may be the end of an epoch: its numbers are none that somebody writes."""
    return rows.gap > 1 and int(rows.t[0]) % rows.gap > 0 and longest_number(schedule) > LONG


def _at_epochs(schedule: Schedule, size: int) -> Schedule:
    """The same with every boundary at the beginning of an epoch, where its rate is looked up."""
    match schedule:
        case PiecewiseConstant():
            boundaries = tuple(
                replace(each, count=Fraction(-(-each.count // size) * size)) for each in schedule.boundaries
            )
            return schedule.model_copy(update={"boundaries": boundaries})
        case Warmup() if schedule.over.count % size == 0:
            return schedule.model_copy(update={"then": _at_epochs(schedule.then, size)})
    return schedule


def _moves_within(rates: Rates, first: np.ndarray) -> bool:
    """Whether a rate changes within an epoch, so that it is looked up more often."""
    moved = np.abs(np.diff(rates.lr)) > rates.rounding[1:] + rates.rounding[:-1] + 2 * ULP32 * ulp32(rates.lr[1:])
    return bool((moved & ~first[1:]).any())


def _checked(rates: Rates, schedule: Schedule, size: int) -> Inferred | None:
    """The schedule, if it explains every row."""
    rows = Rows.of(rates, rates.step - rates.step % size)
    worst = rows.worst(schedule)
    return Inferred(schedule, "step" if size == 1 else "epoch", size, worst, rows.peak) if worst <= 1 else None


LONG = 8
"""Digits of a number that nobody wrote."""

_MANY = 20_000
_FEW = 6_000


def _held_back(
    schedule: Schedule,
    ask: Callable[[np.ndarray, Clock], np.ndarray],
    t: np.ndarray,
    beyond: float | None = None,
) -> np.ndarray:
    """What a schedule is asked for, up to the last step at which its rates are in the range of float32.

    They may fall again later. beyond : what it has from there on; by default, as at the last such step.
    """
    try:
        return ask(t, Clock.STEPS)
    except ValueError:
        last = _last_within(schedule, t)
    held = ask(np.minimum(t, last), Clock.STEPS)
    return held if beyond is None else np.where(t <= last, held, beyond)


def _last_within(schedule: Schedule, t: np.ndarray) -> int:
    """The last of some steps up to which a schedule has a rate; 0 for none."""
    ordered = np.unique(t)

    def has_none(place: int) -> bool:
        try:
            schedule.rate(ordered[: place + 1], Clock.STEPS)
        except ValueError:
            return True
        return False

    within = bisect_left(range(len(ordered)), True, key=has_none)
    return int(ordered[within - 1]) if within else 0
