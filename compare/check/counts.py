"""The counts of a schedule: when it ends, what its periods and changes are, and what these are called in code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import (
    Clip,
    Constant,
    CosineRestarts,
    Cyclic,
    ExponentialDecay,
    InverseSqrt,
    InverseTimeDecay,
    Linear,
    PiecewiseConstant,
    Product,
    Schedule,
    Sequence,
    Shift,
    Stairs,
    Warmup,
)


@dataclass(frozen=True)
class Numbers:
    """What somebody wrote as counts of a schedule, the way up of a warm-up left out: that may be short.

    Attributes:
        end: The count at which it has reached its end; None where it has none.
        after: What it does from there on: ``hold``, ``rise`` or ``error``.
        periods: After how many counts it changes, again and again.
        changes: The counts at which it changes, each once.
    """

    end: int | None
    after: str | None
    periods: tuple[int, ...]
    changes: tuple[int, ...]

    @classmethod
    def of(cls, schedule: Schedule) -> Numbers:
        """The counts of a schedule whose durations are all in steps."""
        found = tuple(_counts(schedule, 0))
        periods = tuple(count for kind, count in found if kind == "period")
        changes = tuple(count for kind, count in found if kind == "change")
        # a list of changes has no end that a run has to reach
        end = None if isinstance(schedule, PiecewiseConstant) else schedule.length(Clock.STEPS)
        return cls(end, None if end is None else schedule.after_end, periods, changes)


def _counts(schedule: Schedule, begins: int) -> Iterator[tuple[str, int]]:
    """Each count with its kind; `begins` is where this part of a schedule begins."""
    match schedule:
        case Warmup():
            yield from _counts(schedule.then, begins + (0 if schedule.overlaps else _steps(schedule.over)))
        case Sequence():
            yield from _in_turn(schedule, begins)
        case Shift():
            late, early = (0 if each is None else _steps(each) for each in (schedule.late, schedule.early))
            yield from _counts(schedule.of, begins + late - early)
        case Product() | Clip() | Stairs():
            for factor in schedule.parts():
                yield from _counts(cast("Schedule", factor), begins)
        case PiecewiseConstant():
            yield from (("change", begins + _steps(each)) for each in schedule.boundaries if not _rises(schedule))
        case ExponentialDecay(factor=1.0) | Constant() | Cyclic() | InverseSqrt():
            return
        case ExponentialDecay() | InverseTimeDecay():
            yield "period", _steps(schedule.every)
        case _:
            yield from _of_fields(schedule, begins)


def _in_turn(schedule: Sequence, begins: int) -> Iterator[tuple[str, int]]:
    for part, start in zip(schedule.schedules, [0, *map(_steps, schedule.milestones)], strict=True):
        if start and not isinstance(part, Constant):
            yield "change", begins + start
        yield from _counts(part, begins + start)


def _of_fields(schedule: Any, begins: int) -> Iterator[tuple[str, int]]:
    if isinstance(schedule, CosineRestarts):
        yield "period", _steps(schedule.first)
    elif isinstance(duration := getattr(schedule, "over", None), Duration) and not _rises(schedule):
        yield "change", begins + _steps(duration)


def _rises(schedule: Any) -> bool:
    """Whether it only rises, as a warm-up does."""
    if isinstance(schedule, PiecewiseConstant):
        return list(schedule.values) == sorted(schedule.values)
    return isinstance(schedule, Linear) and schedule.initial < schedule.end


def _steps(duration: Duration) -> int:
    return Clock.STEPS.steps(duration)
