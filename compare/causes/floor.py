"""The cause `floor`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ..infer.numbers import shortest
from ..refute import Claim, Pair, predict
from ..refute.estimate import first_apart
from ..terms import SIDES, Side, other
from . import snippets
from .base import Cause
from .scene import Fix, Scene


class Floor(Cause):
    """Equal until one stops falling.

    Attributes:
        side: the one that stops.
        rate: at which it stops.

    What you see:
        Both rates fall along the same curve. At step 117 a has reached 0.02 and stays there; b keeps falling.

    How it comes about:
        Neither `ExponentialDecay` nor `ExponentialLR` has a lowest rate. Somebody wrote one around the schedule, and
        ported the schedule without the lines around it. `ReduceLROnPlateau` has a floor of its own in both frameworks,
        `min_lr`.

    The fix:
        A cosine needs no such lines: its floor is `alpha` in Keras, as a fraction of the initial rate, and `eta_min` in
        PyTorch, as a rate.

    See also:
        `tail`, where a schedule ends instead; lesson 8: warm-up, cosine, restarts.
    """

    alike: ClassVar = {"tail": "where the other only falls, to hold is to have a floor"}
    side: Side
    rate: float

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """Equal until one stops falling at its lowest rate: y = max(x, f)."""
        for side in SIDES:
            apart = first_apart(pair, side)
            if apart is None:
                continue
            lr = pair.of(side).rates.lr
            lowest = float(lr.min())
            resting = lr == lowest
            if resting.sum() < 2 or resting.all() or not lowest:
                continue
            rate = shortest(lowest, 3e-7 * lowest)
            yield Claim(cls(side, rate), side, predict.floored(pair.other(side), rate))

    def sentence(self, scene: Scene) -> str:
        """Which side stops, and at which rate."""
        return (
            f"Both are equal until {self.side} stops falling at a rate of {self.rate:.6g}; {other(self.side)} keeps "
            "falling."
        )

    def fix(self, scene: Scene) -> Fix:
        """Give the other side a floor, or remove this one's."""
        holding, rate = self.side, f"{self.rate:.6g}"

        def change(side: Side) -> str:
            return f"remove the floor of {rate} from {side}" if side == holding else f"give {side} a floor of {rate}"

        side = scene.to_change("b")
        if side == holding or scene.following(side):
            return scene.given(side, change)
        return scene.either(side, change, scene.coded(side, lambda name: snippets.floor(name, self.rate)))
