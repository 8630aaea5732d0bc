"""The finding `rate-zero`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language
from ..scene import ZERO, Scene


class RateZero(Finding):
    """Updates with a rate of 0, other than the first of a warm-up.

    Attributes:
        arm: Which rates.
        updates: How many updates had a rate of 0.
        first: The first of them.

    What you see:
        The loss stands still for an epoch, or for the rest of the run.

    How it comes about:
        A schedule that ends at 0 goes on being asked: Keras' `CosineDecay` and `PolynomialDecay` and Transformers'
        linear schedule hold 0 after their end. Or a warm-up from 0 is stepped once per epoch, so that the whole first
        epoch has a rate of 0.

    What it rests on:
        The recorded rates. A single update at 0, the first of a warm-up or the bottom of a schedule, is left out, and
        so are a group that has a rate of 0 throughout, and a rate that the script itself sets to 0.

    The fix:
        Make the schedule as long as the run, end it above 0, or begin the warm-up above 0.

    See also:
        `past-the-end`; `epochs-as-steps`; lesson 8: warm-up, cosine, restarts.
    """

    arm: str
    updates: int
    first: int

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Rates that are 0 at some updates and not at others."""
        for arm, timeline, watched in scene.followed:
            rates = timeline.rates
            at = rates.lr <= ZERO * rates.lr.max()
            written = scene.facts is not None and (watched is None or bool(scene.writes(watched.optimizer)))
            beside = np.concatenate([[False], at, [False]])
            at &= beside[:-2] | beside[2:]  # one alone is the first of a warm-up, or the bottom of a schedule
            if written or at.all() or not at.any():
                continue
            first = int(rates.step[int(at.argmax())])
            yield cls(
                arm,
                int(at.sum()),
                first,
                severity="warning",
                where=() if watched is None else watched.made + watched.stepped[:1],
                about=None if watched is None else watched.optimizer.id,
            )

    def sentence(self, scene: Scene) -> str:
        """How many, and from where on."""
        begins = "the first" if self.first == 0 else f"from update {self.first:,} on"
        rows = "update" if scene.facts else "row"
        return f"{self.arm}: {counted(self.updates, rows)} with a rate of 0, {begins}: they change no weight."

    def fix(self, scene: Scene) -> Fix:
        """A longer schedule, or a rate above 0."""
        if self.first == 0:
            advice = "Begin the warm-up above 0, or step it after each update instead of each epoch."
            return Fix(advice, in_language(scene, "lambda n: (n + 1) / warmup", ""))
        return Fix("Make the schedule as long as the run, or end it above 0.")
