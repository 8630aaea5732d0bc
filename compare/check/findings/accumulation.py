"""The finding `accumulation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from ...causes.scene import Fix
from ..base import Finding
from ..code import in_language, per_accumulated
from ..scene import Scene, alike, near


class Accumulation(Finding):
    """A scheduler counts micro-batches where its horizon counts updates, or the reverse.

    Attributes:
        scheduler: The scheduler or schedule object, with its numbers.
        counts: What it counts: ``micro-batches`` or ``updates``.
        horizon: The count at which it ends.
        accumulation: How many micro-batches make one update.

    What you see:
        With gradients of 4 batches in each update, the schedule is over after a quarter of the run; or the run ends
        after a quarter of the schedule.

    How it comes about:
        Keras evaluates a schedule on micro-batches where `gradient_accumulation_steps` is given. In a loop of PyTorch
        `scheduler.step()` may come after each `backward()` instead of after each `optimizer.step()`. Or the horizon is
        `len(loader) * epochs`, which are micro-batches, and the scheduler is stepped for each update.

    What it rests on:
        The recorded calls for each update, and a horizon that is the number of the other ones in the whole run.

    The fix:
        Count both in updates; in Keras both in micro-batches.

    See also:
        `stepped-again`; lesson 10: accumulation and processes.
    """

    explains: ClassVar = ("past-the-end", "rate-zero", "ends-early", "stepped-first", "stepped-again")
    scheduler: str
    counts: str
    horizon: int
    accumulation: int

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers whose end is counted in the other unit."""
        times, planned = scene.accumulation, scene.planned_updates
        if times < 2 or planned is None:
            return
        for watched in scene.schedulers:
            end = watched.numbers.end if watched.numbers else None
            if end is None or watched.takes_argument:
                continue
            per_update = watched.calls_per_update
            batches = watched.cadence == "micro-batch" or alike(per_update, times)
            if batches and near(end, planned, 0.1):
                counts = "micro-batches"
            elif alike(per_update, 1) and near(end, planned * times, 0.1):
                counts = "updates"
            else:
                continue
            where = watched.made + watched.stepped if counts == "updates" else watched.in_the_loop
            about = watched.optimizer.id
            yield cls(watched.label, counts, end, times, severity="warning", where=where, about=about)

    def sentence(self, scene: Scene) -> str:
        """What counts what."""
        each = f"{self.accumulation} micro-batches make an update"
        if self.counts == "micro-batches":
            return (
                f"{self.scheduler} counts micro-batches, and its end at {self.horizon:,} counts updates: {each}, so "
                f"that it is over after 1/{self.accumulation} of the run."
            )
        return (
            f"{self.scheduler} counts updates, and its end at {self.horizon:,} counts micro-batches: {each}, so that "
            f"the run ends after 1/{self.accumulation} of it."
        )

    def fix(self, scene: Scene) -> Fix:
        """One unit for both."""
        if scene.language == "Keras":
            total = self.horizon * self.accumulation
            code = in_language(scene, "", f"decay_steps={self.horizon} * {self.accumulation}")
            return Fix(f"Keras counts micro-batches: write counts of them, {total:,} in all.", code)
        if self.counts == "updates":
            total = self.horizon // self.accumulation
            return Fix(f"Count updates in the horizon: {self.horizon} // {self.accumulation}, that is {total:,}.")
        code = in_language(scene, per_accumulated(scene), "")
        return Fix("Step the scheduler once for each update, not for each micro-batch.", code)
