"""The cause `length`."""

from __future__ import annotations

from typing import Self

import numpy as np

from ..rates import Rates
from ..refute import Pair
from ..refute.estimate import usual_distance
from ..terms import Side
from ..tolerance import allowed
from .base import Cause
from .scene import LOG_MORE, Fix, Scene


class Length(Cause):
    """Equal as long as both last.

    Attributes:
        steps_a: updates of a.
        steps_b: updates of b.

    What you see:
        Both rates are the same at every step that both have. a goes on for 320 steps, b for 310.

    How it comes about:
        Both trained for 10 epochs on 1,000 samples in batches of 32. Keras' `fit` trains on the short last batch as
        well, 32 steps an epoch; a PyTorch loader with `drop_last=True` leaves it out, 31 steps an epoch. A run that was
        stopped early, or is still under way, is shorter too.

    The fix:
        There is no code, since no schedule is wrong. Remove `drop_last=True` from the loader, or give Keras data
        without the last batch.

    See also:
        `period`, where such a count went into a schedule; lesson 2: steps, batches, epochs.
    """

    steps_a: int
    steps_b: int

    @classmethod
    def of_equal(cls, pair: Pair) -> Self | None:
        """The updates of each side, where one lasts longer by more than the distance of its rows."""
        apart = abs(pair.a.last - pair.b.last)
        lasts = apart >= max(usual_distance(pair.a.rates), usual_distance(pair.b.rates))
        return cls(pair.a.last + 1, pair.b.last + 1) if lasts else None

    def one_ahead(self, a: Rates, b: Rates, ulp: float) -> Side | None:
        """Where the rates are the same row by row, whatever the steps say."""
        apart = {int(each) for each in b.step[[0, -1]] - a.step[[0, -1]]}
        if len(a) != len(b) or apart not in ({1}, {-1}):
            return None
        within = allowed(np.maximum(a.lr, b.lr), a.rounding, b.rounding, ulp=ulp)
        return ("a" if apart == {1} else "b") if (np.abs(a.lr - b.lr) <= within).all() else None

    def sentence(self, scene: Scene) -> str:
        """Where each ends."""
        a, b = (scene.steps(steps) for steps in (self.steps_a, self.steps_b))
        few = f"{scene.few_rows} Also, " if scene.compared == 1 else "The rates agree as long as both runs last, but "
        return f"{few}a ends after {a} and b after {b}."

    def fix(self, scene: Scene) -> Fix:
        """None in the schedule."""
        if scene.compared == 1:
            return LOG_MORE
        return Fix("Nothing to fix in the schedule. Train both equally long, or compare only the common steps.")
