"""The cause `period`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import ClassVar, Self

import numpy as np

from samestep.experiment.schedules import ExponentialDecay, Product, Schedule, Sequence

from ..refute import Claim, Pair, predict
from ..refute.estimate import recurring
from ..terms import SIDES, Side
from .base import Cause
from .factor import Decay, other_factor
from .scene import Scene


class Period(Cause):
    """The same kind of schedule with another length.

    Attributes:
        period_a: a's period, in steps.
        period_b: b's period, in steps.

    What you see:
        Two cosines from the same rate to 0. a takes 160 steps, the whole run; b is there after 120, and trains the last
        quarter of the run with a rate of 0.

    How it comes about:
        The length is computed twice, once for each framework. PyTorch's `len(loader)` counts the short last batch of an
        epoch: 100 samples make 4 batches. In Keras there is no loader to ask, and `samples // batch_size` leaves that
        batch out: 3.

    The fix:
        Count the steps of an epoch as the training loop does: `math.ceil(samples / batch_size)`, unless the last batch
        is left out.

    See also:
        Lesson 2: steps, batches, epochs.
    """

    comes_second: ClassVar = False
    period_a: float
    period_b: float

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """The same kind of schedule, with every duration longer by one ratio."""
        yield from cls.offhand(pair)
        for side in SIDES:
            yield from cls._of(pair, side, _candidates(pair, side))
        yield from cls._changes_further_apart(pair)
        yield from cls._smooth(pair)

    @classmethod
    def offhand(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """The first durations of both schedules, where these are of one kind."""
        a, b = pair.a.schedule, pair.b.schedule
        if a is not None and b is not None and a.kind == b.kind:
            yield from cls._of(pair, "b", [_first_duration(b)])
            yield from cls._of(pair, "a", [_first_duration(a)])

    @classmethod
    def _of(cls, pair: Pair, side: Side, durations: Iterable[Fraction | None]) -> Iterator[Claim[Self]]:
        """One side from the other's schedule, with its first duration changed and the rest in proportion."""
        curve, base = pair.of(side), pair.other(side)
        schedule, ours = base.schedule, _first_duration(base.schedule)
        if schedule is None or ours is None or not np.ptp(curve.rates.lr) or isinstance(schedule, Sequence | Product):
            return
        for theirs in durations:
            longer = None if theirs is None or theirs == ours else predict.lengthened(schedule, theirs / ours)
            if theirs is not None and longer is not None:
                a, b = (ours, theirs) if side == "b" else (theirs, ours)
                yield Claim(cls(_number(a), _number(b)), side, predict.scheduled(base, longer, curve))

    @classmethod
    def _changes_further_apart(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Two stairs with the same rates, whose changes lie at steps of one ratio."""
        if not (pair.a.is_stepwise and pair.b.is_stepwise and pair.a.stride == pair.b.stride == 1):
            return
        if min(len(pair.a.changes), len(pair.b.changes)) < 2:
            return  # one change that comes at another step is no period
        ours, theirs = (int(each.rates.step[each.changes[0]]) if len(each.changes) else 0 for each in (pair.a, pair.b))
        if ours and theirs and ours != theirs:
            side: Side = "b" if ours < theirs else "a"  # whose rows are all predicted
            longer = predict.stretched(pair.other(side), min(ours, theirs), max(ours, theirs))
            yield Claim(cls(ours, theirs), side, longer, extrapolates=True)

    @classmethod
    def _smooth(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """A smooth decay with another factor is the same one with another period, in any ratio."""
        for ours, theirs in other_factor(pair):
            if ours.staircase:
                return
            ratio = Fraction(_speed(ours) / _speed(theirs)).limit_denominator(1000)
            if ratio > 0:
                period_a = ours.every.count * ratio.denominator
                changed = predict.scheduled(pair.a, theirs, pair.b)
                yield Claim(cls(_number(period_a), _number(period_a * ratio)), "b", changed)

    def sentence(self, scene: Scene) -> str:
        """Both periods."""
        a, b = (scene.steps(float(period)) for period in (self.period_a, self.period_b))
        return f"Both follow the same kind of schedule with the same rates, but its period is {a} in a and {b} in b."


def _first_duration(schedule: Schedule | None) -> Fraction | None:
    return None if schedule is None else next((duration.count for _, duration in schedule.durations()), None)


def _candidates(pair: Pair, side: Side) -> Iterator[Fraction]:
    """What the first duration may be, from where one side has a rate that the other's schedule has at another step."""
    curve, base = pair.of(side), pair.other(side)
    ours = _first_duration(base.schedule)
    if ours is None:
        return
    candidates: list[int] = []
    for at, step in recurring(curve, base, pair.differs[side], rows=4):
        if step and at:
            theirs, doubt = float(ours) * at / step, min(20, 1 + round(float(ours) * at / step**2))
            candidates += [round(theirs) + each for each in range(-doubt, doubt + 1)]
    yield from (Fraction(each) for each in dict.fromkeys(candidates) if each >= 1)


def _speed(decay: Decay) -> float:
    return float(np.log(decay.factor)) if isinstance(decay, ExponentialDecay) else decay.decay_rate


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
