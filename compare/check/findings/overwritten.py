"""The finding `overwritten`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import ClassVar, Self

from samestep.experiment.watching import Writes

from ...causes.scene import Fix
from ..base import Finding
from ..code import in_language
from ..scene import Scene, Watched, Where, overlap

ABSOLUTE = (
    "LambdaLR",
    "OneCycleLR",
    "CyclicLR",
    "CosineAnnealingWarmRestarts",
    "SequentialLR",
    "LearningRateScheduler",
)
"""Schedulers that set the rate from the first one and their count, whatever it is: what others did to it is lost."""

CALLBACKS = ("LearningRateScheduler", "ReduceLROnPlateau")
"""Callbacks of Keras that set the rate."""


class Overwritten(Finding):
    """Something else writes the rate between two updates, beside a schedule.

    Attributes:
        scheduler: The scheduler or schedule object, with its numbers.
        by: What writes as well: ``a line of code``, another scheduler, or a callback.
        times: How often, where that was counted.
        raises: Whether Keras raised an error instead.

    What you see:
        The rate follows neither of both schedules. Or a rate that was set by hand holds for one epoch, and is back to
        what the scheduler makes of its count.

    How it comes about:
        A loop over `optimizer.param_groups` sets `lr` while a scheduler is stepped as well. Or two schedulers have one
        optimizer, and one of them computes its rate from the first one. In Keras, two callbacks set the rate; beside a
        schedule object none can, and Keras raises an error.

    What it rests on:
        A recorded write to the rate between two calls of the scheduler. Writes from the first update on that end in
        the first half of the run are a warm-up by hand and left out. So are two schedulers that both multiply the rate
        that they find, which PyTorch means to be chained, and two that take turns.

    The fix:
        Leave one of them out, or write both as one schedule.

    See also:
        `stepped-again`; lesson 4: what PyTorch does.
    """

    explains: ClassVar = ("ends-early", "past-the-end")
    scheduler: str
    by: str
    times: int | None = None
    raises: bool | None = None

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Optimizers with a schedule and something else that sets the rate."""
        for watched in scene.schedulers:
            for writes in scene.writes(watched.optimizer):
                if _between(watched, writes):
                    where = (Where(writes.file, writes.line, "written"), *watched.made, *watched.stepped[:1])
                    about = watched.optimizer.id
                    yield cls(watched.label, writes.by, writes.count, severity="error", where=where, about=about)
                    break
        for one, other in combinations(scene.schedulers, 2):
            if one.optimizer is other.optimizer and (_both(one, other) or _refused(one, other)):
                raises = _refused(one, other) or None
                wins = other.facts.kind in CALLBACKS if raises else _is_absolute(other)
                lost, absolute = (one, other) if wins else (other, one)
                where = absolute.made + lost.made + absolute.stepped[:1] + lost.stepped[:1]
                where, about = tuple(dict.fromkeys(where)), one.optimizer.id
                yield cls(lost.label, absolute.label, raises=raises, severity="error", where=where, about=about)

    def sentence(self, scene: Scene) -> str:
        """What writes, and over what."""
        written = next((each for each in self.where if each.role == "written"), None)
        if written is None and self.raises:
            return f"{self.by} sets the rate of an optimizer that {self.scheduler} gives it: Keras raises an error."
        if written is None:
            return (
                f"{self.scheduler} and {self.by} move one optimizer. {self.by} sets the rate from its own count alone, "
                f"so that what {self.scheduler} did to it is lost."
            )
        often = "" if self.times is None else " once" if self.times == 1 else f" {self.times:,} times"
        return f"{self.by} at line {written.line} sets the rate{often} while {self.scheduler} is stepped as well."

    def fix(self, scene: Scene) -> Fix:
        """One schedule."""
        code = (
            "# one schedule after the other\n"
            "scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [first, second], milestones=[...])\n"
            "# both at once, where both multiply\n"
            "scheduler = torch.optim.lr_scheduler.ChainedScheduler([first, second])"
        )
        keras = (
            "# one LearningRateScheduler, or one schedule object as learning_rate, and no other callback that sets it"
        )
        return Fix("Leave one of them out, or write both as one schedule.", in_language(scene, code, keras))


def _between(watched: Watched, writes: Writes) -> bool:
    """Whether a rate is written while the scheduler is at work."""
    if not watched.calls or not watched.updates or writes.last_at <= 0:
        return False
    by_hand_first = writes.first_at <= 1 and writes.last_at < watched.scene.updates / 2
    first = min(each.first_at for each in watched.places)
    last = max(each.last_at for each in watched.places)
    return not by_hand_first and first < writes.last_at and max(writes.first_at, 1) < last


def _both(one: Watched, other: Watched) -> bool:
    """Whether two schedulers are both stepped throughout, and one of them overrides the other."""
    if not any(map(_is_absolute, (one, other))) or not one.places or not other.places:
        return False
    places = [max(each.places, key=lambda place: place.count) for each in (one, other)]
    if not overlap(places):
        return False
    if one.cadence != other.cadence:
        return "other" not in (one.cadence, other.cadence)
    occasions = one.scene.updates if one.cadence == "update" else one.scene.epochs
    return occasions is not None and one.calls + other.calls > 1.5 * occasions


def _is_absolute(watched: Watched) -> bool:
    return watched.facts.kind in ABSOLUTE and not watched.facts.arguments.get("takes_rate")


def _refused(one: Watched, other: Watched) -> bool:
    """Whether a callback sets the rate of an optimizer of Keras that has a schedule object, which is an error."""
    facts = one.scene.facts
    callbacks = [each.facts.kind in CALLBACKS for each in (one, other)]
    return facts is not None and facts.framework == "tensorflow" and facts.ended == "raised" and sum(callbacks) == 1
