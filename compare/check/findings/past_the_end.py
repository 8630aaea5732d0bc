"""The finding `past-the-end`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np

from samestep.experiment.clock import Clock

from ...causes.scene import Fix
from ...schedule.timeline import Timeline
from ...words import counted
from ..base import Finding, Severity
from ..code import in_language
from ..scene import Scene, Watched

RISES = 0.01
"""Part of the way from the lowest rate to the highest by which a rate has risen again."""


class PastTheEnd(Finding):
    """The run goes on after the schedule's end, and the rate rises, or the scheduler raises.

    Attributes:
        scheduler: The scheduler, with its numbers.
        end: The count at which its schedule ends.
        calls: How often it was stepped.
        does: What it does after its end: ``rises`` or ``raises``.

    What you see:
        A cosine falls to its lowest rate in the middle of the run, and climbs again to the first one. Or the script
        stops with an error: `OneCycleLR` tried to step 101 times.

    How it comes about:
        PyTorch's `CosineAnnealingLR` is periodic: after `T_max` calls it climbs. Transformers' cosine does so as well.
        `OneCycleLR` raises an error at the call after its last step. Keras' schedules hold their last rate instead.

    What it rests on:
        The recorded calls, the schedule of the object, and a rate that did rise after the end. A cosine that is
        stepped for several whole turns and ends at its lowest rate may be meant so: that is a note.

    The fix:
        Make the schedule as long as the run, or do not step it after its end. For a cosine that is meant to begin
        again there is `CosineAnnealingWarmRestarts`.

    See also:
        `epochs-as-steps`, a likely reason; `ends-early`; lesson 8: warm-up, cosine, restarts.
    """

    explains: ClassVar = ("rate-zero",)
    scheduler: str
    end: int
    calls: int
    does: str

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers that were stepped past their end; of a log, one that follows such a schedule."""
        if scene.facts is None:
            for _, timeline, _ in scene.followed:
                yield from cls._of_log(timeline)
            return
        for watched in scene.schedulers:
            end, after = (watched.numbers.end, watched.numbers.after) if watched.numbers else (None, None)
            if end is None or watched.takes_argument or after not in ("rise", "error"):
                continue
            about, where = watched.optimizer.id, watched.made + watched.stepped[:1]
            raised = after == "error" and scene.facts.ended == "raised" and watched.reached >= end
            if raised:
                yield cls(watched.label, end, watched.reached, "raises", severity="error", where=where, about=about)
            elif watched.reached > end and _rose(watched, end):
                severity = _of_turns(watched.reached, end)
                yield cls(watched.label, end, watched.reached, "rises", severity=severity, where=where, about=about)

    @classmethod
    def _of_log(cls, timeline: Timeline) -> Iterator[Self]:
        found, rates = timeline.inference.inferred, timeline.rates
        if found is None or found.schedule.after_end != "rise":
            return
        end, last = found.schedule.length(Clock.STEPS), int(rates.step[-1])
        if end is not None and end < last and _rises(rates.lr[rates.step >= end], rates.lr):
            yield cls("the schedule", end, last, "rises", severity=_of_turns(last, end))

    def sentence(self, scene: Scene) -> str:
        """Where it ends, and what comes after."""
        if self.does == "raises":
            return f"{self.scheduler} ends after {self.end:,} counts, and raises when it is stepped once more."
        beyond = counted(self.calls - self.end, "count")
        return (
            f"{self.scheduler} is at its lowest rate at count {self.end:,}, and the run goes on: the rate rises again "
            f"for {beyond}."
        )

    def fix(self, scene: Scene) -> Fix:
        """A longer schedule, or one that holds."""
        stop = "if scheduler.last_epoch < {}:  # counts the calls of scheduler.step()\n    scheduler.step()"
        last = self.end - 1 if self.does == "raises" else self.end
        advice = "Make the schedule as long as the run, in calls of scheduler.step(), or stop stepping it at its end."
        return Fix(advice, in_language(scene, stop.format(last), ""))


def _rose(watched: Watched, end: int) -> bool:
    """Whether an update after the end used a higher rate than the lowest."""
    after = int((end - watched.facts.began_at) / watched.calls_per_update) if watched.calls_per_update else 0
    for run in watched.scene.runs(watched.optimizer):
        if _rises(run.rates.lr[run.rates.step >= after], run.rates.lr):
            return True
    return False


def _rises(after: np.ndarray, lr: np.ndarray) -> bool:
    if not len(after):
        return False
    return bool(after.max() - after.min() > RISES * (lr.max() - lr.min()) > 0 and after[-1] > after.min())


def _of_turns(calls: int, end: int) -> Severity:
    """A note for several whole turns that end at the lowest rate."""
    turns = round(calls / end)
    return "note" if turns >= 3 and turns % 2 and abs(calls - turns * end) <= 1 else "warning"
