"""The finding `epochs-as-steps`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language, per_epoch, trainer_of
from ..counts import Numbers
from ..scene import Scene, Watched

COLLAPSED = 1e-6
"""Part of its first rate to which no schedule is meant to fall."""

SEVERAL = ("milestones", "boundaries")
"""Arguments that hold several counts."""


class EpochsAsSteps(Finding):
    """A count that was meant in epochs is used up in steps.

    Attributes:
        scheduler: The scheduler or schedule object, with its numbers.
        argument: The argument that holds the count; left out where it has no name of its own.
        count: The count.
        epochs: How many epochs the run has.
        steps_per_epoch: How many updates make an epoch.

    What you see:
        A rate was meant to fall after 25 epochs. It falls at update 25, inside the first epoch, and at every 25th
        update from there on: 63 times in 50 epochs of 32 updates.

    How it comes about:
        Keras asks a schedule object at every update, so that `decay_steps` counts updates. A scheduler of PyTorch
        counts calls of `scheduler.step()`: in the loop over batches these are updates, whatever the argument is called.

    What it rests on:
        The count is the number of epochs of the run; or it is less than the updates of one epoch, and not more than
        the run has epochs. A warm-up may be as short as that and is left out. A smooth decay is named where it takes
        the rate to nothing, and stepped once per epoch would not.

    The fix:
        Multiply the count by the updates of an epoch, or step the scheduler once per epoch.

    See also:
        `steps-as-epochs`, the reverse; lesson 1: the question.
    """

    explains: ClassVar = ("past-the-end", "rate-zero", "ends-early")
    scheduler: str
    argument: str | None
    count: int
    epochs: int
    steps_per_epoch: int

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers that are stepped for each update; of a log, the schedule that it follows per step."""
        size, epochs = scene.steps_per_epoch, scene.epochs
        if size < 2 or epochs is None or epochs < 2:
            return
        if scene.facts is None:
            for _, timeline, _ in scene.followed:
                found = timeline.inference.inferred
                if found is not None and found.stepping == "step":
                    count = _of_epochs(Numbers.of(found.schedule), size, epochs)
                    if count is not None:
                        yield cls("the schedule", None, count, epochs, size, severity="warning")
            return
        for watched in scene.schedulers:
            if watched.cadence not in ("update", "micro-batch") or watched.takes_argument or watched.numbers is None:
                continue
            per_epoch = size * (scene.accumulation if watched.cadence == "micro-batch" else 1)
            count = _of_epochs(watched.numbers, per_epoch, epochs) or _collapse(watched, epochs)
            if count is not None:
                yield cls(
                    watched.label,
                    watched.argument(count),
                    count,
                    epochs,
                    per_epoch,
                    severity="warning",
                    where=watched.made + watched.stepped[:1],
                    about=watched.optimizer.id,
                )

    def sentence(self, scene: Scene) -> str:
        """What counts what, and why that is unlikely to be meant."""
        steps, meant = counted(self.count, "update"), counted(self.count, "epoch")
        if self.count == self.epochs:
            rests = f"and the run has as many epochs, of {self.steps_per_epoch} updates each"
        elif self.count == 1:
            rests = f"and in {counted(self.epochs, 'epoch')} of {self.steps_per_epoch} that takes the rate to nothing"
        else:
            rests = f"less than one epoch of {self.steps_per_epoch}, in a run of {self.epochs} epochs"
        if scene.facts is None:
            said = f"The schedule counts updates: one of its counts is {steps}"
        elif self.argument is None or self.argument in SEVERAL:
            said = f"{self.scheduler} counts updates: the first of its {self.argument or 'counts'} is {steps}"
        else:
            said = f"{self.scheduler} counts updates: {self.argument}={self.count} is {steps}"
        return f"{said}, {rests}. Perhaps {meant} {'was' if self.count == 1 else 'were'} meant."

    def fix(self, scene: Scene) -> Fix:
        """The count in updates, or the scheduler stepped per epoch."""
        product, whole = f"{self.count} * {self.steps_per_epoch}", self.count * self.steps_per_epoch
        name = self.argument or "decay_steps"
        code = in_language(scene, per_epoch(scene), f"{name}={product}  # {whole:,} updates")
        if self.argument in SEVERAL:
            each = f"each of the {self.argument} times {self.steps_per_epoch}"
            code = in_language(scene, per_epoch(scene), f"{name}=[{product}, ...]")
            step = "" if scene.language == "Keras" else "step the scheduler once per epoch, or "
            return Fix(f"If so, {step}write {each}.", code)
        if scene.language == "Keras":
            return Fix(f"If so, multiply it by the updates of an epoch: {name}={whole}.", code)
        instead = f"{self.argument}={whole}" if self.argument else f"{whole:,} updates"
        if trainer_of(scene) == "transformers":
            return Fix(f"If so, write {instead}: Trainer steps a scheduler after each update.")
        return Fix(f"If so, step the scheduler once per epoch, or write {instead}.", code)


def _of_epochs(numbers: Numbers, size: int, epochs: int) -> int | None:
    """The count that is likely one of epochs; `size` counts make an epoch."""
    if numbers.end is not None and numbers.end == epochs and size * epochs > numbers.end:
        return epochs
    counts = [*numbers.periods, *numbers.changes]
    if not counts or min(counts) < 2:
        return None
    if any(each == epochs for each in numbers.periods):
        return epochs
    return min(counts) if max(counts) < size and max(counts) <= epochs else None


def _collapse(watched: Watched, epochs: int) -> int | None:
    """1 where a decay at every update takes the rate to nothing, and one at every epoch would not."""
    numbers = watched.numbers
    if numbers is None or numbers.periods != (1,) or numbers.changes:
        return None
    factor = getattr(watched.schedule, "factor", None)
    if factor is None or not 0 < factor < 1:
        return None
    return 1 if factor**watched.calls < COLLAPSED and factor**epochs > COLLAPSED else None
