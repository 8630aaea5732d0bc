"""The cause `skipped`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..refute import Claim, Curve, Known, Pair, Prediction
from ..refute.estimate import LATE_FIRST
from ..terms import Side, other
from ..words import counted
from . import snippets
from .base import Cause
from .scene import Fix, Scene

MOST_STEPS = 64
"""Steps that one may lag behind at most."""

MOST_AT_ONCE = 10
"""Steps by which a lag may grow from one row to the next, where rows lie apart."""

MOST_ROWS = 50_000
"""Rows and steps of a run in which a lag is looked for at most."""

PAID = 16
"""Rows that must each tell the lag, for every place at which it grows."""

SHARP = 0.25
"""Part of what a lag of one step more makes of a rate, up to which the rate must be known to tell the lag."""


class Skipped(Cause):
    """One falls behind by whole steps, more and more: some of its updates were skipped.

    Attributes:
        side: the one that lags.
        steps: by how many steps it lags in the end.
        times: in how many places the lag grows.

    What you see:
        Both follow one cosine. b holds a rate for one step more twice in its first 20 steps, and once at step 150. Each
        time it is a step further behind, and in the end it has a's rate of three steps before.

    How it comes about:
        With mixed precision `GradScaler.step(optimizer)` leaves out an update whose gradients are not finite, and
        halves the scale. It starts with a large scale, so the first updates are often skipped. Many trainers do not
        step the scheduler then, and go on to count: Transformers' `Trainer` asks `optimizer_step_was_skipped`.

    The fix:
        Nothing, where the skipped updates were meant to be skipped: the schedule ends so many steps later. Start with a
        smaller scale, `GradScaler(init_scale=1024)`, or train in bfloat16, which needs no scale.

    See also:
        `shift`, where one lags from its first row on by the same number of steps; lesson 5: which rate is in the log.
    """

    alike: ClassVar = {"shift": "where all updates were skipped before the first row, the lag is the same throughout"}
    side: Side
    steps: int
    times: int

    @classmethod
    def since(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """b(n) = a(n - lag), where the lag begins at 0 and only grows."""
        for side in LATE_FIRST:
            grown = _lag(pair, side)
            if grown is not None:
                cause = cls(side, int(grown.lags[-1]), grown.times)
                yield Claim(cause, side, _late(pair.other(side), grown))

    def sentence(self, scene: Scene) -> str:
        """Which side lags, by how many steps in the end, and how that comes about."""
        places = counted(self.times, "place")
        return (
            f"{self.side} falls behind {other(self.side)} in {places}, by {scene.steps(self.steps)} in the end: there "
            f"it has {other(self.side)}'s rate of {counted(self.steps, 'step')} before. This is what a gradient scaler "
            "leaves that skips updates whose gradients are not finite, if the scheduler is not stepped for them."
        )

    def fix(self, scene: Scene) -> Fix:
        """Skip fewer updates; the schedule itself is right."""
        advice = (
            f"If {self.side} skipped {counted(self.steps, 'update')}, its schedule is right. To skip fewer, start with "
            "a smaller scale of the loss, or train in bfloat16."
        )
        if scene.of(self.side).is_intended:
            return super().fix(scene)
        return Fix(advice, scene.coded(self.side, lambda name: snippets.SMALL_SCALE[name]))


class _Lag(NamedTuple):
    """From each of some steps on, a lag; and in how many places it grows."""

    steps: np.ndarray
    lags: np.ndarray
    times: int


def _late(base: Curve, grown: _Lag) -> Prediction:
    def predicted(step: np.ndarray) -> Known:
        lag = grown.lags[np.maximum(np.searchsorted(grown.steps, step, side="right") - 1, 0)]
        return base.at(step - lag)

    return predicted


def _lag(pair: Pair, side: Side) -> _Lag | None:
    """How a side lags behind the other; None where it does not, or its rows do not tell.

    Of the lags that a row allows, the one that holds for most rows from there on is taken; it only grows.
    """
    curve, base = pair.of(side), pair.other(side)
    rates = curve.rates
    if max(len(rates), curve.last) > MOST_ROWS or not len(curve.changes):
        return None
    fits, sharp = _fitting(curve, base, pair.ulp)
    rows = len(rates)
    ends = np.full((len(fits), rows + 1), rows)  # for each lag and row, the first row from there on that refutes it
    for row in range(rows - 1, -1, -1):
        ends[:, row] = np.where(fits[:, row], ends[:, row + 1], row)
    starts, lags = [0], [int(ends[:, 0].argmax())]
    while (row := int(ends[lags[-1], starts[-1]])) < rows:
        apart = int(rates.step[row] - rates.step[row - 1]) if row else 0
        most = lags[-1] + min(apart, MOST_AT_ONCE) + 1
        later = ends[lags[-1] + 1 : most, row]
        if not row or not len(later) or later.max() == row:
            return None
        starts.append(row)
        lags.append(lags[-1] + 1 + int(later.argmax()))
    if len(lags) < 2:
        return None  # the same lag throughout is a shift
    grows = starts[lags[0] == 0 :]  # one that lags from its first row on has skipped some before it
    times = 1 + int((np.diff(grows) > 1).sum())
    last = sharp[lags[-1], starts[-1] :].sum()
    parts = zip(lags, starts, [*starts[1:], rows], strict=True)
    told = sum(int(sharp[lag, begin:end].sum()) for lag, begin, end in parts)
    if told < PAID * times or last < PAID // 2:
        return None
    if times == 1 and lags[-1] % _epoch(pair, side) == 0:
        return None  # a whole epoch that was repeated
    return _Lag(rates.step[starts], np.array(lags), times)


def _epoch(pair: Pair, side: Side) -> int:
    """Steps of an epoch, by the clock or by how often the rate is looked up; more than any lag where neither tells."""
    inferred = pair.other(side).inferred
    if inferred is not None and inferred.stepping == "epoch":
        return inferred.steps_per_epoch
    return MOST_STEPS + 1 if pair.clock is None else pair.clock.steps_per_epoch


def _fitting(curve: Curve, base: Curve, ulp: float) -> tuple[np.ndarray, np.ndarray]:
    """For each lag and row, whether the row may have the other's rate of so many steps before, and whether it tells."""
    rates = curve.rates
    first, last = int(rates.step[0]) - MOST_STEPS - 1, int(rates.step[-1])
    known = base.at(np.arange(first, last + 1))
    fits = np.zeros((MOST_STEPS + 1, len(rates)), dtype=bool)
    sharp = np.zeros_like(fits)
    for lag in range(MOST_STEPS + 1):
        place = rates.step - lag - first
        theirs = known.at_rows(place)
        within = Known(theirs.value, theirs.slack + rates.rounding, np.maximum(theirs.size, rates.lr), theirs.drift)
        is_known, room = np.isfinite(theirs.slack), within.allowed(ulp)
        fits[lag] = ~is_known | (np.abs(rates.lr - theirs.value) <= room)
        sharp[lag] = is_known & fits[lag] & (room <= SHARP * np.abs(theirs.value - known.value[place - 1]))
    return fits, sharp
