"""The cause `never-falls`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np

from samestep.experiment.schedules import PiecewiseConstant, Schedule, Sequence

from ..refute import Claim, Curve, Pair, predict
from ..refute.estimate import LATE_FIRST, allowed_at, first_apart, is_plain, steps_between
from ..refute.written import Stairs, Written
from ..terms import Side, other
from .base import Cause
from .scene import Fix, Scene

MOST_PARTS = 2
"""Schedules one after the other that make one, at most: a warm-up apart, a stable phase and a decay."""

MOST = 10_000
"""Steps between two rows that are looked at most."""


class NeverFalls(Cause):
    """One keeps its highest rate to the end, where the other falls.

    Attributes:
        side: the one that keeps it.
        step: the first at which the other is lower.

    What you see:
        Both begin with a rate of 0.1. b falls to a tenth of it at step 107, and once more at step 213. a has the full
        rate to the last step.

    How it comes about:
        A scheduler in PyTorch does nothing until `scheduler.step()` is called, and says nothing if it never is. One
        that is called once per epoch does not reach milestones that were given in steps. `MultiStepLR` looks for the
        very count of its calls among its milestones: one that is no whole number, such as a third of 320 steps, is
        never met, so that the rate never falls.

    The fix:
        Call `scheduler.step()` after `optimizer.step()`, and write milestones as whole numbers of the calls.

    See also:
        `tail`, where a rate holds from the schedule's end on; lesson 4: what PyTorch does.
    """

    alike: ClassVar = {
        "reset": "begun again where the first change was due, a schedule has its highest rate until the next one",
        "extra-decay": "of one change that the other lacks, either may be meant",
        "tail": "where the other's highest rate has an end, to keep it is to hold there",
        "counter": "a clock that is slow enough reaches no change",
        "family": "a constant is a kind of its own",
    }
    side: Side
    step: int

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """The other's rates up to its highest, and from there on no other."""
        for side in LATE_FIRST:
            keeping, base = pair.of(side), pair.other(side)
            if base.schedule is None or not _is_meant(base.schedule, base.last) or not _keeps(keeping):
                continue
            falls = _falls(pair, side)
            if falls is not None:
                kept = predict.changed(base, falls, predict.constant(keeping.peak))
                yield Claim(cls(side, falls), side, kept)

    def sentence(self, scene: Scene) -> str:
        """Which side keeps its rate, and from where on the other is lower."""
        return (
            f"{self.side} keeps its highest rate to the end, and {other(self.side)} falls from step {self.step:,} on. "
            f"Either {self.side}'s scheduler is never stepped, or it reaches none of its changes, or its rate is meant "
            "to be constant."
        )

    def fix(self, scene: Scene) -> Fix:
        """Step the scheduler, or give the other's schedule."""
        side = scene.to_change(self.side)
        if side != self.side:
            return super().fix(scene)
        fix = scene.given(side, lambda side: f"give {side} the schedule of {other(side)}")
        advice = "In PyTorch call scheduler.step() after optimizer.step(), with milestones as whole numbers of calls."
        return replace(fix, advice=f"{advice} {fix.advice}")


def _is_meant(schedule: Schedule, last: int) -> bool:
    """Whether somebody wrote a schedule so, and no rate was turned down by hand now and then."""
    body = Written.of(schedule, last).body
    if isinstance(body, PiecewiseConstant):
        stairs = Stairs.of(body, last)
        return stairs is not None and stairs.factor < 1 and is_plain(body)
    parts = body.schedules if isinstance(body, Sequence) else (body,)
    return len(parts) <= MOST_PARTS and all(is_plain(part) for part in parts)  # type: ignore[arg-type]


def _keeps(curve: Curve) -> bool:
    """Whether a run rises to its highest rate and never leaves it."""
    lr = curve.rates.lr
    first = int(curve.changes[-1]) if len(curve.changes) else 0
    return bool(lr[first] >= curve.peak - 2 * curve.rates.rounding[first] and (np.diff(lr[: first + 1]) >= 0).all())


def _falls(pair: Pair, side: Side) -> int | None:
    """The first step at which the other is below what it shares with this side; None where it shares nothing."""
    keeping, base = pair.of(side), pair.other(side)
    if not pair.differs[side].any():
        return None
    last, apart = int(pair.differs[side].argmax()), first_apart(pair, side)
    # a step earlier: where stairs fall, one is allowed to be a step late
    before = max(int(keeping.rates.step[apart[0]]) - 1, 0) if apart else 0
    steps = steps_between(before, int(keeping.rates.step[last]), MOST)
    rate = base.at(steps).value
    room = 2 * allowed_at(keeping.peak) + keeping.rates.rounding[last]
    below = np.flatnonzero(rate < keeping.peak - room)
    shared = len(below) and below[0] and abs(rate[below[0] - 1] - keeping.peak) <= room
    return int(steps[below[0]]) if shared else None
