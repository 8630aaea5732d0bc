"""The cause `reset`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np

from ..infer.numbers import rounded
from ..refute import Claim, Curve, Pair, Prediction, predict
from ..refute.estimate import LATE_FIRST, first_apart, is_one, onset, recurring, steps_between
from ..refute.written import Written
from ..terms import Side, other
from ..words import multiple
from . import snippets
from .base import Cause
from .scene import Fix, Scene

MOST = 150
"""Steps at which a run may have begun again that are tried at most."""

FEWEST = 3
"""Changes after a new start from a lower rate that speak for it."""

STAIRS = ("exponential", "inverse-time", "piecewise-constant", "sequence", "product")
"""Kinds whose changes may all be by one factor, or are many numbers."""


class Reset(Cause):
    """Equal until a step at which one starts its schedule again.

    Attributes:
        side: the one that starts again.
        step: the first step of the new start.
        factor: its rate at the new start in units of its highest rate; without it, it starts with the full rate.

    What you see:
        b was stopped after 5 epochs and resumed. From step 160 on it follows its schedule from the beginning, with the
        full rate, where the uninterrupted run a has a quarter of it.

    How it comes about:
        A schedule is as far as its counter says. In Keras the counter belongs to the optimizer. The file of
        `save_weights` holds it, but a model that calls `load_weights` before `compile`, as here, has no optimizer yet
        to take it; one with Adam, whose variables are not built, does not take it either. In PyTorch the counter
        belongs to the scheduler: a checkpoint without `scheduler.state_dict()`, and a new `StepLR(optimizer, …)`, begin
        at 0.

        A new scheduler in PyTorch begins with the rate that it finds in the optimizer. Where that is the decayed one,
        the schedule starts again from there.

    The fix:
        The assertion, or a look at `scheduler.last_epoch`, shows before any training whether the counter came back.

    See also:
        `extra-decay`, where the rate is decayed once more instead; lesson 9: resuming.
    """

    alike: ClassVar = {
        "extra-decay": "an exponential decay begun again is the same decay times a number",
        "shift": "begun again before anything changed, a schedule is late from its first step on",
        "tail": "begun again after the other's end, where that holds",
        "scale": "an exponential decay begun again is a multiple of it, where no row shows the time before",
    }
    explains_start: ClassVar = True
    side: Side
    step: int
    factor: float | None = None

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until a step at which one starts its schedule afresh."""
        for side in LATE_FIRST:
            base = pair.other(side)
            for step in _candidates(pair, side) if _shows(pair, side) else ():
                if not (base.rates.step[base.changes] < step).any():
                    continue  # nothing was undone: it is late from its first step on
                afresh = predict.changed(base, step, predict.moved(base, -step))
                yield Claim(cls(side, step), side, afresh)

    @classmethod
    def since(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until a step at which one starts its schedule afresh, from the rate that it has there."""
        for side in LATE_FIRST:
            curve, base, apart = pair.of(side), pair.other(side), first_apart(pair, side)
            if apart is None or onset(pair, side) is None or (curve.changes >= apart[1]).sum() < _fewest(base):
                continue
            peak = base.peak if base.schedule is None else max(base.peak, Written.of(base.schedule, base.last).peak)
            for step in _begins(pair, curve, base, apart):
                factor = _rate(base, step) / peak
                for lower in _from(base, curve, factor) if 0 < factor < 1 else ():
                    afresh = predict.changed(base, step, predict.begun_again(lower, step))
                    yield Claim(cls(side, step, rounded(factor, 6)), side, afresh)

    def sentence(self, scene: Scene) -> str:
        """Which side starts again, and where."""
        if self.factor is not None:
            return (
                f"Both are equal until step {self.step:,}. There {self.side} starts its schedule again, not from the "
                f"full rate but from {multiple(self.factor)} times that: the rate that it had come down to, as a "
                "scheduler does that is made anew over an optimizer that was loaded."
            )
        return (
            f"Both are equal until step {self.step:,}. There {self.side} starts its schedule again from the beginning, "
            "like a run that was resumed without its step counter."
        )

    def fix(self, scene: Scene) -> Fix:
        """Keep the counter."""
        side = self.side
        if scene.is_meant(side):
            return scene.given(other(side), lambda side: f"start {side}'s schedule again at step {self.step:,}")
        advice = (
            f"Save the step counter of {side}'s schedule with the weights, and restore both before training goes on."
        )
        return Fix(advice, scene.coded(side, lambda name: snippets.resume(name, self.step), snippets.RESUME_IN))


def _begins(pair: Pair, curve: Curve, base: Curve, apart: tuple[int, int]) -> list[int]:
    """Where one side may have begun again: it had the same rate then, and may have held it for an epoch."""
    rows = curve.rates.step[max(apart[0] - 1, 0) : apart[1] + 1]
    near = steps_between(int(rows[0]) + 1, int(rows[-1]), MOST).tolist()
    size = pair.clock.steps_per_epoch if pair.clock else base.inferred.steps_per_epoch if base.inferred else 1
    held = base.changes[base.rates.step[base.changes] <= curve.rates.step[apart[0]]] if size > 1 else []
    first = int(base.rates.step[max(held[-1] - 1, 0)]) + 1 if len(held) else int(rows[0]) + 1
    epochs = [step for step in range(-(-first // size) * size, int(rows[-1]) + 1, size) if step] if size > 1 else []
    return list(dict.fromkeys([*epochs[-MOST:], *near]))


def _fewest(base: Curve) -> int:
    """Changes after a new start from a lower rate that speak for it: of a curve, no two are alike by chance."""
    return FEWEST if base.schedule is None or base.schedule.kind in STAIRS else FEWEST - 1


def _rate(base: Curve, step: int) -> float:
    """The rate at a step, by the schedule where it is known: a row was rounded."""
    if base.inferred is None:
        return float(base.at(np.array([step])).value[0])
    return float(base.inferred.rate(np.array([step]))[0])


def _shows(pair: Pair, side: Side) -> bool:
    """Whether the rows may show a new start: more than one change is undone by it, or follows."""
    curve, base, first = pair.of(side), pair.other(side), int(pair.differs[side].argmax())
    if is_one(curve) and not is_one(base):
        return False  # a schedule that repeats itself, and another run that leaves it
    undone = (base.rates.step[base.changes] < curve.rates.step[first]).sum()
    if first and undone and curve.rates.lr[first - 1] < curve.rates.lr[first] == base.rates.lr[0] == base.peak:
        return True  # stairs that fell do not rise to the full rate by themselves
    return bool(undone + (curve.changes >= first).sum() > (2 if curve.is_stepwise and base.is_stepwise else 1))


def _from(base: Curve, curve: Curve, factor: float) -> Iterator[Prediction]:
    """A schedule from a part of its highest rate on: with every rate so much lower, or with its last rate as it is."""
    yield predict.times(base, factor)
    schedule = None if base.schedule is None else Written.of(base.schedule, base.last)
    field = None if schedule is None else next((name for name in ("end", "floor") if name in schedule.rates()), None)
    if schedule is not None and field is not None and schedule.rates()[field] < factor * schedule.peak:
        lower = schedule.times(factor).with_body(**{field: schedule.rates()[field]})
        yield predict.scheduled(base, lower.schedule(), curve)


def _candidates(pair: Pair, side: Side) -> list[int]:
    """Steps at which one side may have begun again."""
    apart = first_apart(pair, side)
    curve, base = pair.of(side), pair.other(side)
    if apart is None or not (curve.changes >= apart[1]).any():
        return []  # what never changes again does not begin again
    steps = curve.rates.step
    latest = int(steps[apart[1]])
    both = recurring(curve, base, pair.differs[side], rows=4, most=6, near=lambda step: step - latest)
    candidates = [latest, *(step - again for step, again in both)]
    changes, first = curve.changes[curve.changes >= apart[1]][:4], base.changes[:4]
    for one in changes:
        for late in (0, 1):
            candidates += [int(steps[one - late]) - int(base.rates.step[each - late]) for each in first]
    candidates += steps_between(int(steps[apart[0]]) + 1, latest, MOST).tolist()
    size = base.inferred.steps_per_epoch if base.inferred else 1
    candidates.sort(key=lambda step: step % size != 0)  # of those that thinned rows leave open, whole epochs first
    return [each for each in dict.fromkeys(candidates) if 0 < each <= latest][:MOST]
