"""Whether two runs follow the same schedule, where they first differ, and why: pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import float32_error

from ..causes.base import Cause
from ..causes.family import Family
from ..causes.unexplained import Unexplained
from ..infer import Inferred, infer
from ..rates import Rates
from ..refute.claim import Difference, Pair, Tolerance
from ..refute.curve import Curve
from ..terms import SIDES, Side, Verdict, other
from ..tolerance import ULP32, relative_difference, ulp32_difference
from .search import of_equal, single
from .two import pairs


@dataclass(frozen=True)
class Diagnosis:
    """What two runs have in common and where they first differ.

    compared : rows of the one that the other has a rate for.
    max_ulp32, max_relative : the largest difference at any of them. drift_per_decay : what is allowed on top of
    `ulp32`, relative, once for each decay.
    inferred_a, inferred_b : the schedule that each follows, None where none was found.
    tolerance : as it was applied, of the side that exceeds or uses it most; None where no row is compared.
    """

    verdict: Verdict
    compared: int
    ulp32: float
    drift_per_decay: float
    max_ulp32: float
    max_relative: float
    first_difference: Difference | None
    cause: Cause
    also_possible: tuple[Cause, ...]
    inferred_a: Inferred | None
    inferred_b: Inferred | None
    tolerance: Tolerance | None = None


def diagnose(a: Rates, b: Rates, clock: Clock | None = None, ulp: float = ULP32) -> Diagnosis:
    """Name the cause of the difference of two runs.

    clock : gives steps per epoch; without it a counter's factor keeps its reading `unknown`.
    ulp : float32 ULP within which two rates are the same.
    Never raises for valid `Rates`.
    """
    with np.errstate(all="ignore"):
        pair = _pair(a, b, clock, ulp)
        facts = _facts(pair)
        if not facts["compared"]:
            return Diagnosis("inconclusive", cause=Unexplained(), also_possible=(), **facts)
        cause, *also = _causes(pair) or [Unexplained(residual_ulp32=facts["max_ulp32"])]
        return Diagnosis(cause.verdict, cause=cause, also_possible=tuple(also), **facts)


def _causes(pair: Pair) -> list[Cause]:
    """Those that hold, the simplest first; none where nothing explains the rows."""
    if not pair.any_differs:
        return [of_equal(pair)]
    return single(pair) or pairs(pair) or list(filter(None, [Family.of(pair)]))


def _pair(a: Rates, b: Rates, clock: Clock | None, ulp: float) -> Pair:
    """Both with the schedules that they follow; two logs with the same bits follow one."""
    ours = infer(a, clock)
    alike = len(a) == len(b) and np.array_equal(a.step, b.step) and np.array_equal(a.lr, b.lr)
    theirs = ours if alike else infer(b, clock)
    at_peak = ours is None and theirs is None  # else the one that is known says how float32 rounds
    return Pair(Curve(a, ours, at_peak), Curve(b, theirs, at_peak), clock, ulp)


def _facts(pair: Pair) -> dict[str, Any]:
    """What holds whatever the cause: how many rows are compared, how far they lie apart, where first."""
    side: Side = "b" if len(pair.b.rates) <= len(pair.a.rates) else "a"
    ours = pair.of(side).rates
    theirs = pair.other(side).at(ours.step)
    known = np.isfinite(theirs.slack)
    values = {side: ours.lr[known], other(side): theirs.value[known]}
    differs = np.flatnonzero(pair.differs[side])
    first = None
    if len(differs):
        both = {side: float(ours.lr[differs[0]]), other(side): float(theirs.value[differs[0]])}
        first = Difference(int(ours.step[differs[0]]), both["a"], both["b"])
    return {
        "compared": int(known.sum()),
        "ulp32": pair.ulp,
        "drift_per_decay": max(_drift_per_decay(each.inferred) for each in (pair.a, pair.b)),
        "max_ulp32": float(ulp32_difference(values["a"], values["b"]).max(initial=0.0)),
        "max_relative": float(relative_difference(values["a"], values["b"]).max(initial=0.0)),
        "first_difference": first,
        "inferred_a": pair.a.inferred,
        "inferred_b": pair.b.inferred,
        "tolerance": max(
            filter(None, map(pair.tolerance, SIDES)), key=lambda tolerance: tolerance.applied.used, default=None
        ),
    }


def _drift_per_decay(inferred: Inferred | None) -> float:
    schedule = None if inferred is None else inferred.schedule
    while schedule is not None and schedule.kind == "warmup":
        schedule = schedule.then
    return float32_error(schedule.factor) if schedule is not None and schedule.kind == "exponential" else 0.0
