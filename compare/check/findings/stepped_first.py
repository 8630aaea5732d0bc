"""The finding `stepped-first`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from ...causes.scene import Fix
from ..base import Finding
from ..code import in_language, per_epoch, per_update
from ..scene import Scene, Where


class SteppedFirst(Finding):
    """`scheduler.step()` comes before the first update: the first rate is skipped.

    Attributes:
        scheduler: The scheduler, with its numbers.
        per: What it is stepped for.

    What you see:
        The first update uses the schedule's second rate, and every change comes one count early.

    How it comes about:
        `scheduler.step()` is called at the beginning of the loop, as it was before PyTorch 1.1. Since then the first
        rate is set as the scheduler is made, and each call sets the next one.

    What it rests on:
        The place that steps the scheduler in the loop did so once before the first update of its optimizer. Calls that
        only wind a scheduler forward before a training are left out, and so are those that say where they are, such as
        `step(epoch + i / n)`, and those in an update that a gradient scaler skipped.

    The fix:
        Call `scheduler.step()` after `optimizer.step()`, or at the end of an epoch.

    See also:
        `stepped-again`; lesson 4: what PyTorch does.
    """

    scheduler: str
    per: str

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Places that step before the first update, and go on."""
        for watched in scene.schedulers:
            if watched.is_plateau or watched.takes_argument or watched.wound_forward:
                continue
            for place in watched.places:
                once = place.before_first_update == 1 and place.per in ("update", "epoch")
                if once and place.count > 1 and not watched.optimizer.skipped:
                    yield cls(
                        watched.label,
                        place.per,
                        severity="warning",
                        where=(Where(place.file, place.line, "stepped"), *watched.made),
                        about=watched.optimizer.id,
                    )
                    break

    def sentence(self, scene: Scene) -> str:
        """What is skipped."""
        return (
            f"{self.scheduler} is stepped before the first update: its first rate is never used, and each change comes "
            f"one {self.per} early."
        )

    def fix(self, scene: Scene) -> Fix:
        """Step it afterwards."""
        code = per_epoch(scene) if self.per == "epoch" else per_update(scene)
        return Fix("Call scheduler.step() after the updates that its rate is for.", in_language(scene, code, ""))
