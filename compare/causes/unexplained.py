"""The cause `unexplained`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from compare.causes.base import Cause
from compare.causes.fix import LOG_MORE, Fix
from compare.causes.scene import Scene


@dataclass(frozen=True, repr=False)
class Unexplained(Cause):
    """None of these reaches the tolerance.

    What you see:
        Both rates begin at 0.1 and fall by the same factor each time, but at steps of their own, and no rule gives b's
        steps from a's.

    How it comes about:
        `ReduceLROnPlateau`, in Keras and in PyTorch, lowers the rate when the loss has not fallen for `patience` epochs
        (in PyTorch: calls of `scheduler.step(loss)`). Its rate is an answer to the losses and no function of the step,
        so two runs whose losses differ have different rates. Here PyTorch's was given two series of noisy losses, drawn
        with two seeds.

        A rate that was changed by hand, or by more than two causes at once, is not explained either.

    The fix:
        Where the rate follows the losses, look for what makes these differ: with equal losses `ReduceLROnPlateau` gives
        equal rates.

    See also:
        Page `comparing`, on a log against a schedule; lesson 6: a fair comparison.
    """

    name: ClassVar = "unexplained"

    def sentence(self, scene: Scene) -> str:
        """Why nothing is known: a rate of 0, too few rows, no step in common, or none of the causes."""
        zero, first = _zero(scene), scene.first
        if zero and first is not None:
            return (
                f"{zero}'s rate is 0 at every step, so that no update of it changes a weight and nothing shows a "
                "schedule."
            )
        if first is not None and scene.compared is not None and scene.compared < 3:
            rows = "the one row" if scene.compared == 1 else "the two rows"
            return f"The rates differ, but {rows} that both have cannot tell why."
        if first is None:
            a, b = (f"{seen.first:,} to {seen.last:,}" for seen in (scene.a, scene.b))
            return (
                f"a and b have no step in common, and nothing tells what either used at the other's steps: a has rows "
                f"for steps {a}, b for {b}."
            )
        return (
            "None of the causes that samestep knows, nor any two of them, explains how a and b differ. Somebody may "
            "have changed the rate by hand, or it follows what happens in training, as ReduceLROnPlateau does."
        )

    def fix(self, scene: Scene) -> Fix:
        """How to find out more."""
        zero, first = _zero(scene), scene.first
        if first is not None and zero:
            return Fix(
                f"Find out why {zero}'s rate is 0: an initial rate of 0, a factor of 0, or a metric that was never set."
            )
        if first is not None and scene.compared is not None and scene.compared < 3:
            return LOG_MORE
        if first is None:
            return Fix("Record both runs from the same step on, or compare each with the schedule that was meant.")
        return Fix(
            "Compare each side with the schedule that was meant: samestep compare LOG SCHEDULE. It tells which of the "
            "two went astray, and where."
        )


def _zero(scene: Scene) -> str | None:
    """The side whose rate is 0 throughout; a if both are."""
    return "a" if scene.a.is_zero else "b" if scene.b.is_zero else None
