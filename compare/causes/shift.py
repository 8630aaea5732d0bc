"""The cause `shift`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import ClassVar, Self

import numpy as np

from samestep.experiment.schedules import Product, Sequence

from ..rates import Rates
from ..refute import Claim, Curve, Pair, predict
from ..refute.claim import FEW
from ..refute.estimate import FAST_AND_SLOW, LATE_FIRST, is_plain, landmarks, moves, onset, recurring, shifts
from ..terms import Side, other
from . import snippets
from .base import Cause
from .reset import Reset
from .scene import Fix, Scene
from .warmup import Warmup

FEWEST = 5
"""Changes after a step that speak for a delay from there on."""

MOST = 100
"""Numbers of steps that a delay from a step on is tried with at most."""


class Shift(Cause):
    """One is some steps ahead of the other.

    Attributes:
        steps: how far b is ahead: b(n) = a(n + steps).
        step: the first step that is; without it, all are.

    What you see:
        a is the rate that each update used. b is the same run, with the rate as it was read after each batch. In its
        first steps b falls one step before a does, at step 24. (The axis begins at 0.0009.)

    How it comes about:
        Keras counts an update before it calls `on_train_batch_end`: `optimizer.learning_rate` is the next update's rate
        there. In PyTorch `optimizer.param_groups[0]["lr"]` is the next rate as soon as `scheduler.step()` was called.
        The same rows come about if b's schedule is one step early, so samestep asks. Given `--b lr_timing=next`, it
        finds no difference.

        Where both logs are right, the schedules differ: `PiecewiseConstantDecay([100], …)` has its new rate after step
        100, and `MultiStepLR(milestones=[100])` at it.

        From a step on, it is a run that was resumed: it repeats the epoch in which it was stopped, or skips its rest.

    The fix:
        Read the rate before the update. If a schedule was ported from PyTorch to Keras, subtract 1 from each milestone.

    See also:
        Lesson 5: which rate is in the log; page `recording`, which notes the used rate in both frameworks.
    """

    alike: ClassVar = {
        "scale": "an exponential decay moved along its steps is the same decay times a number",
        "extra-decay": "seen from a staircase's first change on, a period more is a factor more",
        "period": "where one change is seen, it is later or its period longer",
        "counter": "where one change is seen, it is later or its clock is slower",
        "warmup": "a schedule that holds its first rate, warmed up to, begins late",
    }
    may_be_timing: ClassVar = True
    moves_clock: ClassVar = True
    steps: int
    step: int | None = None

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """b(n) = a(n + k): a logged next rate, an off-by-one, a scheduler stepped early.

        The side that is behind either holds its first rate for k steps, or has k rows more at its beginning. These are
        left over, which is too much where they may be a schedule of their own.
        """
        if not moves(pair):
            return
        known = all(curve.schedule is not None and is_plain(curve.schedule) for curve in (pair.a, pair.b))
        rows = min(len(pair.a.rates), len(pair.b.rates))
        longest = rows * max(pair.a.stride, pair.b.stride, 1) * (1 if known else 0.5)
        few = any(curve.is_stepwise and len(curve.changes) < FEW for curve in (pair.a, pair.b))
        epoch = pair.clock.steps_per_epoch if pair.clock else 0
        fewest = min(len(pair.a.changes), len(pair.b.changes))
        thin = 2 * max(pair.a.stride, pair.b.stride) if pair.a.is_stepwise and pair.b.is_stepwise else 0
        size = epoch or max((each.inferred.steps_per_epoch for each in (pair.a, pair.b) if each.inferred), default=1)
        tried = [k for k in shifts(pair) if abs(k) <= longest]
        excess = _probed(pair, tried)
        for k in tried:
            if few and abs(k) > FEW and (abs(k) != epoch or fewest < 2):
                continue  # one or two changes that come later may be anything
            if 1 < abs(k) < thin and (size == 1 or k % size):
                continue  # where stairs change between two rows, the rows do not say
            ahead, behind = FAST_AND_SLOW[k < 0]
            late, first, second, shift = abs(k), pair.of(ahead), pair.of(behind), cls(k)
            held, left, unknown = (each[k] > 1 for each in excess)
            yield Claim(shift, behind, predict.moved(first, -late), is_refuted=held)
            if late <= FEW or _may_be_left(second, first, late):
                yield Claim(shift, ahead, predict.moved(second, late), leaves=late, is_refuted=left)
                moved = predict.moved_and_unknown_before(first, -late)
                yield Claim(shift, behind, moved, leaves=late, is_refuted=unknown)

    @classmethod
    def offhand(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """By a step or two, by an epoch, by where both have their landmarks."""
        steps = [1, -1, 2, -2]
        if pair.clock is not None:
            steps += [pair.clock.steps_per_epoch, -pair.clock.steps_per_epoch]
        steps += [ours - theirs for ours, theirs in zip(landmarks(pair.a), landmarks(pair.b), strict=True)]
        yield from (Claim(cls(k), "b", predict.moved(pair.a, k)) for k in dict.fromkeys(steps) if k)

    @classmethod
    def since(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until a step, and b(n) = a(n + k) from there on: an epoch that is repeated, or skipped, at a resume."""
        for side in LATE_FIRST:
            curve, base, step = pair.of(side), pair.other(side), onset(pair, side)
            if step is None or (curve.rates.step[curve.changes] >= step).sum() < FEWEST:
                continue
            both = recurring(curve, base, pair.differs[side], rows=4, near=lambda step: step)
            jumps = [again - at for at, again in both]
            for one, again in product(curve.changes[curve.rates.step[curve.changes] >= step][:3], base.changes[:64]):
                jumps.append(int(base.rates.step[again]) - int(curve.rates.step[one]))
            likely = [each for each in (*_epochs(pair, base, jumps), *jumps) if each]
            for k in list(dict.fromkeys(likely))[:MOST]:
                before = np.arange(step - abs(k) - _epoch(pair, base), step)
                if not base.is_stepwise and not np.ptp(base.at(before).value):
                    continue  # what holds and then falls later holds longer: nothing was repeated
                for later in (base, *(predict.beyond(base) if k > 0 else ())):  # it may come to its end, and climb
                    moved = predict.changed(base, step, predict.moved(later, k))
                    yield Claim(cls(k if side == "b" else -k, step), side, moved)

    def rank(self) -> int:
        """A step is what logs are off by: it comes before a scale that an exponential decay moved by a step has.

        From a step on, it comes after steps that were skipped, which must hold the rate where they are.
        """
        if self.step is not None:
            return 1
        return -2 if abs(self.steps) == 1 else 0

    def undone_by(self, other: Cause) -> bool:
        """By a schedule that begins again, or a warm-up, of no more steps."""
        back = other.step if isinstance(other, Reset) else other.steps if isinstance(other, Warmup) else None
        return back is not None and back <= 3 * abs(self.steps)

    def one_ahead(self, a: Rates, b: Rates, ulp: float) -> Side | None:
        """Where it is by one step, and nothing else differs."""
        return None if self.second or self.step is not None or abs(self.steps) != 1 else self._early

    @property
    def _early(self) -> Side:
        return "b" if self.steps > 0 else "a"

    def sentence(self, scene: Scene) -> str:
        """Which side is how far ahead, and how that may be."""
        early, late, count = self._early, other(self._early), abs(self.steps)
        if self.step is not None:
            return (
                f"Both are equal until step {self.step:,}. From there on {early} is {scene.steps(count)} ahead of "
                f"{late}: at step n it has {late}'s rate of step n + {count:,}. When it was resumed, {late} may have "
                f"repeated so many steps, or {early} left them out."
            )
        said = f"{early} is {scene.steps(count)} ahead of {late}: at step n it has {late}'s rate of step n + {count:,}."
        if scene.of(early).is_intended:
            return (
                f"{said} So {late} is late: it starts to count later, skipped updates (a GradScaler does), or its log "
                "numbers the steps differently."
            )
        if count == 1:
            return (
                f"{said} Either {early}'s log holds the next rate, read after the update, or its schedule changes one "
                "step earlier."
            )
        if scene.of(late).is_intended:
            return f"{said} It started to count earlier, or its log numbers the steps differently."
        return (
            f"{said} {early} started to count earlier, {late} skipped its first updates (a GradScaler does), or a log "
            "numbers its steps differently."
        )

    def fix(self, scene: Scene) -> Fix:
        """Read the rate earlier, mind how boundaries are written, count from 0, or keep the counter."""
        if self.step is not None:
            side, step = scene.to_change("b"), self.step
            advice = f"Resume {side} at the step where it was saved, with the step counter of its schedule."
            return Fix(advice, scene.coded(side, lambda name: snippets.resume(name, step), snippets.RESUME_IN))
        early, count = self._early, scene.steps(abs(self.steps))
        if abs(self.steps) == 1 and not scene.of(early).is_intended:
            advice = (
                f"If {early}'s log is wrong, read the rate before the update, as below. If both logs are right: Keras' "
                "PiecewiseConstantDecay changes one step after its boundary, PyTorch's MultiStepLR at its milestone. "
                f"{_boundaries(scene)}"
            )
            code = scene.coded(early, lambda name: snippets.READ_BEFORE[name], snippets.READ_BEFORE_IN)
            return Fix(advice, code)

        def change(side: Side) -> str:
            return f"start the schedule of {side} {count} {'later' if side == early else 'earlier'}"

        side = scene.to_change("b")
        size = scene.steps_per_epoch
        by_epoch = size > 1 and not self.steps % size
        fix = scene.given(side, change, "epoch" if by_epoch else "step")
        if not (fix.code or scene.of(side).trainer):
            steps = snippets.STEP_PER_EPOCH if by_epoch else snippets.STEP_PER_UPDATE
            code = scene.coded(side, lambda name: snippets.COUNT_FROM_ZERO if name == "Keras" else steps)
            fix = scene.either(side, change, code)
        elif keras := fix.code.get("Keras"):
            fix = replace(
                fix, code={**fix.code, "Keras": f"{keras}\n# before the training: {snippets.COUNT_FROM_ZERO}"}
            )
        if scene.of(side).is_intended:  # as both are
            return fix
        advice = f"{fix.advice.rstrip(':.')}. If {side}'s log counts from another number, give --{side} step_base=…."
        return replace(fix, advice=advice)


def _probed(pair: Pair, shifts: list[int]) -> tuple[dict[int, float], ...]:
    """How far each way to be so many steps late lies from the rows that refute most: the three of `Shift.claims`."""
    found: tuple[dict[int, float], ...] = ({}, {}, {})
    for is_back, (ahead, behind) in enumerate(FAST_AND_SLOW):
        ours = [k for k in shifts if (k < 0) == bool(is_back)]
        first, second = pair.of(ahead), pair.of(behind)
        later, before = [abs(k) for k in ours], [-abs(k) for k in ours]
        excess = (
            pair.probed(behind, before, partial(predict.moved, first)),
            pair.probed(ahead, later, partial(predict.moved, second)),
            pair.probed(behind, before, partial(predict.moved_and_unknown_before, first)),
        )
        for each, values in zip(found, excess, strict=True):
            each.update(zip(ours, values, strict=True))
    return found


def _epochs(pair: Pair, base: Curve, jumps: list[int]) -> list[int]:
    """The whole epochs next to some numbers of steps: what a run repeats, or leaves out."""
    size = _epoch(pair, base)
    whole = {-(-k // size) * size for k in jumps} | {k // size * size for k in jumps} if size > 1 else set()
    return sorted(whole, key=abs)


def _epoch(pair: Pair, base: Curve) -> int:
    """The steps of an epoch, as far as they are known; else 1."""
    if pair.clock is not None:
        return pair.clock.steps_per_epoch
    return base.inferred.steps_per_epoch if base.inferred else 1


def _may_be_left(curve: Curve, other: Curve, rows: int) -> bool:
    """Whether so many rows at the beginning of a run belong to the same schedule as the rest."""
    schedule, lr = curve.schedule, curve.rates.lr
    if lr[0] < 0.999 * curve.peak and other.rates.lr[0] >= 0.999 * other.peak:
        # a warm-up, which the other does not show unless it was over by then, and the rate fell already
        return rows > int(curve.rates.step[lr.argmax()]) and other.rates.lr[0] < 0.999 * curve.peak
    return schedule is not None and not isinstance(schedule, Sequence | Product)


def _boundaries(scene: Scene) -> str:
    """Where the first change comes, as both write it."""
    step = 100 if scene.first is None else scene.first.step
    return (
        f"PiecewiseConstantDecay([{max(step - 1, 0)}], …) equals MultiStepLR(optimizer, milestones=[{max(step, 1)}])."
    )
