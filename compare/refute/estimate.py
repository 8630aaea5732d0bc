"""Candidate parameters for causes: where a rate recurs, aligned changes, short decimals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from samestep.experiment.schedules import ExponentialDecay, Product, Schedule, Sequence, Warmup

from ..infer.numbers import digits, shortest, tidy_whole
from ..rates import Rates
from ..terms import Side
from ..tolerance import NEAR_ZERO, ULP32, allowed, ulp32
from .claim import FEW, Pair
from .curve import Curve, Known

LATE_FIRST: tuple[Side, Side] = ("b", "a")
"""Of two that may have changed, b is the likelier."""

FAST_AND_SLOW: tuple[tuple[Side, Side], ...] = (("b", "a"), ("a", "b"))

COARSEST = 100
"""Steps around an estimate that are tried at most, where rows lie so far apart."""

SPREAD = 1000
"""Rows of a long run that a number is tried on before all."""

MOST_CANDIDATES = 400
"""Values of one parameter that are tried at most."""


def recurring(
    curve: Curve, base: Curve, differs: np.ndarray, rows: int = 3, most: int = 4, near: Callable[[int], int] = int
) -> Iterator[tuple[int, int]]:
    """Steps of a run where its rate moves fastest, each with a step at which another run has the same rate.

    differs : for each row, whether the other run has another rate there. rows, most : how many, and how often each.
    near : where the other is expected to have it; the nearest comes first.
    """
    for row in _steep_rows(curve, differs, rows):
        step, lr, rounding = int(curve.rates.step[row]), curve.rates.lr[row], curve.rates.rounding[row]
        for again in _found_again(base, float(lr), float(rounding), near(step), most):
            yield step, again


def _found_again(curve: Curve, value: float, rounding: float, near: int, most: int) -> list[int]:
    """Steps at which a run has this rate, the nearest to `near` first.

    Where no row has it, the steps between two rows that it lies between.
    """
    steps, lr = curve.rates.step, curve.rates.lr
    rows = np.flatnonzero(np.abs(lr - value) <= allowed(np.asarray(value), rounding, curve.rates.rounding))
    is_between = not len(rows)
    if is_between:
        low, high = np.minimum(lr[:-1], lr[1:]), np.maximum(lr[:-1], lr[1:])
        rows = np.flatnonzero((low <= value) & (value <= high))
    nearest = rows[np.argsort(np.abs(steps[rows] - near), kind="stable")[:most]]
    return [step for row in nearest for step in (_between(curve, row, value) if is_between else [int(steps[row])])]


def _steep_rows(curve: Curve, differs: np.ndarray, most: int) -> list[int]:
    """A few rows whose rate says most about where in the schedule they stand: those at which it moves fastest.

    differs : for each row, whether the other run has another rate there; only those are taken, where there are any.
    """
    lr = curve.rates.lr
    if len(lr) < 3:
        return list(range(len(lr)))
    moves = np.abs(np.gradient(lr))
    if differs.any():
        moves = np.where(differs, moves, 0.0)
    if not moves.any():
        return [int(differs.argmax())]
    candidates = np.flatnonzero(moves > 0.3 * moves.max())
    chosen = candidates[np.linspace(0, len(candidates) - 1, most).astype(np.int64)]
    return sorted({int(each) for each in chosen})


def shifts(pair: Pair) -> list[int]:
    """Numbers k for which b(n) = a(n + k) is worth a trial, the simplest first."""
    a, b = pair.a, pair.b
    found = [1, -1, 2, -2, 3, -3]
    if pair.clock is not None:
        epoch = pair.clock.steps_per_epoch
        found += [epoch, -epoch, epoch - 1, 1 - epoch]
    estimated = [again - step for step, again in recurring(b, a, pair.differs["b"])]
    estimated += [int(a.rates.step[one]) - int(b.rates.step[other]) for one, other in _paired_changes(a, b)]
    grain = min(max(a.stride, b.stride, 1), COARSEST) if a.stride and b.stride else 1
    size = next((each.inferred.steps_per_epoch for each in (a, b) if each.inferred is not None), 1)
    near = [each + off for each in estimated for off in sorted(range(1 - grain, grain), key=abs)]
    found += sorted(near, key=lambda k: k % size != 0)  # of those that thinned rows leave open, whole epochs first
    return _distinct(each for each in found if each)


def counters(pair: Pair, side: Side) -> list[int]:
    """Whole factors f by which the clock of `side` may run faster than the other's, those near the data first."""
    fast, slow = pair.of(side), pair.other(side)
    both = recurring(fast, slow, pair.differs[side], rows=4, most=12, near=lambda step: step * 8)
    found = [again / step for step, again in both if step]
    for one, other in _paired_changes(slow, fast):
        early, late = fast.rates.step[max(other - 1, 0)] + 1, fast.rates.step[other]
        found += [slow.rates.step[one] / each for each in (early, late) if each]
    whole = [near for each in found for near in (round(each), math.floor(each), math.ceil(each))]
    updates = max(fast.last, slow.last) + 1
    if max(fast.stride, slow.stride) > 1:
        whole += [epoch for each in found for epoch in _parts_near(updates, each)]
    if pair.clock is not None:
        whole = [pair.clock.steps_per_epoch, pair.clock.batches_per_epoch, *whole]
    else:  # of those that the rows leave open, the run has a whole number of epochs
        whole.sort(key=lambda factor: factor < 2 or updates % factor != 0)
    decays = decay_of(slow.schedule), decay_of(fast.schedule)
    if decays[0] is not None and decays[1] is not None:  # rows far apart leave the ratio of both periods open
        whole = [round(float(decays[0].every.count / decays[1].every.count)), *whole]
    return _distinct(each for each in [*whole, *range(2, 65)] if 2 <= each <= fast.last + slow.last)


def _parts_near(whole: int, factor: float) -> Iterator[int]:
    """Numbers that divide another, as near to a factor as rows far apart show it."""
    first, last = max(2, math.ceil(0.95 * factor)), min(math.floor(1.05 * factor), whole)
    return (each for each in range(first, min(last, first + SPREAD) + 1) if not whole % each)


def landmarks(curve: Curve) -> list[int]:
    """Steps that a schedule can be known by whatever its size: first change, highest and lowest rate, last change."""
    steps, lr = curve.rates.step, curve.rates.lr
    first = int(steps[curve.changes[0]]) if len(curve.changes) else 0
    last = int(steps[curve.changes[-1]]) if len(curve.changes) else 0
    return [first, int(steps[lr.argmax()]), int(steps[lr.argmin()]), last]


def moves(pair: Pair) -> bool:
    """Whether both change at all: what never does has any clock."""
    return bool(np.ptp(pair.a.rates.lr) and np.ptp(pair.b.rates.lr))


def is_regular(curve: Curve) -> bool:
    """Whether a run goes on as a schedule would: known, or at least not up and down all the time."""
    turns = np.sign(np.diff(curve.rates.lr[curve.changes]))
    return curve.inferred is not None or len(turns) < 3 or bool((turns[1:] != turns[:-1]).mean() < 0.2)


def decay_of(schedule: Schedule | None) -> ExponentialDecay | None:
    """The exponential decay that a schedule is, perhaps after a warm-up; None for any other."""
    while isinstance(schedule, Warmup):
        schedule = schedule.then
    return schedule if isinstance(schedule, ExponentialDecay) else None


def is_plain(schedule: Schedule, most: int = 3) -> bool:
    """Whether a schedule is given by few numbers, so that its fit says something.

    most : boundaries of a piecewise constant one.
    """
    if isinstance(schedule, Warmup):
        return is_plain(schedule.then, most)
    return not isinstance(schedule, Sequence | Product) and len(getattr(schedule, "boundaries", ())) <= most


def is_one(curve: Curve) -> bool:
    """Whether a run follows one schedule that is known, and not several one after the other."""
    return curve.schedule is not None and is_plain(curve.schedule, most=6)


def first_apart(pair: Pair, side: Side) -> tuple[int, int] | None:
    """The last row of `side` that is the same before the first one that differs, and this; None for no such rows."""
    first = int(pair.differs[side].argmax())  # 0 where none differs: no row is before it
    same = np.flatnonzero(pair.same[side][:first])
    if not len(same):
        return None
    last = int(same[-1])
    if is_one(pair.other(side)):  # its schedule says more than its rows, where these lie further apart
        known, apart = pair.known_between(side, slice(last + 1, first))
        first = last + 1 + int(apart.argmax()) if apart.any() else first
        same = np.flatnonzero((known & ~apart)[: first - last - 1])
        last = last + 1 + int(same[-1]) if len(same) else last
    return last, first


def onset(pair: Pair, side: Side) -> int | None:
    """The step from which on a side may differ: the roundest that its rows allow; None for too few rows before it."""
    apart = first_apart(pair, side)
    if apart is None or pair.same[side][: apart[1]].sum() <= FEW:
        return None
    steps = pair.of(side).rates.step
    return _roundest(pair, int(steps[apart[0]]), int(steps[apart[1]]))


def offset(pair: Pair, side: Side) -> int | None:
    """The step from which on a side that differed is the same to its end; None for too few such rows."""
    last = len(pair.differs[side]) - 1 - int(pair.differs[side][::-1].argmax())  # the last row where none differs
    same = last + 1 + np.flatnonzero(pair.same[side][last + 1 :])
    if len(same) <= FEW:
        return None
    steps = pair.of(side).rates.step
    return _roundest(pair, int(steps[last]), int(steps[same[0]]))


def constant_ratios(rows: Rates, base: Known) -> list[float]:
    """Numbers c for which ``rows = c * base`` at every row, the shortest first; none where rows refute them all.

    Every row allows an interval; what all of them allow is left. The shortest decimal in it is what somebody wrote,
    or one over the shortest one.
    """
    if len(rows) > 10 * SPREAD:  # a few rows refute most
        few = np.linspace(0, len(rows) - 1, SPREAD).astype(np.int64)
        if not constant_ratios(rows.rows(few), base.at_rows(few)):
            return []
    known = np.isfinite(base.slack) & (base.value > base.slack) & (rows.lr > 0)
    value, lr = base.value[known], rows.lr[known]
    if not len(lr):
        return []
    within = allowed(np.maximum(lr, NEAR_ZERO * lr.max()), rows.rounding[known], base.drift[known] * lr / value)
    bent = ULP32 * ulp32(base.size[known]) * lr / value  # of a sum that float32 rounds at a larger size
    low = float(((lr - within - bent) / (value + base.slack[known])).max())
    high = float(((lr + within + bent) / (value - base.slack[known])).min())
    middle = float(lr[value.argmax()] / value.max())
    if not (0 < low <= high and math.isfinite(high)):
        return []
    half = (high - low) / 2
    direct, over_one = shortest((low + high) / 2, half), shortest((1 / low + 1 / high) / 2, (1 / low - 1 / high) / 2)
    tidied = 1 / over_one if digits(over_one) < digits(direct) else direct
    best = min(max(middle, low), high) if half else middle
    return [each for each in dict.fromkeys((tidied, best)) if abs(each - 1) > 1e-9]


def steps_between(first: int, last: int, most: int = 400) -> np.ndarray:
    """Every step from one to the other, or some where there are many."""
    return np.unique(np.linspace(first, last, min(last - first + 1, most)).astype(np.int64))


def allowed_at(level: float) -> float:
    """How far from a rate another one may lie and still be the same, rounding alone."""
    return ULP32 * float(ulp32(np.asarray(level)))


def _paired_changes(a: Curve, b: Curve, most: int = 3) -> Iterator[tuple[int, int]]:
    """Rows of both at which they change to the same rate, the first few; where none, their first changes."""
    ours, theirs = a.changes[:64], b.changes[:64]
    if not (len(ours) and len(theirs)):
        return
    la, lb = a.rates.lr[ours], b.rates.lr[theirs]
    rounding = a.rates.rounding[ours][:, None], b.rates.rounding[theirs]
    alike = np.argwhere(np.abs(la[:, None] - lb) <= allowed(np.maximum(la[:, None], lb), *rounding))
    for one, other in alike[:most]:
        yield int(ours[one]), int(theirs[other])
    yield int(ours[0]), int(theirs[0])


def _between(curve: Curve, row: int, value: float) -> list[int]:
    """The two steps between a row and the next at which the rate is nearest to a value."""
    steps = steps_between(int(curve.rates.step[row]), int(curve.rates.step[row + 1]), 1000)
    return [int(step) for step in steps[np.argsort(np.abs(curve.at(steps).value - value), kind="stable")[:2]]]


def _distinct(values: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(int(each) for each in values))[:MOST_CANDIDATES]


def _roundest(pair: Pair, before: int, last: int) -> int:
    """After one step and up to another: the one that somebody would write."""
    epoch = 1 if pair.clock is None else pair.clock.steps_per_epoch
    return tidy_whole(before + 1, last, epoch) or last


def usual_distance(rates: Rates) -> int:
    """Steps from row to row, in the median."""
    return int(np.median(np.diff(rates.step))) if len(rates) > 1 else 1
