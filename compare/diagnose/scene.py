"""What is known of two runs beside the cause of their difference: what words and code about it are made of."""

from __future__ import annotations

from dataclasses import dataclass

from compare.diagnose.diagnosis import Difference
from compare.diagnose.infer import Inferred
from compare.terms import Language as Language
from compare.terms import Side
from compare.terms import other as other
from compare.words import counted
from experiment.clock import Clock
from experiment.frameworks import LANGUAGES
from experiment.schedules import Schedule

Name = Side


@dataclass(frozen=True)
class Scene:
    """What is known of a and b.

    framework_a, framework_b : of their traces; ``schedule`` for one that was given as a schedule.
    first : the first update at which they differ. largest : relative difference, the largest of all rows.
    drifted : whether float32's rounding of a factor is what most of the largest difference is; rounding_ulp32 : what is
    left without it, in float32 ULP. digits : the part of a rate that its written digits leave open; 0 where the rates
    are the same without that. written_a, written_b : how many were written, like ``6 digits``; empty for all there are.
    range_a, range_b : first and last step. compared : rows; None where that is not known.
    zero_a, zero_b : whether every rate is 0.
    """

    clock: Clock | None = None
    inferred_a: Inferred | None = None
    inferred_b: Inferred | None = None
    framework_a: str = ""
    framework_b: str = ""
    first: Difference | None = None
    largest: float = 0.0
    drifted: bool = False
    rounding_ulp32: float = 0.0
    digits: float = 0.0
    range_a: tuple[int, int] = (0, 0)
    range_b: tuple[int, int] = (0, 0)
    compared: int | None = None
    written_a: str = ""
    written_b: str = ""
    zero_a: bool = False
    zero_b: bool = False

    def inferred(self, name: Name) -> Inferred | None:
        """What one side follows."""
        return self.inferred_a if name == "a" else self.inferred_b

    def schedule(self, name: Name) -> Schedule | None:
        """The schedule of one side, with durations in steps."""
        inferred = self.inferred(name)
        return None if inferred is None else inferred.schedule

    def languages(self, name: Name) -> tuple[Language, ...]:
        """The frameworks to write one side's code for: its own where it is known, else both."""
        framework = self.framework_a if name == "a" else self.framework_b
        return (LANGUAGES[framework],) if framework in LANGUAGES else ("Keras", "PyTorch")

    @property
    def written(self) -> str:
        """The digits of the sides that were written with few of them, in words."""
        return written(self.written_a, self.written_b)

    def is_intended(self, name: Name) -> bool:
        """Whether a side was given as a schedule: what was meant, and not what was done."""
        return (self.framework_a if name == "a" else self.framework_b) == "schedule"

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
    return " and ".join(f"{name}'s {digits}" for name, digits in (("a", a), ("b", b)) if digits)
