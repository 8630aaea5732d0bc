"""The finding `steps-as-epochs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language, per_update, trainer_of
from ..counts import Numbers
from ..loops import can_be_left
from ..scene import Scene, Watched, near

MANY = 5
"""Times the epochs of a run that no first change of a schedule is meant to come after."""

NO_EPOCHS = 500
"""A count that is hardly one of epochs."""


class StepsAsEpochs(Finding):
    """A count that was meant in steps is used up in epochs: at the end the schedule has hardly begun.

    Attributes:
        scheduler: The scheduler, with its numbers.
        argument: The argument that holds the count; left out where it has no name of its own.
        count: The count.
        epochs: How often the scheduler is stepped in the run.
        steps_per_epoch: How many updates make an epoch.

    What you see:
        A cosine was given 1,600 steps, which are all the updates of 50 epochs. After 50 epochs it is at its 50th step,
        and the rate is still at 99.8 % of the first.

    How it comes about:
        The scheduler is stepped once per epoch, while its horizon counts updates. Lightning does so by default: a
        scheduler without `"interval": "step"` is stepped after each epoch.

    What it rests on:
        The horizon is the number of updates of the run; or the first change comes after several times as many counts
        as the run has epochs, at a whole number of epochs if they were updates, and within the run. A run that may have
        been stopped early is named only where the count is too large for one of epochs.

    The fix:
        Step the scheduler after each update, or divide its counts by the updates of an epoch.

    See also:
        `epochs-as-steps`, the reverse; `ends-early`; lesson 4: what PyTorch does.
    """

    explains: ClassVar = ("ends-early", "rate-zero")
    scheduler: str
    argument: str | None
    count: int
    epochs: int
    steps_per_epoch: int

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers that are stepped for each epoch."""
        size, epochs, updates = scene.steps_per_epoch, scene.epochs, scene.planned_updates
        if scene.facts is None or size < 2 or epochs is None or updates is None:
            return
        for watched in scene.schedulers:
            if watched.cadence != "epoch" or watched.takes_argument or watched.numbers is None:
                continue
            count = _of_steps(watched.numbers, size, epochs, updates)
            if count is not None and (count >= NO_EPOCHS or not _may_have_stopped(scene, watched)):
                yield cls(
                    watched.label,
                    watched.argument(count),
                    count,
                    epochs,
                    size,
                    severity="warning",
                    where=watched.in_the_loop,
                    about=watched.optimizer.id,
                )

    def sentence(self, scene: Scene) -> str:
        """What counts what, and how far the schedule comes."""
        name = f"{self.argument}={self.count}" if self.argument else f"its count of {self.count:,}"
        part = 100 * self.epochs / self.count
        return (
            f"{self.scheduler} is stepped once per epoch, but {name} is a number of updates: the run has "
            f"{self.epochs * self.steps_per_epoch:,} of them, {counted(self.epochs, 'epoch')} of "
            f"{self.steps_per_epoch:,}. The schedule gets {part:.2g} % of the way."
        )

    def fix(self, scene: Scene) -> Fix:
        """The scheduler stepped per update, or the count in epochs."""
        whole = self.count / self.steps_per_epoch
        instead = f"{self.argument}={whole:g}" if self.argument and whole == int(whole) else "its counts in epochs"
        keras = f"learning_rate=schedule  # asked at every update, not by LearningRateScheduler: {instead} is for that"
        step = "Give the schedule to the optimizer" if scene.language == "Keras" else "Step the scheduler per update"
        if trainer_of(scene) == "lightning":
            step = 'Give the scheduler "interval": "step"'
        return Fix(f"{step}, or write {instead}.", in_language(scene, per_update(scene), keras))


def _of_steps(numbers: Numbers, size: int, epochs: int, updates: int) -> int | None:
    """The count that is likely one of updates."""
    if numbers.end is not None and numbers.end > epochs and near(numbers.end, updates):
        return numbers.end
    counts = [*numbers.periods, *numbers.changes]
    if not counts or numbers.end is not None or min(counts) < MANY * epochs:
        return None
    whole = all(each % size == 0 for each in counts)
    return min(counts) if whole and max(counts) < updates else None


def _may_have_stopped(scene: Scene, watched: Watched) -> bool:
    """Whether more epochs may have been meant: the loop can be left, and nobody says for how many it was made."""
    planned = scene.facts is not None and scene.facts.planned_epochs is not None
    return not planned and any(can_be_left(each) for each in watched.stepped)
