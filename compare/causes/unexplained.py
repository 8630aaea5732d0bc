"""The cause `unexplained`."""

from __future__ import annotations

from .base import Cause
from .scene import LOG_MORE, Fix, Scene


class Unexplained(Cause):
    """None of the other causes explains the difference.

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

    def sentence(self, scene: Scene) -> str:
        """Why nothing is known: a rate of 0, too few rows, no step in common, or none of the causes."""
        zero, first = _zero(scene), scene.first
        if zero and first is not None:
            return f"{zero}'s rate is 0 at every step: none of its updates changes a weight, and it shows no schedule."
        if first is not None and scene.compared is not None and scene.compared < 3:
            rows = "one common row" if scene.compared == 1 else "two common rows"
            return f"The rates differ, but {rows} cannot show why."
        if first is None:
            a, b = (f"{seen.first:,} to {seen.last:,}" for seen in (scene.a, scene.b))
            return (
                f"a and b have no step in common, and neither's rates at the other's steps are known: a has rows for "
                f"steps {a}, b for {b}."
            )
        return (
            "None of the causes that samestep knows, alone or two at once, explains how a and b differ. Someone may "
            "have changed the rate by hand, or it depends on the training itself, as with ReduceLROnPlateau."
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
            return Fix("Record both runs from the same step on, or compare each with the intended schedule.")
        if scene.is_meant("a") or scene.is_meant("b"):
            side = scene.to_change("b")
            return Fix(
                f"Look for what sets {side}'s rate from step {first.step:,} on: another schedule, a callback, or "
                "the losses."
            )
        return Fix(
            "Compare each side with the intended schedule: samestep compare LOG SCHEDULE. That shows which of the two "
            "is wrong, and where."
        )


def _zero(scene: Scene) -> str | None:
    """The side whose rate is 0 throughout; a if both are."""
    return "a" if scene.a.is_zero else "b" if scene.b.is_zero else None
