"""The finding `other-optimizer`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language
from ..scene import Scene, Where


class OtherOptimizer(Finding):
    """The scheduler's optimizer is not the one that makes the updates.

    Attributes:
        scheduler: The scheduler, with its numbers.
        calls: How often it was stepped.
        updates: How many updates the other optimizer made.

    What you see:
        The scheduler's own `get_last_lr()` falls as it should, and the rate of the updates never changes.

    How it comes about:
        The optimizer was made again after the scheduler: for another model, for other parameters, or after loading.
        The scheduler holds the first one, and sets rates that nobody uses.

    What it rests on:
        The scheduler was stepped while another optimizer trained. Its own made no update in the whole run, and the
        other one has no scheduler of its own.

    The fix:
        Make the scheduler after the optimizer, and with it.

    See also:
        `never-stepped`; lesson 4: what PyTorch does.
    """

    explains: ClassVar = ("never-stepped", "ends-early", "stepped-first")
    scheduler: str
    calls: int
    updates: int

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers that are stepped while others train."""
        if scene.facts is None:
            return
        scheduled = {each.optimizer.id for each in scene.schedulers if each.updates and each.facts.steps}
        trained = [each for each in scene.facts.optimizers if each.updates and each.id not in scheduled]
        for watched in scene.schedulers:
            steps = [each for each in watched.facts.steps if each.last_at > 0]
            if watched.updates or not steps or not trained:
                continue
            most = max(steps, key=lambda each: each.count)
            other = max(trained, key=lambda each: each.updates)
            places = (watched.optimizer.made, other.made)
            yield cls(
                watched.label,
                sum(each.count for each in steps),
                other.updates,
                severity="error",
                where=(
                    *watched.made,
                    Where(most.file, most.line, "stepped"),
                    *(Where(each.file, each.line, "made") for each in places if each is not None),
                ),
                about=watched.optimizer.id,
            )

    def sentence(self, scene: Scene) -> str:
        """Which optimizer it moves, and which one trains."""
        lines = [each.line for each in self.where if each.role == "made"][1:]
        mine, other = (f" of line {line}" for line in lines) if len(lines) == 2 else ("", "")
        return (
            f"{self.scheduler} was stepped {counted(self.calls, 'time')} and moves the optimizer{mine}, which made no "
            f"update. Another one{other} made {self.updates:,}, and no scheduler moves it."
        )

    def fix(self, scene: Scene) -> Fix:
        """The scheduler made with the optimizer that trains."""
        code = (
            "optimizer = ...  # once\nscheduler = ...(optimizer, ...)  # after it, with the optimizer that is stepped"
        )
        return Fix("Make the scheduler with the optimizer that makes the updates.", in_language(scene, code, ""))
