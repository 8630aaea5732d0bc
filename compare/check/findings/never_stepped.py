"""The finding `never-stepped`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from samestep.experiment.schedules import Constant

from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language, per_epoch, per_update
from ..scene import Scene, Watched


class NeverStepped(Finding):
    """A scheduler was made, its optimizer trained, and `scheduler.step()` never came.

    Attributes:
        scheduler: The scheduler, with its numbers.
        updates: How many updates its optimizer made.

    What you see:
        The rate is the same in the first update and in the last.

    How it comes about:
        A scheduler of PyTorch does nothing until `scheduler.step()` is called, and says nothing if it never is. Under
        Lightning's manual optimization, nobody else calls it either.

    What it rests on:
        The optimizer made updates to the end of the script, or over more than an epoch, and no scheduler of it was
        ever stepped. One that was replaced by another is left out, and so is one that holds its rate.

    The fix:
        Call `scheduler.step()` after `optimizer.step()`, or after each epoch: as its counts are meant.

    See also:
        `other-optimizer`, where it is stepped and moves nothing; lesson 4: what PyTorch does.
    """

    explains: ClassVar = ("ends-early",)
    scheduler: str
    updates: int

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers without a step, the last one of each optimizer."""
        last = {each.optimizer.id: each for each in scene.schedulers}
        for watched in last.values():
            if any(each.facts.steps for each in (watched, *scene.beside(watched))) or not _is_over(scene, watched):
                continue
            if not isinstance(watched.schedule, Constant):
                yield cls(
                    watched.label,
                    watched.updates,
                    severity="error",
                    where=watched.made,
                    about=watched.optimizer.id,
                )

    def sentence(self, scene: Scene) -> str:
        """What was made, and that nothing came of it."""
        return (
            f"{self.scheduler} was made and never stepped: its optimizer made {counted(self.updates, 'update')} with "
            "the rates that it began with."
        )

    def fix(self, scene: Scene) -> Fix:
        """Step it."""
        code = in_language(scene, f"{per_epoch(scene)}\n\n# or\n{per_update(scene)}", "")
        return Fix("Call scheduler.step(): after each epoch if its counts are epochs, after each update if not.", code)


def _is_over(scene: Scene, watched: Watched) -> bool:
    """Whether a step would have come by now: the script is over, or at least one epoch is."""
    if not watched.updates:
        return False
    return not scene.was_cut or bool(scene.facts and len(scene.facts.epochs) > 1 and scene.facts.epochs[1])
