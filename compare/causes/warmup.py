"""The cause `warmup`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np

from samestep.experiment.schedules import Warmup as WarmupSchedule

from ..infer import Inferred
from ..infer.numbers import shortest, whole_digits
from ..rates import Rates
from ..refute import Claim, Curve, Known, Pair, Prediction, predict
from ..refute.curve import Predicted
from ..refute.estimate import LATE_FIRST, allowed_at, first_apart, is_regular, onset, recurring, steps_between
from ..terms import Language, Side, other
from ..words import counted
from . import snippets
from .base import Cause
from .scene import Fix, Scene

SHORTEST = 4
"""Steps of the shortest warm-up that can be told from a shift."""

MOST = 1200
"""Lengths of a warm-up before a schedule that are tried at most."""

FEWEST = 5
"""Rows of a second warm-up, and after it, that speak for one."""


class Warmup(Cause):
    """One warms up first; afterwards both are equal, perhaps delayed by the warm-up.

    Attributes:
        side: the one that warms up.
        steps: how long the warm-up lasts.
        then: `aligned` if the schedule runs beside the warm-up, `delayed` if it starts after it.
        step: where it begins; without it, at the first step.

    What you see:
        a rises for 50 steps, and then goes down the stairs that b goes down from its first step on. All of b's changes
        come 50 steps early, and its first updates have the full rate.

    How it comes about:
        In PyTorch `SequentialLR(optimizer, [LinearLR(…), StepLR(…)], milestones=[50])` starts its second schedule at
        the milestone, so leaving the warm-up out moves everything. Transformers' `get_constant_schedule_with_warmup`
        has nothing to move. In Keras only `CosineDecay` has a warm-up (`warmup_target`, `warmup_steps`): with any other
        schedule it must be written, and is easily forgotten. Here b is the run that was ported without it.

        Where the schedule runs beside the warm-up and not after it, b is right from the end of the warm-up on.

        A warm-up that begins in the middle of a run is a second one: the run was resumed, and warmed up again.

    The fix:
        Give both a warm-up of the same length, and say whether the schedule begins beside it or after it.

    See also:
        Lesson 8: warm-up, cosine, restarts.
    """

    explains_start: ClassVar = True
    side: Side
    steps: int
    then: Literal["aligned", "delayed"]
    step: int | None = None

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """One warms up first, equal afterwards: aligned, or delayed by the warm-up."""
        for side in LATE_FIRST:
            warming, base = pair.of(side), pair.other(side)
            if not _goes_up(warming) or _goes_up(base):
                continue
            may_begin = base.schedule is None or isinstance(base.schedule, WarmupSchedule)  # otherwise than it goes on
            for steps in _aligned(pair, side) if is_regular(base) else ():
                for head in (*_heads(warming, steps, base.at(np.array([steps]))), *_ramps(warming, base, steps)):
                    after = predict.after(base, steps, 0, head)
                    yield Claim(cls(side, steps, "aligned"), side, after, leaves=steps if may_begin else 0)
            for steps in _delayed(pair, side):
                heads = [*_heads(warming, steps, base.at(np.array([0]))), *_risen(warming, steps, base)]
                for head in heads:
                    yield Claim(cls(side, steps, "delayed"), side, predict.after(base, steps, steps, head))

    @classmethod
    def taken_off(cls, pair: Pair) -> Iterator[tuple[Self, Pair]]:
        """A head that rises to the highest rate, and what follows it: from the other's first step on, or beside it."""
        for side in LATE_FIRST:
            warming = pair.of(side)
            if not _goes_up(warming) or _goes_up(pair.other(side)):
                continue
            for steps, schedule in _heads_of(warming):
                after = warming.rates.rows(warming.rates.step >= steps)
                if steps < 2 or len(after) < 3 or not _rises(warming, steps):
                    continue
                delayed = Curve(Rates(after.step - steps, after.lr, after.rounding), schedule)
                yield from cls._followed(pair, cls(side, steps, "delayed"), delayed, 0)
                yield from cls._followed(pair, cls(side, steps, "aligned"), Curve(after, None), steps)

    @classmethod
    def _followed(cls, pair: Pair, warmup: Self, after: Curve, first: int) -> Iterator[tuple[Self, Pair]]:
        """A warm-up with what is left: what follows it, beside the other side from a first step on."""
        base = pair.other(warmup.side)
        theirs = base.rates.rows(base.rates.step >= first)
        if len(theirs) >= 3:
            yield warmup, pair.left(warmup.side, after, Curve(theirs, base.inferred))

    @classmethod
    def since(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until a step at which one warms up once more: what a first warm-up is, counted from there."""
        for side in LATE_FIRST:
            warming, base, apart = pair.of(side), pair.other(side), first_apart(pair, side)
            step = onset(pair, side)
            if apart is None or step is None:
                continue
            steps = warming.rates.step
            for begins in dict.fromkeys((step, int(steps[apart[1]]), int(steps[apart[0]]) + 1)):
                later = warming.rates.rows(steps >= begins)
                rises = int((np.diff(later.lr) <= 0).argmax())
                goes_on = Predicted.on(later.step - begins, predict.moved(base, begins))
                if goes_on is None or rises < FEWEST or len(later) - rises < FEWEST:
                    continue
                warmed = Curve(Rates(later.step - begins, later.lr, later.rounding), None)
                for claim in cls.claims(pair.left(side, warmed, goes_on)):
                    if claim.side == side:
                        again = predict.changed(base, begins, predict.begun_again(claim.predict, begins))
                        yield Claim(replace(claim.cause, step=begins), side, again)

    def sentence(self, scene: Scene) -> str:
        """Which side warms up, for how long, and whether all else is delayed."""
        steps = scene.steps(self.steps)
        if self.step is not None:
            said = f"Both are equal until step {self.step:,}. There {self.side} warms up once more, over {steps}"
            if self.then == "aligned":
                return f"{said}. From then on both have the same rate at the same step."
            return f"{said}. Then {self.side} goes on where it was, {counted(self.steps, 'step')} late."
        said = f"{self.side} warms up over its first {steps}, {other(self.side)} does not"
        if self.then == "aligned":
            return f"{said}. From then on both have the same rate at the same step."
        late = counted(self.steps, "step")
        return f"{said}. Then {self.side} starts {other(self.side)}'s schedule, {late} late."

    def fix(self, scene: Scene) -> Fix:
        """Give the other side a warm-up, or remove this one's."""
        if self.step is not None:
            side, step = scene.to_change(self.side), self.step
            advice = f"Restore {self.side}'s step counter at step {step:,}, so that its warm-up does not begin anew."
            return Fix(advice, scene.coded(side, lambda name: snippets.resume(name, step), snippets.RESUME_IN))
        warming, cold, steps = self.side, other(self.side), scene.steps(self.steps)
        side = scene.to_change(cold)
        if side == warming:
            return scene.given(side, lambda side: f"remove the warm-up of {steps} from {side}")
        code = scene.following(side) or self._added(scene, side)
        if scene.is_meant(warming):
            return Fix(f"Give {side} a warm-up of {steps} too{':' if code else '.'}", code)
        advice = f"If the warm-up is intended, give {side} one of {steps} too; if not, remove it from {warming}."
        return Fix(f"{advice} The code is for {side}." if code else advice, code)

    def _added(self, scene: Scene, side: Side) -> dict[Language, str]:
        """A warm-up before a schedule that is not known; none where the rows do not show what it begins from."""
        if self.then != "delayed" or scene.first is None or scene.first.step:
            return {}
        low, high = (scene.first.a, scene.first.b) if self.side == "a" else (scene.first.b, scene.first.a)
        begins = shortest(low / high, 1e-6) if high else 0.0
        return scene.coded(side, lambda name: snippets.warmup_before(name, self.steps, begins))


def _goes_up(curve: Curve) -> bool:
    """Whether a run begins below its highest rate, and rises."""
    lr = curve.rates.lr
    moves = np.flatnonzero(np.diff(lr))
    return bool(len(moves) and lr[moves[0] + 1] > lr[moves[0]])


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
    ends = [*steps_between(early, late, 60), late + 1, late + 2]
    return [each for each in dict.fromkeys(int(each) for each in ends) if each >= SHORTEST]


def _delayed(pair: Pair, side: Side) -> list[int]:
    """Numbers of steps of a warm-up after which one side begins the other's schedule."""
    warming, base = pair.of(side), pair.other(side)
    steps = warming.rates.step
    grain = max(warming.stride, base.stride, 1)
    top = int(steps[warming.rates.lr.argmax()])
    exact = [top, top + 1]
    if isinstance(warming.schedule, WarmupSchedule):
        exact.insert(0, int(warming.schedule.over.count))
    ends = [top]
    later = np.where(np.arange(len(steps)) > len(steps) // 4, pair.differs[side], False)
    if not warming.is_stepwise:
        ends += [step - again for step, again in recurring(warming, base, later)]
    for one in warming.changes[-3:]:
        ends += [int(steps[one]) - int(base.rates.step[each]) for each in base.changes[-3:]]
    near = [each + close for each in dict.fromkeys(ends) for close in range(1 - min(grain, 60), min(grain, 60))]
    if grain > 1:  # the rows leave it open: the roundest comes first
        exact, near = [], sorted([*exact, *near], key=lambda each: whole_digits(each, _unit(pair)))
    return [each for each in dict.fromkeys(exact + near) if SHORTEST <= each < 0.9 * int(steps[-1])][:MOST]


def _heads(warming: Curve, steps: int, target: Known) -> Iterator[Prediction]:
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
    if start is not None and start > -allowed_at(goal):
        yield predict.line(max(start, 0.0), goal, steps, slack)
    if len(inside) > 1:
        yield predict.constant(float(rows.lr[inside[0]]), slack)


def _unit(pair: Pair) -> int:
    """The steps of an epoch, where they are known; else 1."""
    return pair.clock.steps_per_epoch if pair.clock else 1


def _risen(warming: Curve, steps: int, base: Curve) -> Iterator[Prediction]:
    """A warm-up of any shape that rises to where the other begins: nothing is said of its rows."""
    lr = warming.rates.lr[warming.rates.step < steps]
    goal = base.rates.lr[0]
    if len(np.unique(lr)) > 2 and lr[0] < lr[-1] <= goal and (np.diff(lr) >= 0).all():
        yield predict.unknown


def _ramps(warming: Curve, base: Curve, steps: int) -> Iterator[Prediction]:
    """A factor that rises in a straight line to 1, on the other's rates."""
    first = int(warming.rates.step[0])
    target = base.at(np.array([first]))
    if first < steps and np.isfinite(target.slack[0]) and target.value[0] > warming.rates.lr[0]:
        yield predict.ramped(base, first, float(warming.rates.lr[0] / target.value[0]), steps)


def _heads_of(warming: Curve) -> Iterator[tuple[int, Inferred | None]]:
    """How long a warm-up may be, with the schedule after it: as inferred, or up to the highest rate."""
    inferred = warming.inferred
    if inferred is not None and inferred.schedule.kind == "warmup":
        yield int(inferred.schedule.over.count), replace(inferred, schedule=inferred.schedule.then)
    yield int(warming.rates.step[int(warming.rates.lr.argmax())]), None


def _rises(warming: Curve, steps: int) -> bool:
    """Whether the rows before `steps` are a straight line up to the rate there, or one lower rate."""
    rows = warming.rates.rows(warming.rates.step < steps)
    for head in _heads(warming, steps, warming.at(np.array([steps]))):
        rates = head(rows.step)
        if (np.abs(rates.value - rows.lr) <= rates.allowed() + rows.rounding).all():
            return True
    return False
