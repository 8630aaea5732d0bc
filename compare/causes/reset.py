"""The cause `reset`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ..refute import Claim, Pair, predict
from ..refute.estimate import LATE_FIRST, first_apart, recurring, steps_between
from ..terms import Side, other
from . import snippets
from .base import Cause
from .scene import Fix, Scene

MOST = 150
"""Steps at which a run may have begun again that are tried at most."""


class Reset(Cause):
    """Equal until a step at which one starts its schedule again.

    Attributes:
        side: the one that starts again.
        step: the first step of the new start.

    What you see:
        b was stopped after 5 epochs and resumed. From step 160 on it follows its schedule from the beginning, with the
        full rate, where the uninterrupted run a has a quarter of it.

    How it comes about:
        A schedule is as far as its counter says. In Keras the counter belongs to the optimizer. The file of
        `save_weights` holds it, but a model that calls `load_weights` before `compile`, as here, has no optimizer yet
        to take it; one with Adam, whose variables are not built, does not take it either. In PyTorch the counter
        belongs to the scheduler: a checkpoint without `scheduler.state_dict()`, and a new `StepLR(optimizer, …)`, begin
        at 0.

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

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until a step at which one starts its schedule afresh."""
        for side in LATE_FIRST:
            base = pair.other(side)
            for step in _candidates(pair, side):
                afresh = predict.changed(base, step, predict.moved(base, -step))
                yield Claim(cls(side, step), side, afresh)

    def sentence(self, scene: Scene) -> str:
        """Which side starts again, and where."""
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
    return [each for each in dict.fromkeys(candidates) if 0 < each <= latest][:MOST]
