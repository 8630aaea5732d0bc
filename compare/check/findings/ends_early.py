"""The finding `ends-early`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Schedule

from ...causes.scene import Fix
from ...words import counted, share
from ..base import Finding, Severity
from ..loops import can_be_left
from ..scene import Scene, Watched, near

FAR = 0.1
"""Part of the way between the highest and the lowest rate that is left at the end of the run."""


class EndsEarly(Finding):
    """The run ends far before its schedule.

    Attributes:
        scheduler: The scheduler or schedule object, with its numbers.
        end: The count at which its schedule ends.
        calls: The count at which the run ends.
        last: The last rate, in parts of the highest.

    What you see:
        A cosine over 100 epochs, in a run of 30: the last rate is still at 79 % of the highest.

    How it comes about:
        The run was made shorter, and the schedule was not.

    What it rests on:
        The recorded calls and the schedule of the object. It is a note where the run was cut, or may have been meant
        to stop: by `--updates` or `--epochs` of `samestep record`, before its planned epochs, or where the loop can be
        left by `break` or `return`. A run that follows a part of a longer schedule on purpose looks the same.

    The fix:
        Make the schedule as long as the run.

    See also:
        `steps-as-epochs`, a likely reason; `past-the-end`, the reverse.
    """

    scheduler: str
    end: int
    calls: int
    last: float

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Schedulers with an end that was not reached."""
        if scene.facts is None:
            return
        for watched in scene.schedulers:
            end = watched.numbers.end if watched.numbers else None
            schedule, rates = watched.schedule, watched.rates()
            if (
                end is None
                or schedule is None
                or not rates
                or watched.takes_argument
                or not watched.calls
                or not watched.to_the_end
            ):
                continue
            if _left(schedule, watched.reached, end) > FAR:
                yield cls(
                    watched.label,
                    end,
                    watched.reached,
                    float(rates[0][-1] / rates[0].max()) if rates[0].max() else 0.0,
                    severity=_severity(scene, watched, end),
                    where=watched.made,
                    about=watched.optimizer.id,
                )

    def sentence(self, scene: Scene) -> str:
        """Where the run ends, and what is left of the schedule."""
        cut = scene.facts is not None and scene.facts.cut_by is not None
        ends = f"was cut at count {self.calls:,}" if cut else f"ends at count {self.calls:,}"
        return (
            f"The run {ends} of {self.end:,} of {self.scheduler}: the last rate is {share(self.last)} of the highest."
        )

    def fix(self, scene: Scene) -> Fix:
        """A shorter schedule."""
        if scene.facts is not None and scene.facts.cut_by is not None:
            return Fix("Nothing to fix: the run was cut on purpose.")
        return Fix(f"If the run has its full length, end the schedule after {counted(self.calls, 'count')}.")


def _left(schedule: Schedule, calls: int, end: int) -> float:
    """The part of the way from the highest to the lowest rate that lies between the last rate and the end's."""
    if calls >= end:
        return 0.0
    at = np.unique(np.linspace(0, end - 1, 400).astype(np.int64))
    rate = schedule.rate(at, Clock.STEPS)
    height = float(rate.max() - rate.min())
    last = float(schedule.rate([min(calls, end - 1)], Clock.STEPS)[0])
    return abs(last - float(rate[-1])) / height if height else 0.0


def _severity(scene: Scene, watched: Watched, end: int) -> Severity:
    planned, facts = watched.planned_calls, scene.facts
    if scene.was_cut or facts is None:
        return "note"
    if planned is not None and planned > watched.calls:  # it was stopped before
        return "note"
    loop = watched.stepped[:1]
    may_stop = facts.planned_epochs is None and not (loop and can_be_left(loop[0]) is False)
    return "note" if may_stop or near(watched.reached, end, 0.1) else "warning"
