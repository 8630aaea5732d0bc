"""Why two runs differ: each cause is a statement that their rows may refute, and the simplest that stands wins.

`single` tries every cause by itself, `pairs` two of them at once. Both are pure functions on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from compare.diagnose import two
from compare.diagnose.causes import breaks, clocks, kinds, rows, sizes
from compare.diagnose.claim import SIDES, Check, Claim, Pair, Side
from compare.diagnose.curve import Curve
from compare.diagnose.infer import Inferred, infer
from compare.diagnose.inference.numbers import digits
from compare.diagnose.rates import Rates
from compare.terms import Verdict as Verdict
from compare.tolerance import ULP32, relative_difference, ulp32_difference
from experiment.clock import Clock
from experiment.schedules import float32_error
from experiment.schedules.base import tidy

Statements = Callable[[Pair], Iterator[Claim]]
CAUSES: tuple[Statements, ...] = (
    clocks.shift,
    clocks.counter,
    sizes.scale,
    clocks.staircase,
    kinds.factor,
    kinds.period,
    sizes.floor,
    breaks.warmup,
    breaks.reset,
    breaks.extra_decay,
    breaks.tail,
)
"""Every cause that tells the rates of one side from the other's, the simplest first."""

SECOND = tuple(each for each in CAUSES if each not in (kinds.factor, kinds.period))
"""Causes that are looked for once another is taken off; of the others, one is always taken off first."""

ENOUGH_TOLD = 0.5
"""Part of one side's rows that a claim must speak of."""

ENOUGH_EVIDENCE = 16
"""Rows that speak for a claim, from which on it may leave rows open that nothing else explains."""


@dataclass(frozen=True)
class Cause:
    """Why two runs differ.

    name : as the table of causes has it. parameters : JSON values, by name.
    residual_ulp32 : what is left of the largest difference, in float32 ULP, once the cause and drift are taken off.
    second : the other one of two causes at once.
    """

    name: str
    parameters: Mapping[str, Any]
    residual_ulp32: float
    second: Cause | None = None


@dataclass(frozen=True)
class Difference:
    """An update at which both lie further apart than the tolerance, and both rates."""

    step: int
    a: float
    b: float


@dataclass(frozen=True)
class Diagnosis:
    """What two runs have in common and where they part.

    compared : rows of the one that the other has a rate for.
    max_ulp32, max_relative : the largest difference at any of them. drift_per_decay : what is allowed on top of
    `ulp32`, relative, once for each decay.
    inferred_a, inferred_b : the schedule that each follows, None where none was found.
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
            return Diagnosis("inconclusive", cause=Cause("unexplained", {}, 0.0), also_possible=(), **facts)
        if not (pair.differs["a"].any() or pair.differs["b"].any()):
            cause = _of_rows(pair)
            verdict: Verdict = "same" if cause.name in ("identical", "rounding") else "differs"
            return Diagnosis(verdict, cause=cause, also_possible=(), **facts)
        found = single(pair) or pairs(pair) or _family(pair)
        cause, also = (found[0], tuple(found[1:])) if found else (Cause("unexplained", {}, facts["max_ulp32"]), ())
        return Diagnosis("differs", cause=cause, also_possible=also, **facts)


def _pair(a: Rates, b: Rates, clock: Clock | None, ulp: float) -> Pair:
    """Both with the schedules that they follow; two logs with the same bits follow one."""
    ours = infer(a, clock)
    alike = len(a) == len(b) and np.array_equal(a.step, b.step) and np.array_equal(a.lr, b.lr)
    theirs = ours if alike else infer(b, clock)
    at_peak = ours is None and theirs is None  # else the one that is known says how float32 rounds
    return Pair(Curve(a, ours, at_peak), Curve(b, theirs, at_peak), clock, ulp)


def single(pair: Pair) -> list[Cause]:
    """Every cause that stands by itself, the simplest first."""
    return [_cause(pair, claim, check) for claim, check in _standing(pair, CAUSES)]


def _standing(pair: Pair, causes: Sequence[Statements]) -> list[tuple[Claim, Check]]:
    """The best claim of each cause that no row refutes, the simplest first."""
    if not (pair.differs["a"].any() or pair.differs["b"].any()):
        return []
    standing = [found for found in (_best(pair, each(pair)) for each in causes) if found is not None]
    standing.sort(key=lambda found: _rank(pair, *found))
    if standing and standing[0][0].name in ("reset", "warmup"):  # a shift that leaves the other part over says less
        return [found for found in standing if found[0].leaves <= clocks.FEW] or standing
    return standing


def pairs(pair: Pair) -> list[Cause]:
    """Two causes at once: one is taken off, and the rest is looked at by itself. The shorter to write comes first."""
    if not (breaks.is_regular(pair.a) and breaks.is_regular(pair.b)):
        return []  # noise is no schedule, whatever is taken off
    found: dict[frozenset[str], tuple[int, two.First, Claim]] = {}
    for first in two.first_causes(two.thinned(pair)):
        for claim, _ in _standing(first.rest, SECOND):
            names, length = frozenset({first.name, claim.name}), _length(first.parameters) + _length(claim.parameters)
            if (
                len(names) == 2
                and not _undo_each_other(first, claim)
                and (names not in found or length < found[names][0])
            ):
                found[names] = length, first, claim
    every = [_both(pair, first, claim) for _, first, claim in sorted(found.values(), key=lambda each: each[0])]
    return [each for each in every if each is not None]


def _undo_each_other(first: two.First, claim: Claim) -> bool:
    """Whether a shift is taken back: by a schedule that begins again, or a warm-up, of no more steps."""
    if first.name != "shift" or claim.name not in ("reset", "warmup"):
        return False
    return int(claim.parameters.get("step", claim.parameters.get("steps", 0))) <= 3 * abs(
        int(first.parameters["steps"])
    )


def _both(pair: Pair, first: two.First, claim: Claim) -> Cause | None:
    """Two causes as one, looked at again with every row; None where that refutes them."""
    second = next(each for each in SECOND if _name(each) == claim.name)
    again = next((each for each in two.first_causes(pair, first.name) if each.parameters == first.parameters), None)
    for other, check in _standing(again.rest if again else first.rest, (second,)):
        return Cause(first.name, _parameters(pair, first), check.residual_ulp32, _cause(first.rest, other, check))
    return None


def _length(parameters: Mapping[str, Any]) -> int:
    """Digits that it takes to write a cause's numbers."""
    numbers = [each for each in parameters.values() if isinstance(each, int | float)]
    return sum(len(str(abs(each))) if isinstance(each, int) else digits(tidy(each)) for each in numbers)


def _best(pair: Pair, claims: Iterator[Claim]) -> tuple[Claim, Check] | None:
    """The claim of one cause that leaves least; None where all are refuted."""
    best: tuple[Claim, Check] | None = None
    for claim in islice(claims, pair.most):
        check = pair.check(claim)
        if _stands(pair, claim, check) and (best is None or _is_better(pair, (claim, check), best)):
            best = claim, check
    return best


def _is_better(pair: Pair, one: tuple[Claim, Check], other: tuple[Claim, Check]) -> bool:
    """Of two claims of one cause: told from a schedule that is known, or leaving clearly less."""
    known = [_is_plain(pair.other(claim.side)) for claim, _ in (one, other)]
    if known[0] != known[1]:
        return known[0]
    rows = [len(pair.of(claim.side).rates) for claim, _ in (one, other)]
    if rows[0] != rows[1]:
        return rows[0] > rows[1]
    return one[1].excess < 0.5 * other[1].excess


def _stands(pair: Pair, claim: Claim, check: Check) -> bool:
    """Whether a claim that no row refutes has rows enough that speak for it."""
    enough = min(check.vague, ENOUGH_EVIDENCE) if claim.extrapolates else check.vague
    if not check.fits or not check.evidence or check.evidence < enough:
        return False
    if claim.extrapolates and not _goes_on(pair.other(claim.side)) and check.evidence < ENOUGH_EVIDENCE:
        return False
    return check.told >= ENOUGH_TOLD


def _goes_on(curve: Curve) -> bool:
    """Whether rows that a claim does not speak of are known to belong to the schedule of those that it does."""
    return curve.inferred is not None


def _rank(pair: Pair, claim: Claim, check: Check) -> tuple[bool, bool, int, float]:
    """Simplest first; of two that fit the same rows, the one that leaves none unsaid, with a number that one writes."""
    order = [_name(each) for each in CAUSES].index(claim.name)
    if claim.name == "scale" and digits(tidy(claim.parameters["factor"])) <= 2:
        order = -1
    return not _is_plain(pair.other(claim.side)), claim.leaves > clocks.FEW, order, check.excess


def _name(cause: Statements) -> str:
    return cause.__name__.replace("_", "-")


def _is_plain(curve: Curve) -> bool:
    """Whether a run follows one schedule that is known, and not several one after the other."""
    return curve.inferred is not None and kinds.is_plain(curve.inferred.schedule, most=6)


def _family(pair: Pair) -> list[Cause]:
    found = kinds.family(pair)
    return [Cause("family", found, 0.0)] if found else []


def _of_rows(pair: Pair) -> Cause:
    """The cause where every rate that both have is the same."""
    residual = max(pair.residual_ulp32(side) for side in SIDES)
    if missing := rows.gaps(pair):
        return Cause("gaps", missing, residual)
    if lasts := rows.length(pair):
        return Cause("length", lasts, residual)
    return Cause("rounding" if pair.is_rounded() else "identical", {}, residual)


def _cause(pair: Pair, claim: Claim, check: Check) -> Cause:
    return Cause(claim.name, _parameters(pair, claim), check.residual_ulp32)


def _parameters(pair: Pair, claim: Claim | two.First) -> dict[str, Any]:
    """JSON values; a counter with what it most likely means."""
    parameters = {
        key: value.item() if isinstance(value, np.generic) else value for key, value in claim.parameters.items()
    }
    if claim.name == "counter":
        parameters["reading"] = clocks.reading(pair, parameters["factor"])
    return parameters


def _facts(pair: Pair) -> dict[str, Any]:
    """What holds whatever the cause: how many rows are compared, how far they lie apart, where first."""
    side: Side = "b" if len(pair.b.rates) <= len(pair.a.rates) else "a"
    ours = pair.of(side).rates
    told = pair.other(side).at(ours.step)
    known = np.isfinite(told.slack)
    values = {side: ours.lr[known], ("a" if side == "b" else "b"): told.value[known]}
    differs = np.flatnonzero(pair.differs[side])
    first = None
    if len(differs):
        step = int(ours.step[differs[0]])
        both = {side: float(ours.lr[differs[0]]), ("a" if side == "b" else "b"): float(told.value[differs[0]])}
        first = Difference(step, both["a"], both["b"])
    return {
        "compared": int(known.sum()),
        "ulp32": pair.ulp,
        "drift_per_decay": max(_drift_per_decay(each.inferred) for each in (pair.a, pair.b)),
        "max_ulp32": float(ulp32_difference(values["a"], values["b"]).max(initial=0.0)),
        "max_relative": float(relative_difference(values["a"], values["b"]).max(initial=0.0)),
        "first_difference": first,
        "inferred_a": pair.a.inferred,
        "inferred_b": pair.b.inferred,
    }


def _drift_per_decay(inferred: Inferred | None) -> float:
    schedule = None if inferred is None else inferred.schedule
    while schedule is not None and schedule.kind == "warmup":
        schedule = schedule.then
    return float32_error(schedule.factor) if schedule is not None and schedule.kind == "exponential" else 0.0
