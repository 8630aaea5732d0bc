"""The cause `parameters`."""

from __future__ import annotations

from typing import Any

from ..terms import other
from .base import Cause
from .scene import Fix, Scene

COUNTS = {
    "warmup_steps": "warm-up",
    "total_steps": "whole schedule",
    "decay_steps": "decay",
    "stable_steps": "stable phase",
    "period": "period",
    "timescale": "timescale",
}
"""Numbers of steps, by what lasts that long."""

LABELS = {
    "peak": "highest rate",
    "last_rate": "last rate",
    "lowest_rate": "lowest rate",
    "warmup_start": "rate that the warm-up starts from",
    "factor": "factor",
    "decay_rate": "decay rate",
    "milestone": "milestone",
}
"""What to call other numbers; those that are not here are called as PyTorch's argument is."""


class Parameters(Cause):
    """The same shape of schedule, where one or a few numbers differ.

    Attributes:
        numbers: the numbers that differ, by name: a's value and b's. `warmup_steps`, `total_steps`, `decay_steps`,
            `stable_steps`, `period`, `timescale` and `milestone` are in steps; `peak`, `last_rate`,
            `lowest_rate` and `warmup_start` are rates.

    What you see:
        Both fall from 0.1 along half a cosine of 320 steps, and are nearly the same at first. a ends at 0.02, b at 0.

    How it comes about:
        A schedule has several numbers, and a port or a new configuration changes one. `min_lr` or `eta_min` is left
        out, so that the rate falls to 0; a warm-up is given as a ratio here and in steps there; a default such as
        `pct_start=0.3` or `power=1.0` is not the one that the other side has.

    The fix:
        Write the same number in both. samestep names each with both values.

    See also:
        `factor`, `period` and `scale`, where one such number is all that differs; lesson 8: warm-up, cosine, restarts.
    """

    numbers: tuple[tuple[str, float, float], ...]

    @property
    def names_of_numbers(self) -> tuple[str, ...]:
        """What differs."""
        return tuple(name for name, *_ in self.numbers)

    @property
    def parameters(self) -> dict[str, Any]:
        """The numbers by their names: a's value and b's."""
        return {"numbers": {name: [a, b] for name, a, b in self.numbers}}

    @property
    def title(self) -> str:
        """With the names of the numbers."""
        return f"{self.name}: {', '.join(self.names_of_numbers)}"

    def sentence(self, scene: Scene) -> str:
        """Each number, with both values."""
        said = [_said(*number, scene) for number in self.numbers]
        kind = "Both follow the same kind of schedule"
        return (
            f"{kind}, but {said[0]}." if len(said) == 1 else f"{kind}. {len(said)} numbers differ: {'; '.join(said)}."
        )

    def fix(self, scene: Scene) -> Fix:
        """Give one side the numbers of the other."""
        named = " and ".join(COUNTS.get(name, LABELS.get(name, name)) for name in self.names_of_numbers)
        return scene.given("b", lambda side: f"give {side} {other(side)}'s {named}")


def _said(name: str, a: float, b: float, scene: Scene) -> str:
    """One number in words: the warm-up is 16 steps in a and 32 steps in b."""
    if name in COUNTS:
        return f"the {COUNTS[name]} is {scene.steps(a)} in a and {scene.steps(b)} in b"
    if name == "milestone":
        return f"the rate changes at step {int(a):,} in a and at step {int(b):,} in b"
    return f"the {LABELS.get(name, name)} is {a:.9g} in a and {b:.9g} in b"
