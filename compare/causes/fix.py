"""What to write so that two runs agree: advice, and code for the framework at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from samestep.experiment.schedules import Schedule

from ..terms import Language, Side, other
from .code import in_epochs, written
from .scene import Scene


@dataclass(frozen=True)
class Fix:
    """What to do.

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


def to_change(scene: Scene, likely: Side) -> Side:
    """The side to change: the likelier one, unless it was given as what is meant."""
    return other(likely) if scene.of(likely).is_intended and not scene.of(other(likely)).is_intended else likely


def coded(scene: Scene, side: Side, make: Callable[[Language], str]) -> dict[Language, str]:
    """Code in the languages of one side."""
    return {language: make(language) for language in scene.of(side).languages}


def following(scene: Scene, side: Side, schedule: Schedule | None) -> dict[Language, str]:
    """The code of the schedule that one side should have, where it is known."""
    if schedule is None:
        return {}
    count = in_epochs(scene.steps_per_epoch)
    first = f"steps_per_epoch = {scene.steps_per_epoch}\n"

    def make(language: Language) -> str:
        code = written(schedule, language, count)
        return first + code if "steps_per_epoch" in code else code

    return coded(scene, side, make)


def as_the_other(scene: Scene) -> Fix:
    """Give one side the schedule of the other."""
    side = to_change(scene, "b")
    schedule = scene.of(other(side)).schedule
    advice = f"If {other(side)} is right, give {side} the schedule of {other(side)}"
    return Fix(f"{advice}:" if schedule else f"{advice}.", following(scene, side, schedule))
