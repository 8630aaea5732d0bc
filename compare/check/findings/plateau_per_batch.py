"""The finding `plateau-per-batch`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ...causes.scene import Fix
from ...words import counted
from ..base import Finding
from ..code import in_language, trainer_of
from ..scene import Scene

_LIGHTNING = '"lr_scheduler": {"scheduler": scheduler, "interval": "epoch", "monitor": "val_loss"}'
_LOOP = """for epoch in range(epochs):
    for batch in loader:
        ...  # forward, backward, optimizer.step()
    scheduler.step(validation_loss)  # after each epoch"""


class PlateauPerBatch(Finding):
    """`ReduceLROnPlateau` is stepped per batch: its patience counts batches.

    Attributes:
        patience: The calls without an improvement that it waits for.
        steps_per_epoch: How many updates make an epoch.

    What you see:
        The rate falls to its lowest value within an epoch or two, although the loss still improves from epoch to epoch.

    How it comes about:
        `scheduler.step(loss)` is called in the loop over batches. The loss of a batch is noisy: 10 batches in a row
        without a new best one are soon found.

    What it rests on:
        The scheduler is stepped for each batch, and its patience is less than an epoch.

    The fix:
        Step it once per epoch, with a metric of the whole epoch.

    See also:
        `epochs-as-steps`; lesson 4: what PyTorch does.
    """

    explains: ClassVar = ("stepped-again",)
    patience: int
    steps_per_epoch: int

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Those that are stepped for each update."""
        size = scene.steps_per_epoch
        for watched in scene.schedulers:
            patience = watched.facts.arguments.get("patience", 10)
            per_batch = watched.is_plateau and watched.cadence in ("update", "micro-batch", "several")
            if per_batch and size > 1 and isinstance(patience, int) and patience < size:
                yield cls(
                    patience,
                    size,
                    severity="warning",
                    where=watched.in_the_loop,
                    about=watched.optimizer.id,
                )

    def sentence(self, scene: Scene) -> str:
        """What its patience is."""
        return (
            f"ReduceLROnPlateau is stepped after each batch: a patience of {self.patience} is "
            f"{counted(self.patience, 'batch', 'batches')}, and an epoch has {self.steps_per_epoch}."
        )

    def fix(self, scene: Scene) -> Fix:
        """Once per epoch."""
        code = _LIGHTNING if trainer_of(scene) == "lightning" else _LOOP
        return Fix("Step it once per epoch, with a metric of the whole epoch.", in_language(scene, code, ""))
