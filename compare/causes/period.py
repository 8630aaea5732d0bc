"""The cause `period`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import ClassVar, Literal, Self

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import ExponentialDecay, Product, Schedule, Sequence

from ..infer.numbers import tidy_whole
from ..rates import Rates
from ..refute import Claim, Curve, Pair, predict
from ..refute.estimate import LATE_FIRST, offset, onset, recurring
from ..refute.written import Written
from ..terms import SIDES, Side
from ..tolerance import allowed
from .base import Cause
from .factor import Decay, other_factor
from .scene import Fix, Scene

FINE = 100_000
"""Steps of the decay in which the part of it that is done is looked up."""

MOST_OPEN = 0.04
"""Part of a length that rates may leave open."""

FEWEST = 3
"""Rates on the way down from which the length of a decay is found."""


class Period(Cause):
    """The same kind of schedule with another length.

    Attributes:
        period_a: a's period, in steps.
        period_b: b's period, in steps.
        step: where one of them goes over to another length; without it, both lengths hold for the whole run.
        equal: on which side of that step both are the same: `before` or `after`.

    What you see:
        Two cosines from the same rate to 0. a takes 160 steps, the whole run; b is there after 120, and trains the last
        quarter of the run with a rate of 0.

    How it comes about:
        The length is computed twice, once for each framework. PyTorch's `len(loader)` counts the short last batch of an
        epoch: 100 samples make 4 batches. In Keras there is no loader to ask, and `samples // batch_size` leaves that
        batch out: 3.

        From a step on, it is a run that was resumed with more epochs: the schedule is made anew for the longer run, and
        the rate jumps up to the longer schedule's rate.

    The fix:
        Count the steps of an epoch as the training loop does: `math.ceil(samples / batch_size)`, unless the last batch
        is left out.

    See also:
        Lesson 2: steps, batches, epochs.
    """

    comes_second: ClassVar = False
    period_a: float
    period_b: float
    step: int | None = None
    equal: Literal["before", "after"] | None = None

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

    @classmethod
    def since(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """The other's schedule with another end, from a step on or until one: a run that was resumed with more epochs.

        Both lengths are from the first step to the end, warm-up included.
        """
        for side in LATE_FIRST:
            curve, base = pair.of(side), pair.other(side)
            schedule = None if base.schedule is None else Written.of(base.schedule, base.last)
            if schedule is None or not schedule.decay:
                continue
            for equal, step in (("before", onset(pair, side)), ("after", offset(pair, side))):
                if step is None or step <= schedule.warm + schedule.stable:
                    continue
                steps = curve.rates.step
                rows = curve.rates.rows((steps >= step if equal == "before" else steps < step) & pair.differs[side])
                for total in _totals(base, rows, schedule):
                    longer = schedule.lasting(total - schedule.warm - schedule.stable).schedule()
                    changed = predict.scheduled(base, longer, curve)
                    a, b = (schedule.total, total) if side == "b" else (total, schedule.total)
                    yield Claim(cls(a, b), side, changed)
                    if equal == "before":
                        yield Claim(cls(a, b, step, "before"), side, predict.changed(base, step, changed))
                    else:
                        yield Claim(cls(a, b, step, "after"), side, predict.changed_before(base, step, changed))

    def sentence(self, scene: Scene) -> str:
        """Both periods, and from where on or until where they differ."""
        a, b = (scene.steps(float(period)) for period in (self.period_a, self.period_b))
        if self.step is not None:
            kind = f"the same kind of schedule, but it lasts {a} in a and {b} in b"
            if self.equal == "before":
                return (
                    f"Both are equal until step {self.step:,}. From there on they follow {kind}, like a run that was "
                    "resumed with another number of epochs."
                )
            return (
                f"Until step {self.step:,} both follow {kind}. From there on they are equal, like a run that was "
                "resumed with another number of epochs."
            )
        return f"Both follow the same kind of schedule with the same rates, but its period is {a} in a and {b} in b."

    def fix(self, scene: Scene) -> Fix:
        """Give both the same length; for a resumed run, from its first step on."""
        if self.step is None:
            return super().fix(scene)
        side = scene.to_change("b")
        advice = (
            f"A schedule's length belongs to the whole run. To train longer, start {side} with the longer schedule, or "
            "accept that the rate jumps where it is resumed. To go on as before, resume with the same number of epochs"
        )
        code = scene.following(side)
        return Fix(f"{advice}:" if code else f"{advice}.", code)


def _totals(base: Curve, rows: Rates, schedule: Written) -> list[int]:
    """From first step to end, how long a schedule must be to have these rates; none where they do not tell.

    Each rate on the way down says how much of the decay is done. What all of them allow is left.
    """
    assert base.inferred is not None
    fine = schedule.lasting(FINE)
    lead = schedule.warm + schedule.stable
    down = fine.schedule().rate(np.arange(lead, lead + FINE + 1), Clock.STEPS)
    room = allowed(np.full(len(rows), down[0]), rows.rounding)
    inside = (rows.lr < down[0] - 2 * room) & (rows.lr > down[-1] + 2 * room)
    lr, room = rows.lr[inside], room[inside]
    if len(np.unique(lr)) < FEWEST or (np.diff(down) > 0).any():
        return []
    done = base.inferred.looked_up(rows.step[inside]) - lead
    early, late = (np.interp(-(lr + way * room), -down, np.arange(FINE + 1)) / FINE for way in (1, -1))
    low, high = float((done / late).max()) + lead, float((done / early).min()) + lead
    low, high = min(low, high) - 1e-6 * low, max(low, high) + 1e-6 * high
    if not low <= high <= (1 + MOST_OPEN) * low:
        return []
    whole = tidy_whole(low, high, base.inferred.steps_per_epoch)
    likely = dict.fromkeys([round((low + high) / 2)] if whole is None else [whole, round((low + high) / 2)])
    return [each for each in likely if each > lead and each != schedule.total]


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
