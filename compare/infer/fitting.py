"""From a rough guess to a schedule: Gauss-Newton, then tidy numbers, one parameter after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from samestep.experiment.schedules import Schedule

from ..tolerance import SMALLEST
from .numbers import LONGEST, shorter
from .rows import TIGHT, Rows

Form = Callable[[np.ndarray, np.ndarray], np.ndarray]
Places = tuple[int, ...]

NEARLY = 6.0
"""A real-valued fit may miss by this many tolerances and still be rounded to tidy numbers: drift may explain it."""

CLOSE = 1.25
"""Least squares may miss by this many tolerances where the right number, with all others right, does not: most of all
where the rows were rounded to few digits, which leaves errors as large as the tolerance."""

START = 0.06
"""Refine a guess only if its RMS error is below this fraction of the range of rates."""


@dataclass(frozen=True)
class Family:
    """A form of schedules whose durations are real numbers, so that they can be refined like rates.

    Attributes:
        form: ``form(parameters, t) -> rates``, float64 arrays.
        build: Makes the schedule from a list of parameters; may raise ValueError.
        whole: Places of the parameters that are a whole number of steps. Those are tidied first, from left to right.
        inverse: Places of those whose inverse a person writes.
        given: Places of those that stay as they are guessed.
        order: Places in the order in which they are tidied, where it is another.

    float32 rounds all of these at the size of the peak rate.
    """

    form: Form
    build: Callable[[list[float]], Schedule]
    whole: Places = ()
    inverse: Places = ()
    given: Places = ()
    order: Places = ()


class Problem:
    """One family against the rows of a sample, with errors in units of the tolerance, or of `TIGHT` if `tight`."""

    def __init__(self, family: Family, rows: Rows, tight: bool) -> None:
        allowed = np.maximum(TIGHT * rows.peak, SMALLEST) if tight else rows.absolute
        self.family, self.t, self.y = family, rows.x, rows.y
        self.weight = np.broadcast_to(1 / allowed, rows.y.shape)
        self.peak = rows.peak

    def errors(self, theta: np.ndarray) -> np.ndarray:
        """The error of each row in units of the tolerance."""
        errors = (self.family.form(theta, self.t) - self.y) * self.weight
        sound = bool(np.isfinite(errors.sum()))
        return np.asarray(errors if sound else np.nan_to_num(errors, nan=1e30, posinf=1e30, neginf=-1e30))

    def worst(self, theta: np.ndarray) -> float:
        """The largest error."""
        return float(np.abs(self.errors(theta)).max(initial=0.0))

    def slopes(self, theta: np.ndarray, free: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the errors by the free parameters: scaled to length 1, shape (rows, free); their lengths."""
        columns = []
        for place in np.flatnonzero(free):
            size, least = abs(theta[place]), min(self.peak, 1.0)
            # relative to itself, a floor of 1e-15 would move nothing
            step = 1e-7 * (least if size < 1e-6 * least else size)
            moved = theta.copy()
            moved[place] += step
            columns.append((self.errors(moved) - errors) / step)
        slopes = np.stack(columns, axis=1)
        size = np.linalg.norm(slopes, axis=0)
        size[(size == 0) | ~np.isfinite(size)] = 1.0
        return np.nan_to_num(slopes / size), size

    def refine(self, theta: np.ndarray, free: np.ndarray, rounds: int) -> np.ndarray:
        """Levenberg and Marquardt's least squares over the free parameters; the others stay."""
        if not free.any():
            return theta
        errors = self.errors(theta)
        best, damping, before = float(errors @ errors), 1e-6, np.inf
        for count in range(rounds):
            if count % 4 == 3:
                if best > 0.3 * before and best > len(errors) * NEARLY**2:
                    break  # slow convergence: a wrong guess
                before = best
            slopes, size = self.slopes(theta, free, errors)
            step = _damped(slopes, errors, damping) / size
            trial = theta.copy()
            trial[free] -= step
            now = self.errors(trial)
            total = float(now @ now)
            if total < best:
                done = total > best * (1 - 1e-6)
                theta, errors, best, damping = trial, now, total, damping * 0.1
                if done or total < 1e-6:
                    break
            else:
                damping = max(damping * 30, 1e-9)
                if damping > 1e6:
                    break
        return theta

    def centred(self, theta: np.ndarray, free: np.ndarray, place: int) -> np.ndarray:
        """The only free parameter in the middle of all values at which no error is larger than the tolerance."""
        errors = self.errors(theta)
        slopes, size = self.slopes(theta, free, errors)
        slope = slopes[:, 0] * size[0]
        moving = slope != 0
        ends = np.sort(np.stack([(-1 - errors[moving]) / slope[moving], (1 - errors[moving]) / slope[moving]]), axis=0)
        moved = theta.copy()
        if len(ends[0]) and ends[0].max() <= ends[1].min():
            moved[place] += (ends[0].max() + ends[1].min()) / 2
        return moved

    def reach(self, theta: np.ndarray, free: np.ndarray, place: int) -> float:
        """How far a free parameter may be from its best value while the errors stay within tolerance."""
        slopes, size = self.slopes(theta, free, self.errors(theta))
        inverse = np.linalg.pinv(slopes, rcond=1e-10)
        at = int(free[:place].sum())
        return float(np.abs(inverse[at]).sum() / size[at])


def settled(guesses: Iterable[tuple[Family, Sequence[float]]], rows: Rows) -> Iterator[Schedule]:
    """What `settle` makes of each of some guesses, of those that explain the rows."""
    return filter(None, (settle(family, start, rows) for family, start in guesses))


def settle(family: Family, start: Sequence[float], rows: Rows) -> Schedule | None:
    """The tidiest schedule of a family near `start` that explains the rows; None if there is none."""
    theta = np.array(start, dtype=np.float64)
    free = ~np.isin(np.arange(len(theta)), family.given)
    if not np.isfinite(theta).all():
        return None
    problem = Problem(family, rows.sample, False)
    errors, swing = problem.errors(theta) / problem.weight, float(np.ptp(problem.y))
    if np.sqrt((errors**2).mean()) > START * swing:
        return None
    theta = problem.refine(theta, free, 30)
    if problem.worst(theta) > NEARLY:
        return None
    for tight in (True, False) if rows.exact else (False,):
        problem = Problem(family, rows.sample, tight)
        best = problem.refine(theta, free, 4) if tight else theta
        if problem.worst(best) > NEARLY:
            continue
        for most in (1.0,) if tight else (CLOSE, 1.0):
            schedule = _tidied(problem, best, free, most)
            if schedule is not None and rows.fits(schedule):
                return schedule
    return None


def _tidied(problem: Problem, theta: np.ndarray, free: np.ndarray, most: float) -> Schedule | None:
    """Fix one free parameter after the other at the shortest number that the others can compensate for.

    most : tolerances that an error may be as large as.
    """
    family = problem.family
    places = family.order or sorted(range(len(theta)), key=lambda each: each not in family.whole)
    for place in (each for each in places if free[each]):
        found = _fixed(problem, theta, free, place, most)
        if found is None:
            return None
        theta, free = found, free & (np.arange(len(theta)) != place)
    return next(built([partial(family.build, theta.tolist())]), None)


def _fixed(problem: Problem, theta: np.ndarray, free: np.ndarray, place: int, most: float) -> np.ndarray | None:
    reach = 1.5 * problem.reach(theta, free, place) + 1e-15 * abs(theta[place])
    others = free & (np.arange(len(theta)) != place)
    whole = place in problem.family.whole
    if not (others.any() or whole or place in problem.family.inverse):
        theta = problem.centred(theta, free, place)
    for candidate in _candidates(float(theta[place]), whole, place in problem.family.inverse):
        if abs(candidate - theta[place]) > max(reach, 0.6 if whole else 0.0):
            continue
        trial = theta.copy()
        trial[place] = candidate
        trial = problem.refine(trial, others, 6)
        if problem.worst(trial) <= (most if others.any() else 1.0):
            return trial
    return None


def _candidates(value: float, whole: bool, inverse: bool) -> list[float]:
    if inverse:
        return [1 / each for each in shorter(1 / value) if each] if value > 0 else []
    if not whole:
        return list(shorter(value))
    found = [max(1.0, float(round(each))) for each in shorter(value) if each]
    near = [float(round(value) + each) for each in (-1, 1) if round(value) + each >= 1]
    return [each for each in dict.fromkeys(found + near) if each <= LONGEST]


def _damped(slopes: np.ndarray, errors: np.ndarray, damping: float) -> np.ndarray:
    count = slopes.shape[1]
    left = np.vstack([slopes, np.sqrt(damping) * np.eye(count)])
    right = np.concatenate([errors, np.zeros(count)])
    try:
        return np.asarray(np.linalg.lstsq(left, right, rcond=None)[0])
    except np.linalg.LinAlgError:
        return np.zeros(count)


def scan(columns: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of ``y = a + b * column`` for many columns at once.

    Args:
        columns: float64, shape (k, n).
        y: float64, shape (n,).

    Returns:
        The RMS residual, a and b, each float64 of shape (k,). The residual is infinite if there is no fit.
    """
    columns = np.where(np.isfinite(columns), columns, 0.0)
    middle = columns.mean(axis=1, keepdims=True)
    centred, target = columns - middle, y - y.mean()
    power = (centred**2).sum(axis=1)
    b = np.where(power > 0, centred @ target / np.where(power > 0, power, 1.0), 0.0)
    left = target - b[:, None] * centred
    return np.sqrt((left**2).mean(axis=1)), y.mean() - b * middle[:, 0], b


def built(makes: Iterable[Callable[[], Schedule]]) -> Iterator[Schedule]:
    """The schedules that calls make, without those that the vocabulary does not allow."""
    for make in makes:
        with suppress(ValueError, OverflowError, ZeroDivisionError):  # a ValidationError is a ValueError
            yield make()
