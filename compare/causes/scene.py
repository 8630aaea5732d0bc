"""What is known of two runs beside the cause of their difference: what words and code about it are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Schedule

from ..infer import Inferred
from ..refute.claim import Difference
from ..terms import LANGUAGES, Language, Side
from ..words import counted


@dataclass(frozen=True)
class Seen:
    """What is known of one side.

    inferred : what it follows. framework : of its trace; ``schedule`` for one that was given as a schedule.
    first, last : step. written : how many digits each rate was written with, like ``6 digits``; empty for all.
    is_zero : whether every rate is 0.
    """

    inferred: Inferred | None = None
    framework: str = ""
    first: int = 0
    last: int = 0
    written: str = ""
    is_zero: bool = False

    @property
    def schedule(self) -> Schedule | None:
        """What it follows, with durations in steps."""
        return None if self.inferred is None else self.inferred.schedule

    @property
    def languages(self) -> tuple[Language, ...]:
        """The frameworks to write its code for: its own where it is known, else both."""
        return (LANGUAGES[self.framework],) if self.framework in LANGUAGES else ("Keras", "PyTorch")

    @property
    def is_intended(self) -> bool:
        """Whether it was given as a schedule: what was meant, and not what was done."""
        return self.framework == "schedule"


@dataclass(frozen=True)
class Scene:
    """What is known of both.

    first : the first update at which they differ. largest : relative difference, the largest of all rows.
    drifted : whether float32's rounding of a factor is what most of the largest difference is; rounding_ulp32 : what is
    left without it, in float32 ULP. digits : the part of a rate that its written digits leave open; 0 where the rates
    are the same without that. compared : rows; None where that is not known.
    """

    a: Seen = field(default_factory=Seen)
    b: Seen = field(default_factory=Seen)
    clock: Clock | None = None
    first: Difference | None = None
    largest: float = 0.0
    drifted: bool = False
    rounding_ulp32: float = 0.0
    digits: float = 0.0
    compared: int | None = None

    def of(self, side: Side) -> Seen:
        """One side."""
        return self.a if side == "a" else self.b

    @property
    def written(self) -> str:
        """The digits of the sides that were written with few of them, in words."""
        return written(self.a.written, self.b.written)

    @property
    def steps_per_epoch(self) -> int:
        """Updates in an epoch; 0 where they are not known."""
        return 0 if self.clock is None else self.clock.steps_per_epoch

    def steps(self, count: float) -> str:
        """A number of steps in words, in epochs as well where it makes whole ones: 800 steps (25 epochs)."""
        said = counted(int(count), "step") if count == int(count) else f"{count:g} steps"
        size = self.steps_per_epoch
        whole = size > 1 and count >= size and count % size == 0
        return f"{said} ({counted(int(count) // size, 'epoch')})" if whole else said


def written(a: str, b: str) -> str:
    """With how many digits the sides were written, in words: a's 6 digits and b's 4 decimals; empty for all."""
    if a and a == b:
        return f"the {a} of both"
    return " and ".join(f"{side}'s {digits}" for side, digits in (("a", a), ("b", b)) if digits)
