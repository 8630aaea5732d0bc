"""The finding `stepped-again`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import ClassVar, Self

from ...causes.scene import Fix
from ..base import Finding
from ..code import in_language, per_update, trainer_of
from ..scene import Scene, Watched, Where, alike, near, overlap

TWICE = 1.5
"""Calls for each occasion that are more than one."""


class SteppedAgain(Finding):
    """A scheduler is stepped several times where once was meant.

    Attributes:
        scheduler: The scheduler, with its numbers.
        times: Calls for each update or epoch.
        per: ``update`` or ``epoch``.
        processes: How many processes train, where each of them makes one of the calls.

    What you see:
        The schedule runs twice as fast as it was written, or as many times as there are processes.

    How it comes about:
        `scheduler.step()` is called at two places that both take their turn: in the loop over batches and after it, or
        by a trainer and once more by hand. Accelerate steps a scheduler that it has prepared once for each process,
        since each process sees only its part of the data.

    What it rests on:
        The recorded calls of one scheduler, at places that take turns throughout. One call per process is right where
        the horizon counts the batches of all processes: it is named only where the schedule's end, counted so, comes
        in the middle of the run, at about the updates of one process.

    The fix:
        Leave one of the calls. With Accelerate, multiply the horizon by the number of processes.

    See also:
        `accumulation`, where calls count micro-batches; lesson 10: accumulation and processes.
    """

    explains: ClassVar = ("past-the-end", "rate-zero", "ends-early", "epochs-as-steps")
    scheduler: str
    times: float
    per: str
    processes: int | None = None

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers with more calls than occasions."""
        for watched in scene.schedulers:
            if watched.takes_argument or not watched.updates:
                continue
            if (processes := _per_process(watched)) is not None:
                yield cls._of(watched, processes, "update", watched.stepped[:1] + watched.made, processes)
            elif (places := _in_turns(watched)) is not None:
                times, per, where = places
                yield cls._of(watched, times, per, where + watched.made)

    @classmethod
    def _of(
        cls, watched: Watched, times: float, per: str, where: tuple[Where, ...], processes: int | None = None
    ) -> Self:
        about = watched.optimizer.id
        return cls(watched.label, round(times, 2), per, processes, severity="error", where=where, about=about)

    def sentence(self, scene: Scene) -> str:
        """How often it is stepped, and where."""
        if self.processes is not None:
            return (
                f"{self.scheduler} is stepped {self.processes} times per update, once for each process, and its end is "
                f"counted in updates of one: it is over after a {_nth(self.processes)} of the run."
            )
        places = [each for each in self.where if each.role == "stepped"]
        at = " and ".join(f"line {each.line}" for each in places)
        if self.per == "both":
            return f"{self.scheduler} is stepped after each update and again after each epoch, at {at}."
        where = f"at {at}" if len(places) > 1 else f"all of them at {at}"
        return f"{self.scheduler} is stepped {self.times:g} times per {self.per}, {where}."

    def fix(self, scene: Scene) -> Fix:
        """One call, or a longer horizon."""
        if self.processes is not None:
            code = in_language(scene, "num_training_steps = updates_per_process * accelerator.num_processes", "")
            return Fix(f"Multiply the scheduler's counts by the {self.processes} processes.", code)
        trainer = trainer_of(scene)
        whose = f"{trainer.capitalize()} steps it already: " if trainer in ("lightning", "transformers") else ""
        loop = "" if whose else per_update(scene)
        return Fix(f"{whose}{'leave' if whose else 'Leave'} one of the calls out.", in_language(scene, loop, ""))


def _per_process(watched: Watched) -> int | None:
    """The number of processes that each make a call, where the horizon shows that one was meant."""
    processes = watched.scene.facts.process.world_size if watched.scene.facts else 1
    end = watched.numbers.end if watched.numbers else None
    planned = watched.scene.planned_updates
    if processes < 2 or end is None or planned is None or not alike(watched.calls_per_update, processes):
        return None
    return processes if near(end, planned, 0.1) else None


def _in_turns(watched: Watched) -> tuple[float, str, tuple[Where, ...]] | None:
    """Calls for each occasion, what the occasion is, and the places; None where there is one call for each."""
    processes = watched.scene.facts.process.world_size if watched.scene.facts else 1
    for one, other in combinations(sorted(watched.places, key=lambda each: -each.count), 2):
        if not overlap((one, other)):
            continue
        where = tuple(Where(each.file, each.line, "stepped") for each in (one, other))
        if one.per == other.per and near(one.count, other.count, 0.1):
            return 2.0, one.per if one.per in ("update", "epoch") else "update", where
        if {one.per, other.per} == {"update", "epoch"}:
            return 1.0, "both", where
    prepared = processes > 1 and alike(watched.calls_per_update, processes)
    again = [each for each in watched.places if each.per == "several per update"]
    if again and not prepared and watched.scene.accumulation == 1 and watched.calls_per_update >= TWICE:
        return watched.calls_per_update, "update", tuple(Where(each.file, each.line, "stepped") for each in again)
    return None


def _nth(number: int) -> str:
    return {2: "half", 3: "third", 4: "quarter"}.get(number, f"{number}th")
