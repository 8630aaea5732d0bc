"""What a comparison leaves open: too few rows, a rate that is 0, and what a log does not say of its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..causes.unexplained import Unexplained
from ..infer import Inferred
from ..runs.run import Run
from ..runs.side import Name, Side
from ..words import short
from . import Diagnosis

FEW = 3
"""With fewer rows no schedule follows, and no cause of a difference."""


@dataclass(frozen=True)
class Doubt:
    """Why the verdict depends on what a log does not say.

    on : what the verdict depends on, as the end of a sentence. says : the option that settles it.
    """

    on: str
    says: str


def modest(diagnosis: Diagnosis, a: tuple[Side, Run], b: tuple[Side, Run]) -> Diagnosis:
    """The diagnosis without what its rows do not show.

    No schedule follows from one or two rows, and no cause from a difference in so few, or from a rate that is always 0.
    One row that agrees leaves open whether the schedules do.
    """
    few = [side.schedule is None and len(run.rates) < FEW for side, run in (a, b)]
    diagnosis = replace(
        diagnosis,
        inferred_a=None if few[0] else diagnosis.inferred_a,
        inferred_b=None if few[1] else diagnosis.inferred_b,
    )
    if diagnosis.compared == 1 and diagnosis.first_difference is None:
        return replace(diagnosis, verdict="inconclusive", also_possible=())
    vague = diagnosis.compared < FEW or is_zero(a[1]) or is_zero(b[1])
    if vague and diagnosis.first_difference is not None:
        return replace(diagnosis, cause=Unexplained(residual_ulp32=diagnosis.max_ulp32), also_possible=())
    return diagnosis


def is_zero(run: Run) -> bool:
    """Whether every rate of a run is 0."""
    return not run.rates.lr.any()


def follows(run: Run, inferred: Inferred | None) -> str:
    """Which schedule a run follows, as the end of a sentence."""
    if is_zero(run):
        return "has a rate of 0 throughout"
    if inferred is None:
        return (
            "has too few rows to infer a schedule from"
            if len(run.rates) < FEW
            else "follows no schedule that samestep knows"
        )
    looked_up = "" if inferred.stepping == "step" else ", looked up once per epoch"
    return f"follows {short(inferred.schedule)}{looked_up}"


def doubt(diagnosis: Diagnosis, a: tuple[Side, Run], b: tuple[Side, Run]) -> Doubt | None:
    """Whether a difference may be nothing but what a log counts from, or when it was written."""
    for name in _ahead(diagnosis, a[1], b[1]):
        early, late = (b, a) if name == "b" else (a, b)
        base, timing = _of_base(early, late), _of_timing(diagnosis, early[0])
        if base and timing:
            return Doubt(
                "whether the logs' steps start at 0 or 1, and whether their rates are those used or the next ones",
                f"{base}: both are the same. They also are if {name}'s log holds the next rates and not those "
                f"used: --{name} lr_timing=next. If neither is so, give --{late[0].name} step_base=0 and "
                f"--{name} lr_timing=used: they differ.",
            )
        if base:
            missing = f"If its first update is missing, give --{late[0].name} step_base=0: they differ."
            return Doubt("whether the logs' steps start at 0 or 1", f"{base}: both are the same. {missing}")
        if timing:
            return Doubt("whether the rates in the log are those used or the next ones", timing)
    return None


def _ahead(diagnosis: Diagnosis, a: Run, b: Run) -> Iterator[Name]:
    """The side that may be one step ahead of the other in all that it has."""
    for cause in (diagnosis.cause, *diagnosis.also_possible):
        if side := cause.one_ahead(a.rates, b.rates, diagnosis.ulp32):
            yield side


def _of_base(early: tuple[Side, Run], late: tuple[Side, Run]) -> str | None:
    """The log that is late may count from 1; None where it does not look so, or says what it counts from."""
    if not (late[0].may_count_from_1 and early[1].rates.step[0] == 0):
        return None
    name = late[0].name
    return (
        f"{name}'s steps begin at 1, {early[0].name}'s at 0. If {name}'s log counts from 1, give --{name} step_base=1"
    )


def _of_timing(diagnosis: Diagnosis, early: Side) -> str | None:
    """The log that is ahead may hold the next rates; None where it says when it read them."""
    if not diagnosis.cause.may_be_timing or early.conventions.get("lr_timing") != "unknown":
        return None
    name = early.name
    return (
        f"{name}'s log does not say whether its rates are those used or the next ones. If they are the next ones, give "
        f"--{name} lr_timing=next: both are the same. If those used, give --{name} lr_timing=used: they differ."
    )
