"""Causes that leave a part of the run as it was: `tail`, `warmup`, `reset`, `extra-decay`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compare.diagnose import tell
from compare.diagnose.claim import Claim, Pair, Side
from compare.diagnose.curve import Curve, Known
from compare.diagnose.features import constant_ratios, first_apart, found_again, telling_rows
from compare.diagnose.inference.rows import CLOCK
from compare.diagnose.tell import Tell
from compare.tolerance import allowed
from experiment.schedules import Warmup

LATE_FIRST: tuple[Side, Side] = ("b", "a")
"""Of two that may have changed, b is the likelier."""

MOST = 150
SHORTEST = 4
"""Steps of the shortest warm-up that is told from a shift."""


def tail(pair: Pair) -> Iterator[Claim]:
    """Equal until the schedule's end; then one holds and the other goes on or rises."""
    for side in LATE_FIRST:
        holding, other = pair.of(side), pair.other(side)
        begins = _end(pair, side)
        if begins is None or other.inferred is None:
            continue  # what goes on must be a schedule
        level = float(holding.rates.lr[-1])
        held = tell.changed(other, begins, tell.constant(level))
        yield Claim("tail", {"side": side, "step": begins}, side, held)


def _end(pair: Pair, side: Side) -> int | None:
    """The step from which one side holds its last rate, where the other reaches that rate and does not stay."""
    apart = first_apart(pair, side)
    holding, other = pair.of(side), pair.other(side)
    lr, steps, rounding = holding.rates.lr, holding.rates.step, holding.rates.rounding
    level = float(lr[-1])
    away = np.flatnonzero(np.abs(lr - level) > allowed(np.asarray(level)) + rounding)
    if apart is None or apart[0] < 0 or not len(away) or away[-1] + 2 > len(lr) - 1 or away[-1] >= apart[1]:
        return None  # what never moved has no end, nor has what does not hold
    if rounding.max() > 0.01 * holding.peak:
        return None
    gap = _steps_between(int(steps[away[-1]]), int(steps[apart[1]]))
    near = other.at(gap)
    distance = np.where(np.isfinite(near.slack), np.abs(near.value - level), np.inf)
    close = distance <= near.allowed(pair.ulp) + rounding[apart[1]]
    between = near.value.min() <= level <= near.value.max()
    if not (close.any() or between):
        return None  # it jumped to another rate: that is no end of a schedule
    if holding.stride == 1 and not rounding.any():
        return int(steps[away[-1] + 1])
    length = None if holding.inferred is None else holding.inferred.schedule.length(CLOCK)
    if length is not None and gap[0] <= length <= gap[-1]:
        return length
    return max(int(gap[distance.argmin()]), 1) if holding.stride != 1 else int(steps[away[-1] + 1])


def reset(pair: Pair) -> Iterator[Claim]:
    """Equal until a step at which one starts its schedule afresh."""
    for side in LATE_FIRST:
        other = pair.other(side)
        for begins in _resets(pair, side):
            afresh = tell.changed(other, begins, tell.moved(other, -begins))
            yield Claim("reset", {"side": side, "step": begins}, side, afresh)


def extra_decay(pair: Pair) -> Iterator[Claim]:
    """Equal until a step after which they differ by one constant factor."""
    for side in sorted(LATE_FIRST, key=lambda each: -len(pair.of(each).rates)):
        apart = first_apart(pair, side)
        if apart is None or apart[0] < 0:
            continue
        other, rates = pair.other(side), pair.of(side).rates
        rows = rates.rows(slice(apart[1], None))
        begins = [int(rows.step[0]), *(int(each) for each in rates.step[apart[0] + 1 : apart[1]][:MOST])]
        for factor in constant_ratios(rows, other.at(rows.step)):
            ratio = factor if side == "b" else 1 / factor  # of b to a
            for step in begins:
                parameters = {"side": "b" if ratio < 1 else "a", "step": step, "factor": ratio}
                yield Claim("extra-decay", parameters, side, tell.changed(other, step, tell.times(other, factor)))


def warmup(pair: Pair) -> Iterator[Claim]:
    """One warms up first, equal afterwards: aligned, or delayed by the warm-up."""
    for side in LATE_FIRST:
        warming, other = pair.of(side), pair.other(side)
        for steps in _aligned(pair, side) if is_regular(other) else ():
            for head in (*heads(warming, steps, other.at(np.array([steps]))), *_ramps(warming, other, steps)):
                parameters = {"side": side, "steps": steps, "then": "aligned"}
                yield Claim("warmup", parameters, side, tell.after(other, steps, 0, head), leaves=_begun(other, steps))
        for steps in _delayed(pair, side):
            for head in heads(warming, steps, other.at(np.array([0]))):
                parameters = {"side": side, "steps": steps, "then": "delayed"}
                yield Claim("warmup", parameters, side, tell.after(other, steps, steps, head))


def _begun(other: Curve, steps: int) -> int:
    """Rows of the other side that a warm-up beside it leaves over: those of a beginning of its own."""
    return steps if other.inferred is None or isinstance(other.inferred.schedule, Warmup) else 0


def is_regular(curve: Curve) -> bool:
    """Whether a run goes on as a schedule would: known, or at least not up and down all the time."""
    moves = np.sign(np.diff(curve.rates.lr[curve.changes]))
    return curve.inferred is not None or len(moves) < 3 or bool((moves[1:] != moves[:-1]).mean() < 0.2)


def _resets(pair: Pair, side: Side) -> list[int]:
    """Steps at which one side may have begun again."""
    apart = first_apart(pair, side)
    curve, other = pair.of(side), pair.other(side)
    if apart is None or apart[0] < 0:
        return []
    steps, lr = curve.rates.step, curve.rates.lr
    latest = int(steps[apart[1]])
    found = [latest]
    for row in telling_rows(curve, pair.differs[side], 4):
        again = found_again(other, float(lr[row]), float(curve.rates.rounding[row]), int(steps[row]) - latest, 6)
        found += [int(steps[row]) - step for step in again]
    changes, first = curve.changes[curve.changes >= apart[1]][:4], other.changes[:4]
    for one in changes:
        for late in (0, 1):
            found += [int(steps[one - late]) - int(other.rates.step[each - late]) for each in first]
    found += list(_steps_between(int(steps[apart[0]]) + 1, latest, MOST))
    return [each for each in dict.fromkeys(found) if 0 < each <= latest][:MOST]


def _aligned(pair: Pair, side: Side) -> list[int]:
    """Numbers of steps of a warm-up after which both are the same at the same step."""
    differs = np.flatnonzero(pair.differs[side])
    steps = pair.of(side).rates.step
    if not len(differs) or differs[-1] > 0.9 * len(steps):
        return []
    later = np.flatnonzero(pair.same[side][differs[-1] :])
    if len(later) < 2:
        return []
    early, late = int(steps[differs[-1]]) + 1, int(steps[differs[-1] + later[0]])
    ends = [*_steps_between(early, late, 60), late + 1, late + 2]
    return [each for each in dict.fromkeys(int(each) for each in ends) if each >= SHORTEST]


def _delayed(pair: Pair, side: Side) -> list[int]:
    """Numbers of steps of a warm-up after which one side begins the other's schedule."""
    warming, other = pair.of(side), pair.other(side)
    steps, lr = warming.rates.step, warming.rates.lr
    grain = max(warming.stride, other.stride, 1)
    top = int(steps[int(lr.argmax())])
    exact = [top, top + 1]
    if warming.inferred is not None and isinstance(warming.inferred.schedule, Warmup):
        exact.insert(0, int(warming.inferred.schedule.over.count))
    found = [top]
    later = np.where(np.arange(len(steps)) > len(steps) // 4, pair.differs[side], False)
    if not warming.is_stepwise:
        for row in telling_rows(warming, later, 3):
            again = found_again(other, float(lr[row]), float(warming.rates.rounding[row]), int(steps[row]), 4)
            found += [int(steps[row]) - step for step in again]
    for one in warming.changes[-3:]:
        found += [int(steps[one]) - int(other.rates.step[each]) for each in other.changes[-3:]]
    near = [each + close for each in dict.fromkeys(found) for close in range(1 - min(grain, 60), min(grain, 60))]
    return [each for each in dict.fromkeys(exact + near) if SHORTEST <= each < 0.9 * int(steps[-1])][: 8 * MOST]


def heads(warming: Curve, steps: int, target: Known) -> Iterator[Tell]:
    """What a warm-up of so many steps may look like: a straight line up to the target, or one lower rate."""
    rows = warming.rates
    inside = np.flatnonzero(rows.step < steps)
    goal = float(target.value[0])
    if not len(inside) or not np.isfinite(target.slack[0]) or rows.lr[inside[0]] >= goal * (1 - 1e-6):
        return
    part = rows.step[inside] / steps
    start = float(np.median((rows.lr[inside] - goal * part) / (1 - part))) if len(inside) > 2 else None
    if rows.step[0] == 0:
        start = float(rows.lr[0])
    slack = float(rows.rounding[inside].max() + target.slack[0])
    if start is not None and start > -allowed(np.asarray(goal)):
        yield tell.line(max(start, 0.0), goal, steps, slack)
    if len(inside) > 1:
        yield tell.constant(float(rows.lr[inside[0]]), slack)


def _ramps(warming: Curve, other: Curve, steps: int) -> Iterator[Tell]:
    """A factor that rises in a straight line to 1, on the other's rates."""
    first = int(warming.rates.step[0])
    base = other.at(np.array([first]))
    if first < steps and np.isfinite(base.slack[0]) and base.value[0] > warming.rates.lr[0]:
        yield tell.ramped(other, first, float(warming.rates.lr[0] / base.value[0]), steps)


def _steps_between(first: int, last: int, most: int = 400) -> np.ndarray:
    """Every step from one to the other, or some where there are many."""
    return np.unique(np.linspace(first, last, min(last - first + 1, most)).astype(np.int64))
