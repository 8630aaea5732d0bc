"""The result of a check: its verdict, its findings, and the timeline of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Schedule

from ..show.result import Result
from .base import Finding
from .scene import Scene

if TYPE_CHECKING:
    import pandas as pd

    from ..schedule.timeline import Timeline
    from ..show.picture import Picture

Verdict = Literal["clean", "findings", "inconclusive"]


@dataclass(frozen=True, eq=False)
class Check(Result):
    """One run, checked.

    Attributes:
        given: What was checked, as it was given.
        scene: What is known of it.
        findings: What may not be meant, the one that explains others first.
        left_out: How many parameter groups were not looked at.
    """

    given: str
    scene: Scene
    findings: tuple[Finding, ...]
    left_out: int = 0

    @property
    def verdict(self) -> Verdict:
        """``findings`` where there is an error or a warning; ``inconclusive`` where nothing can be said."""
        if any(each.severity != "note" for each in self.findings):
            return "findings"
        return "clean" if any(_is_enough(each) for each in self.scene.timelines) else "inconclusive"

    @property
    def clean(self) -> bool:
        """Whether there is neither an error nor a warning in a run of which something can be said."""
        return self.verdict == "clean"

    @property
    def schedule(self) -> Schedule | None:
        """The schedule that the run follows, that of the first optimizer; None where none was found."""
        return self.scene.timelines[0].schedule if self.scene.timelines else None

    @property
    def clock(self) -> Clock | None:
        """The steps of an epoch; None where they are not known."""
        return self.scene.clock

    @property
    def timelines(self) -> tuple[Timeline, ...]:
        """The timeline of each optimizer and parameter group."""
        return self.scene.timelines

    @property
    def table(self) -> pd.DataFrame:
        """One row for each update: the arm, its step and rate, and the rate of the schedule that it follows."""
        import pandas as pd

        tables = []
        for each in self.scene.timelines:
            table = each.table
            table.insert(0, "arm", each.inference.run.key.arm)
            tables.append(table)
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["arm", "step", "lr"])

    def lines(self) -> Iterator[tuple[str, str]]:
        """What the run follows, its timeline, and each finding with the lines of code and the fix."""
        from . import words

        return words.lines(self)

    def pictures(self) -> Mapping[str, Callable[[], Picture]]:
        """The rates of the first run, whole and its beginning enlarged; of several, a picture each."""
        return {
            name: _renamed(each.pictures()["rates"], name)
            for number, each in enumerate(self.scene.timelines)
            for name in ["rates" if number == 0 else f"rates-{number + 1}"]
        }

    def to_json(self) -> dict[str, Any]:
        """The check as JSON values."""
        first = self.scene.timelines[0] if self.scene.timelines else None
        return {
            "schema": 1,
            "verdict": self.verdict,
            "name": self.given,
            "findings": [each.to_json(self.scene) for each in self.findings],
            "schedule": None if self.schedule is None else self.schedule.model_dump(mode="json"),
            "stepping": None if first is None else first.inference.stepping,
            "clock": self.clock and asdict(self.clock),
            "runs": [_run(each) for each in self.scene.timelines],
        }


def _renamed(draw: Callable[[], Picture], name: str) -> Callable[[], Picture]:
    return lambda: replace(draw(), name=name)


def _is_enough(timeline: Timeline) -> bool:
    """Whether a timeline has rows to say something of: a schedule was found, or rates that change without one."""
    return timeline.schedule is not None or len(timeline.rates) >= ENOUGH


ENOUGH = 3
"""Rows of a run of which something can be said."""


def _run(timeline: Timeline) -> dict[str, Any]:
    told = timeline.to_json()
    return {key: value for key, value in told.items() if key not in ("schema", "name", "clock", "warnings", "advice")}
