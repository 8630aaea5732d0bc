"""What is known of two runs beside the cause of their difference, and the fix: what words and code are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Schedule

from ..infer import Inferred
from ..refute.claim import Difference
from ..terms import LANGUAGES, SIDES, Language, Side, other
from ..words import counted
from .code import in_epochs, written


@dataclass(frozen=True)
class Fix:
    """What to write so that two runs agree.

    advice : one or two sentences. code : Python for each framework that it may concern, perhaps none.
    """

    advice: str
    code: Mapping[Language, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The advice, and below it the code of each framework under its name as a comment."""
        return "\n".join([self.advice, *(f"# {name}\n{code}" for name, code in self.code.items())])

    def and_then(self, then: Fix) -> Fix:
        """Both, this one first."""
        languages = dict.fromkeys([*self.code, *then.code])
        parts = {name: dict.fromkeys(filter(None, (self.code.get(name), then.code.get(name)))) for name in languages}
        both = {name: "\n\n".join(codes) for name, codes in parts.items()}
        return Fix(f"{self.advice} Also: {then.advice}", both)


LOG_MORE = Fix("Log more updates of both, at least until the rate changes, and compare again.")


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
        """With how many digits the sides were written: a's 6 digits and b's 4 decimals; empty for all."""
        if self.a.written and self.a.written == self.b.written:
            return f"the {self.a.written} of both"
        return " and ".join(f"{side}'s {self.of(side).written}" for side in SIDES if self.of(side).written)

    @property
    def few_rows(self) -> str:
        """What to say where so few rows agree that hardly anything follows; empty where there are more."""
        if self.compared == 1:
            return "The only common row has the same rate in both, and one row does not determine a schedule."
        if self.compared == 2:
            return "The only two common rows have the same rates in both; they show nothing of any other step."
        return ""

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

    def to_change(self, likely: Side) -> Side:
        """The side to change: the likelier one, unless it was given as what is meant."""
        return other(likely) if self.of(likely).is_intended and not self.of(other(likely)).is_intended else likely

    def coded(self, side: Side, make: Callable[[Language], str]) -> dict[Language, str]:
        """Code in the languages of one side."""
        return {language: make(language) for language in self.of(side).languages}

    def following(self, side: Side, schedule: Schedule | None) -> dict[Language, str]:
        """The code of the schedule that one side should have, where it is known."""
        if schedule is None:
            return {}
        count = in_epochs(self.steps_per_epoch)
        codes = self.coded(side, lambda language: written(schedule, language, count))
        first = f"steps_per_epoch = {self.steps_per_epoch}\n"
        return {name: first + code if "steps_per_epoch" in code else code for name, code in codes.items()}
