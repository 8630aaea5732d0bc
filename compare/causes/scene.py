"""What is known of two runs beside the cause of their difference, and the fix: what words and code are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import OneCycle, Schedule, Warmup
from samestep.experiment.schedules.base import tidy

from ..infer import Inferred
from ..infer.numbers import digits
from ..refute.claim import Difference
from ..terms import LANGUAGES, SIDES, Language, Side, other
from ..words import counted
from .code import followed, is_stairs
from .snippets import Trainer
from .trainers import TRAINERS, in_trainer


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


ROUND = 3
"""Digits of a last rate that somebody wrote; one with more is where the rows of a log happen to end."""

LOG_MORE = Fix("Log more updates of both, at least until the rate changes, and compare again.")


@dataclass(frozen=True)
class Seen:
    """What is known of one side.

    inferred : what it follows. framework : of its trace; ``schedule`` for one that was given as a schedule.
    first, last : step. apart : steps from row to row, in the median.
    written : how many digits each rate was written with, like ``6 digits``; empty for all.
    is_zero : whether every rate is 0.
    """

    inferred: Inferred | None = None
    framework: str = ""
    first: int = 0
    last: int = 0
    written: str = ""
    is_zero: bool = False
    apart: int = 1

    @property
    def schedule(self) -> Schedule | None:
        """What it follows, with durations in steps."""
        return None if self.inferred is None else self.inferred.schedule

    @property
    def languages(self) -> tuple[Language, ...]:
        """The frameworks to write its code for: its own where it is known, else both."""
        return (LANGUAGES[self.framework],) if self.framework in LANGUAGES else ("Keras", "PyTorch")

    @property
    def trainer(self) -> Trainer | None:
        """The trainer that wrote its log, where one runs its loop."""
        return TRAINERS.get(self.framework)

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

    def is_meant(self, side: Side) -> bool:
        """Whether one side alone was given as a schedule."""
        return self.of(side).is_intended and not self.of(other(side)).is_intended

    def to_change(self, likely: Side) -> Side:
        """The side to change: the likelier one, unless it was given as what is meant."""
        return other(likely) if self.is_meant(likely) else likely

    def either(self, likely: Side, change: Callable[[Side], str], code: Mapping[Language, str] | None = None) -> Fix:
        """What to change on the likelier side, and on the other if that one is right; what was given as meant is right.

        change : what to do to a side, like ``give b the schedule of a``. code : for the likelier side.
        """
        side = self.to_change(likely)
        if self.is_meant(other(side)):
            said = change(side)
            return Fix(f"{said[0].upper()}{said[1:]}{':' if code else '.'}", code or {})
        said = f"If {other(side)} is right, {change(side)}; if {side} is right, {change(other(side))}."
        return Fix(f"{said} The code is for {side}." if code else said, code or {})

    def given(self, likely: Side, change: Callable[[Side], str], in_loop: Stepping | None = None) -> Fix:
        """Gives the likelier side the whole schedule of the other, as code; says why there is none.

        in_loop : after what a scheduler is stepped, where that is to be shown.
        """
        side = self.to_change(likely)
        fix, left = self.either(likely, change, self.following(side, in_loop)), self._left_open(side)
        if left and not self.is_meant(other(side)) and (code := self.following(other(side), in_loop)):
            end = f"The code is for {other(side)}: {left.removesuffix(': no code.')}."
            return Fix(f"{fix.advice} {end}", code)
        left = left or (self._between_rows(other(side)) if fix.code else "")
        return replace(fix, advice=f"{fix.advice.removesuffix(':').removesuffix('.')}. {left}") if left else fix

    def coded(
        self, side: Side, make: Callable[[Language], str], in_trainer: Mapping[Trainer, str] | None = None
    ) -> dict[Language, str]:
        """Code in the languages of one side. in_trainer : all there is for a side that has no loop of its own."""
        if trainer := self.of(side).trainer:
            return {"PyTorch": in_trainer[trainer]} if in_trainer else {}
        return {language: make(language) for language in self.of(side).languages}

    def following(
        self, side: Side, in_loop: Stepping | None = None, meant: Inferred | None = None
    ) -> dict[Language, str]:
        """The code that gives one side the whole schedule of the other; none where that is not known to its end.

        meant : the schedule to give it instead.
        """
        inferred, seen = meant or self.of(other(side)).inferred, self.of(side)
        if inferred is None or self._left_open(side):
            return {}
        inferred = self._as_class(inferred)
        if seen.trainer is not None:
            code = in_trainer(inferred, seen.trainer, seen.last)
            return {"PyTorch": code} if code else {}
        return {name: followed(inferred, name, self.steps_per_epoch, in_loop) for name in seen.languages}

    def _left_open(self, side: Side) -> str:
        """Why the other side's schedule would raise an error in this one's run; empty where it would not."""
        meant, name = self.of(other(side)), other(side)
        schedule = meant.schedule
        length = None if schedule is None else schedule.length(Clock.STEPS)
        if schedule is None or length is None:
            return ""
        raises = isinstance(schedule, OneCycle) or schedule.after_end == "error"
        if not meant.is_intended and meant.last + meant.apart < length - 1:
            last = float(schedule.rate(length - 1 if raises else length, Clock.STEPS))
            if raises or digits(tidy(last)) > ROUND:
                return f"{name}'s rows end before its schedule does, so they do not show its total: no code."
        holds = schedule.after_end == "hold" and (meant.is_intended or meant.last >= length)
        if raises and length <= self._last and not holds:
            return f"{name}'s schedule ends after {self.steps(length)}, before {side}'s run does: no code."
        return ""

    def _between_rows(self, side: Side) -> str:
        """That a log does not show at which step between two rows its rate changes; empty where it does."""
        seen, changes = self.of(side), self.of(side).schedule
        while isinstance(changes, Warmup):
            changes = changes.then
        if seen.is_intended or seen.apart == 1 or changes is None or not is_stairs(changes):
            return ""
        return f"{side} has one row in {seen.apart:,} steps: its rate may change up to {seen.apart - 1:,} steps off."

    @property
    def _last(self) -> int:
        """The last step of both."""
        return max(self.a.last, self.b.last)

    def _as_class(self, inferred: Inferred) -> Inferred:
        """With `OneCycleLR`, which raises after its last step, where no run goes on for longer."""
        schedule = inferred.schedule
        if not isinstance(schedule, OneCycle) or schedule.over.count <= self._last:
            return inferred
        return replace(inferred, schedule=schedule.model_copy(update={"after": "error"}))
