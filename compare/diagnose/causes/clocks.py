"""Causes in how steps are counted: `shift`, `counter`, `staircase`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from compare.diagnose import tell
from compare.diagnose.causes import kinds
from compare.refute.claim import SIDES, Claim, Pair, Side
from compare.refute.curve import Curve
from compare.refute.estimate import counters, shifts
from compare.refute.predict import Tell
from experiment.schedules import Product, Sequence, Warmup

FAST_AND_SLOW: tuple[tuple[Side, Side], ...] = (("b", "a"), ("a", "b"))
FEW = 3
"""Rows that may be left over at the beginning, whatever they are."""


def shift(pair: Pair) -> Iterator[Claim]:
    """b(n) = a(n + k): a logged next rate, an off-by-one, a scheduler stepped early.

    The side that is behind either holds its first rate for k steps, or has k rows more at its beginning. These are left
    over, which is too much where they may be a schedule of their own.
    """
    if not _move(pair):
        return
    longest = min(len(pair.a.rates), len(pair.b.rates)) * max(pair.a.stride, pair.b.stride, 1) / 2
    for k in (each for each in shifts(pair) if abs(each) <= longest):
        ahead, behind = FAST_AND_SLOW[k < 0]
        late, first, second = abs(k), pair.of(ahead), pair.of(behind)
        yield Claim("shift", {"steps": k}, behind, tell.moved(first, -late))
        if late <= FEW or _may_be_left(second, late):
            yield Claim("shift", {"steps": k}, ahead, tell.moved(second, late), leaves=late)
            yield Claim("shift", {"steps": k}, behind, tell.moved_and_unknown_before(first, -late), leaves=late)


def counter(pair: Pair) -> Iterator[Claim]:
    """b(n) = a(f n), or the other way round: the slow side is told from the fast one, and the fast from the slow."""
    for fast, slow in FAST_AND_SLOW:
        if not _move(pair):
            return
        for f in counters(pair, fast):
            parameters = {"factor": f if fast == "b" else 1 / f}
            longer = scheduled_slower(pair, fast, slow, f)
            if longer is not None:
                yield Claim("counter", parameters, slow, longer, extrapolates=True)
            yield Claim("counter", parameters, slow, tell.slowed(pair.of(fast), f), extrapolates=True)
            yield Claim("counter", parameters, fast, tell.quickened(pair.of(slow), f))


def scheduled_slower(pair: Pair, fast: Side, slow: Side, factor: int) -> Tell | None:
    """A clock that runs slower, by the schedule where it is known: rows tell of every f-th step only."""
    inferred = pair.of(fast).inferred
    longer = None if inferred is None else kinds.stretched(inferred.schedule, Fraction(factor))
    if inferred is None or longer is None:
        return None
    return tell.scheduled(replace(inferred, schedule=longer), pair.of(slow))


def staircase(pair: Pair) -> Iterator[Claim]:
    """One takes the floor, the other does not: y(n) = x(E * floor(n / E))."""
    for side in SIDES:
        for every in _holds(pair, side):
            yield Claim("staircase", {"side": side, "every": every}, side, tell.held(pair.other(side), every))


def _move(pair: Pair) -> bool:
    """Whether both change at all: what never does has any clock."""
    return bool(np.ptp(pair.a.rates.lr) and np.ptp(pair.b.rates.lr))


def _may_be_left(curve: Curve, rows: int) -> bool:
    """Whether so many rows at the beginning of a run belong to the same schedule as the rest."""
    schedule = None if curve.inferred is None else curve.inferred.schedule
    if isinstance(schedule, Warmup):
        return rows < int(schedule.over.count)
    return schedule is not None and not isinstance(schedule, Sequence | Product)


def _holds(pair: Pair, side: Side) -> list[int]:
    """Numbers of steps for which one side may hold its rate, where the other does not."""
    curve = pair.of(side)
    found: list[int] = []
    if len(pair.other(side).changes) < 2 * len(curve.changes):
        return found  # both take the floor
    changes = curve.rates.step[curve.changes[:200]]
    if 0 < len(changes) < len(curve.rates) - 1:
        early = curve.rates.step[np.maximum(curve.changes[:200] - 1, 0)]
        count = np.arange(1, len(changes) + 1)
        low, high = float((early / count).max()), float((changes / count).min())
        if low < high and high - low < 400:
            found += range(int(low) + 1, int(high) + 1)
        if len(changes) > 1:
            found.append(int(np.gcd.reduce(changes)))
        found.append(int(changes[0]))
    if pair.clock is not None:
        found.append(pair.clock.steps_per_epoch)
    return [every for every in dict.fromkeys(found) if every >= 2]


def reading(pair: Pair, factor: float) -> str:
    """What a counter's factor most likely is."""
    whole = round(max(factor, 1 / factor))
    fast = pair.b if factor > 1 else pair.a
    slow = pair.a if factor > 1 else pair.b
    if _is_bare_factor(fast) and not slow.is_stepwise:
        return "unconverted-rate"
    if pair.clock is None:
        return "unknown"
    if pair.clock.accumulate > 1 and whole == pair.clock.accumulate:
        return "gradient-accumulation"
    if whole in (pair.clock.steps_per_epoch, pair.clock.batches_per_epoch):
        return "steps-vs-epochs"
    if whole in (2, 4, 8, 16, 32, 64):
        return "gradient-accumulation"
    return "unknown"


def _is_bare_factor(curve: Curve) -> bool:
    """Whether a smooth decay multiplies at every step by a number that somebody wrote for a longer period."""
    schedule = None if curve.inferred is None else curve.inferred.schedule
    if schedule is None or schedule.kind != "exponential" or curve.is_stepwise:
        return False
    return int(schedule.every.count) == 1
