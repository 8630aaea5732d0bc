"""The finding `rounded`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from ...causes.scene import Fix
from ..base import Finding
from ..code import in_language
from ..scene import Scene

BY_EQUALITY = {
    "MultiStepLR": ("milestones",),
    "StepLR": ("step_size",),
    "ConstantLR": ("total_iters",),
    "SequentialLR": ("milestones",),
}
"""Schedulers that look for the very count of their calls, and the arguments that hold it."""


class Rounded(Finding):
    """Counts that are no whole numbers, and that no count of calls ever equals.

    Attributes:
        scheduler: The scheduler, with its numbers.
        argument: The argument that holds them.
        values: Those that are no whole numbers.

    What you see:
        `MultiStepLR` with `milestones=[600.6]` never falls.

    How it comes about:
        The counts were computed: `0.6 * total_steps`. `MultiStepLR`, `StepLR`, `ConstantLR` and `SequentialLR` compare
        their count of calls with them by equality, and say nothing of a number that it never equals.

    What it rests on:
        The arguments of the scheduler.

    The fix:
        Round them: `int(0.6 * total_steps)`.

    See also:
        `never-stepped`, which looks the same; lesson 4: what PyTorch does.
    """

    explains: ClassVar = ("ends-early",)
    scheduler: str
    argument: str
    values: tuple[float, ...]

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers with such arguments, and parts of others as well."""
        if scene.facts is None:
            return
        labels = {each.facts.id: each.label for each in scene.schedulers}
        for scheduler in scene.facts.schedulers:
            for name in BY_EQUALITY.get(scheduler.kind, ()):
                if values := tuple(_fractions(scheduler.arguments.get(name))):
                    yield cls(
                        labels.get(scheduler.id, scheduler.kind),
                        name,
                        values,
                        severity="error",
                        where=scene.line(scheduler),
                        about=scheduler.optimizer,
                    )

    def sentence(self, scene: Scene) -> str:
        """Which numbers."""
        values = ", ".join(f"{each:g}" for each in self.values)
        return f"{self.scheduler} looks for a count of calls that equals {self.argument} {values}: no count ever does."

    def fix(self, scene: Scene) -> Fix:
        """Whole numbers."""
        whole = ", ".join(str(round(each)) for each in self.values)
        many = self.argument == "milestones"
        code = f"{self.argument}={f'[{whole}]' if many else whole}  # int(...) around what computes it"
        return Fix("Write whole numbers.", in_language(scene, code, ""))


def _fractions(value: Any) -> Iterator[float]:
    values = value if isinstance(value, list | tuple) else [value]
    return (float(each) for each in values if isinstance(each, float) and not each.is_integer())
