"""Causes in the schedule itself, read off what was inferred: `factor`, `period`, `family`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from compare.diagnose import tell
from compare.infer import Inferred
from compare.infer.rows import CLOCK
from compare.refute.claim import SIDES, Claim, Pair, Side
from compare.refute.estimate import found_again, telling_rows
from compare.refute.predict import Tell
from experiment.clock import Duration
from experiment.schedules import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstant,
    Product,
    Schedule,
    ScheduleModel,
    Sequence,
    Warmup,
)
from experiment.schedules.text import to_short

Decay = ExponentialDecay | InverseTimeDecay
FACTORS: dict[type, str] = {ExponentialDecay: "factor", InverseTimeDecay: "decay_rate"}


def factor(pair: Pair) -> Iterator[Claim]:
    """The same kind of decay, with another factor."""
    for ours, theirs in _other_factor(pair):
        name = FACTORS[type(ours)]
        parameters = {f"{name}_a": getattr(ours, name), f"{name}_b": getattr(theirs, name)}
        yield Claim("factor", parameters, "b", _told_by(pair, theirs))


def _other_factor(pair: Pair) -> Iterator[tuple[Decay, Decay]]:
    """a's schedule, and the same with b's factor, told over a's period."""
    a, b = (each.inferred.schedule if each.inferred else None for each in (pair.a, pair.b))
    if isinstance(a, Decay) and isinstance(b, Decay) and type(a) is type(b):
        name = FACTORS[type(a)]
        value = getattr(_with_period_of(b, a), name)
        if getattr(a, name) != value:
            yield a, a.model_copy(update={name: value})


def _told_by(pair: Pair, schedule: Schedule) -> Tell:
    """b's rates from a's schedule with something changed."""
    assert pair.a.inferred is not None
    return tell.scheduled(replace(pair.a.inferred, schedule=schedule), pair.b)


def period(pair: Pair) -> Iterator[Claim]:
    """The same kind of schedule, with every duration longer by one ratio."""
    yield from period_as_inferred(pair)
    for side in SIDES:
        yield from _periods_of(pair, side, _periods_found(pair, side))
    yield from _changes_further_apart(pair)
    yield from _smooth_period(pair)


def _smooth_period(pair: Pair) -> Iterator[Claim]:
    """A smooth decay with another factor is the same one with another period, in any ratio."""
    for ours, theirs in _other_factor(pair):
        if ours.staircase:
            return
        ratio = Fraction(_speed(ours) / _speed(theirs)).limit_denominator(1000)
        if ratio > 0:
            period_a = ours.every.count * ratio.denominator
            parameters = {"period_a": _number(period_a), "period_b": _number(period_a * ratio)}
            yield Claim("period", parameters, "b", _told_by(pair, theirs))


def _speed(decay: Decay) -> float:
    return float(np.log(decay.factor)) if isinstance(decay, ExponentialDecay) else decay.decay_rate


def period_as_inferred(pair: Pair) -> Iterator[Claim]:
    """The first durations of both schedules, where these are of one kind."""
    a, b = pair.a.inferred, pair.b.inferred
    if a is not None and b is not None and a.schedule.kind == b.schedule.kind:
        yield from _periods_of(pair, "b", [_first_duration(b.schedule)])
        yield from _periods_of(pair, "a", [_first_duration(a.schedule)])


def _periods_of(pair: Pair, side: Side, durations: Iterable[Fraction | None]) -> Iterator[Claim]:
    """One side told from the other's schedule, with its first duration changed and the rest in proportion."""
    told, teller = pair.of(side), pair.other(side).inferred
    ours = None if teller is None else _first_duration(teller.schedule)
    if teller is None or ours is None or not np.ptp(told.rates.lr) or isinstance(teller.schedule, Sequence | Product):
        return
    for theirs in durations:
        longer = None if theirs is None or theirs == ours else stretched(teller.schedule, theirs / ours)
        if theirs is not None and longer is not None:
            a, b = (ours, theirs) if side == "b" else (theirs, ours)
            parameters = {"period_a": _number(a), "period_b": _number(b)}
            changed = tell.scheduled(replace(teller, schedule=longer), told)
            yield Claim("period", parameters, side, changed)


def _changes_further_apart(pair: Pair) -> Iterator[Claim]:
    """Two stairs with the same rates, whose changes lie at steps of one ratio."""
    if not (pair.a.is_stepwise and pair.b.is_stepwise and pair.a.stride == pair.b.stride == 1):
        return
    ours, theirs = (int(each.rates.step[each.changes[0]]) if len(each.changes) else 0 for each in (pair.a, pair.b))
    if ours and theirs and ours != theirs:
        parameters = {"period_a": ours, "period_b": theirs}
        if ours < theirs:  # the side whose rows are all told
            yield Claim("period", parameters, "b", tell.stretched(pair.a, ours, theirs), extrapolates=True)
        else:
            yield Claim("period", parameters, "a", tell.stretched(pair.b, theirs, ours), extrapolates=True)


def family(pair: Pair) -> dict[str, Any] | None:
    """Two different kinds of schedule, each named; None where they are of one kind or either is not known."""
    a, b = pair.a.inferred, pair.b.inferred
    if a is None or b is None:
        return None
    kinds = [_kind(each) for each in (a, b)]
    if kinds[0] == kinds[1] or not all(is_plain(each.schedule) for each in (a, b)):
        return None
    return {
        "kind_a": kinds[0],
        "kind_b": kinds[1],
        "schedule_a": to_short(a.schedule),
        "schedule_b": to_short(b.schedule),
    }


def _kind(inferred: Inferred) -> str:
    return str(inferred.schedule.kind)


def is_plain(schedule: Schedule, most: int = 3) -> bool:
    """Whether a schedule is told by few numbers, so that its fit says something.

    most : boundaries of a piecewise constant one.
    """
    match schedule:
        case Sequence() | Product():
            return False
        case Warmup():
            return is_plain(schedule.then, most)
        case PiecewiseConstant():
            return len(schedule.boundaries) <= most
        case _:
            return True


def _with_period_of(decay: Decay, other: Decay) -> Decay:
    """A smooth decay told over another period: the same rates."""
    ratio = other.every.count / decay.every.count if not decay.staircase else Fraction(1)
    if ratio == 1:
        return decay
    if isinstance(decay, ExponentialDecay):
        return decay.model_copy(update={"factor": decay.factor ** float(ratio), "every": other.every})
    return decay.model_copy(update={"decay_rate": decay.decay_rate * float(ratio), "every": other.every})


def _first_duration(schedule: Schedule) -> Fraction | None:
    return next((duration.count for _, duration in schedule.durations()), None)


def _periods_found(pair: Pair, side: Side) -> Iterator[Fraction]:
    """What the first duration may be, from where one side has a rate that the other's schedule has at another step."""
    told, teller = pair.of(side), pair.other(side)
    ours = None if teller.inferred is None else _first_duration(teller.inferred.schedule)
    if ours is None:
        return
    found: list[int] = []
    for row in telling_rows(told, pair.differs[side], 4):
        at = int(told.rates.step[row])
        for step in found_again(teller, float(told.rates.lr[row]), float(told.rates.rounding[row]), at):
            if step and at:
                theirs, doubt = float(ours) * at / step, min(20, 1 + round(float(ours) * at / step**2))
                found += [round(theirs) + each for each in range(-doubt, doubt + 1)]
    yield from (Fraction(each) for each in dict.fromkeys(found) if each >= 1)


def stretched(schedule: Schedule, ratio: Fraction) -> Schedule | None:
    """A schedule with every duration multiplied; None where one would be no whole number of steps."""
    try:
        fields = type(schedule).model_fields
        longer = schedule.model_copy(update={name: _longer(getattr(schedule, name), ratio) for name in fields})
        longer.rate(0, CLOCK)
    except ValueError:  # a length that this kind cannot have
        return None
    return longer


def _longer(value: Any, ratio: Fraction) -> Any:
    match value:
        case Duration():
            if (value.count * ratio).denominator != 1:
                raise ValueError(f"{value} times {ratio} divides a step.")
            return Duration(value.count * ratio, value.unit)
        case tuple():
            return tuple(_longer(each, ratio) for each in value)
        case ScheduleModel():
            fields = type(value).model_fields
            return value.model_copy(update={name: _longer(getattr(value, name), ratio) for name in fields})
        case _:
            return value


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
