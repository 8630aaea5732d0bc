"""The cause `family`."""

from __future__ import annotations

from typing import Self

import numpy as np

from samestep.experiment.schedules.text import to_short

from ..refute import Pair
from ..refute.estimate import is_plain
from ..refute.written import Written
from .base import Cause
from .scene import Scene


class Family(Cause):
    """Two different kinds of schedule.

    Attributes:
        kind_a: a's kind of schedule.
        kind_b: b's kind.
        schedule_a: a's schedule, in the short form.
        schedule_b: b's schedule.

    What you see:
        Both go from 0.1 to 0 in 320 steps, in different ways: a is a cosine, b a line. They meet in the middle; before
        it a is higher, after it b.

    How it comes about:
        The schedule was replaced rather than ported: by the nearest class that could be found, or by a default.
        Keras' `PolynomialDecay` and PyTorch's `PolynomialLR` are straight lines unless `power` is given.

    The fix:
        samestep names both schedules as it would write them, so that either can be translated with
        `samestep translate`.

    See also:
        Lesson 8: warm-up, cosine, restarts; page `schedules`: what each becomes in the other framework.
    """

    kind_a: str
    kind_b: str
    schedule_a: str
    schedule_b: str

    @classmethod
    def of(cls, pair: Pair) -> Self | None:
        """Two different kinds of schedule; None where they are of one kind or either is not known."""
        a, b = pair.a.schedule, pair.b.schedule
        if a is None or b is None or not (is_plain(a) and is_plain(b)):
            return None
        for each, base in ((pair.a, pair.b), (pair.b, pair.a)):
            if not (each.is_endless or np.ptp(each.rates.lr)) and abs(each.peak - base.peak) > 0.01 * base.peak:
                return None  # a rate that holds in a log, other than the first, may be the end of any
        ours, theirs = (Written.of(each, pair.a.last).kind for each in (a, b))
        if ours == theirs:
            return None
        kinds = (ours, theirs) if a.kind == b.kind else (str(a.kind), str(b.kind))
        return cls(*kinds, to_short(a), to_short(b))

    def sentence(self, scene: Scene) -> str:
        """Both schedules."""
        return (
            f"a and b follow different kinds of schedule: a is {self.kind_a} ({self.schedule_a}), b is "
            f"{self.kind_b} ({self.schedule_b})."
        )
