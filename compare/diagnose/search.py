"""The causes that no row refutes, the simplest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from ..causes import CAUSES
from ..causes.base import Cause
from ..causes.period import Period
from ..refute import Claim, Pair
from ..refute.claim import Check
from ..refute.curve import FEWEST
from ..refute.estimate import is_one
from ..terms import Side

CLOSE = 0.1
"""Part of what is allowed that says nothing: of claims that leave no more, the likelier one comes first."""

ENOUGH_COVERED = 0.5
"""Fraction of one side's rows that a claim must predict."""

ENOUGH_EVIDENCE = 16
"""A claim with at least this much evidence may leave other rows unexplained."""

Held = tuple[Claim[Cause], Check]
"""A claim that no row refutes, and what it leaves over."""


def single(pair: Pair) -> list[Cause]:
    """Every cause that holds by itself, the simplest first."""
    return [found(pair, *held) for held in holding(pair, CAUSES)]


def holding(pair: Pair, causes: Iterable[type[Cause]]) -> list[Held]:
    """The best claim of each cause that no row refutes, the simplest first."""
    if not pair.any_differs:
        return []
    best = (_best(pair, cause.claims(pair)) for cause in causes)
    held = sorted((each for each in best if each is not None), key=lambda each: _rank(pair, *each))
    if held and held[0][0].cause.explains_start:  # one that leaves the beginning over says less
        return [each for each in held if each[0].leaves_few] or held
    return held


def since(pair: Pair) -> list[Cause]:
    """Every cause that begins or ends at a step, by its first claim that holds, the simplest first."""
    causes = []
    for cause in CAUSES:
        for claim in islice(cause.since(pair), pair.most):
            if is_one(pair.of(claim.side)) and not is_one(pair.other(claim.side)):
                continue  # it goes on as it began; the other is the one that does not
            check = pair.check(claim)
            if _holds(pair, claim, check) and check.evidence >= FEWEST:
                causes.append(found(pair, claim, check))
                break
    return sorted(causes, key=lambda cause: cause.rank())


def found(pair: Pair, claim: Claim[Cause], check: Check) -> Cause:
    """The cause that a claim is of."""
    return replace(claim.cause.settled(pair), residual_ulp32=check.residual_ulp32)


def of_equal(pair: Pair) -> Cause:
    """The cause where every rate that both have is the same: of those that hold, the one that says most."""
    residual = max(pair.residual_ulp32("a"), pair.residual_ulp32("b"))
    cause = next(filter(None, (cause.of_equal(pair) for cause in reversed(CAUSES))))
    return replace(cause, residual_ulp32=residual)


def _best(pair: Pair, claims: Iterator[Claim[Cause]]) -> Held | None:
    """The claim of one cause that leaves least; None where all are refuted."""
    best: Held | None = None
    for claim in islice(claims, pair.most):
        check = pair.check(claim)
        if _holds(pair, claim, check) and (best is None or _is_better(pair, (claim, check), best)):
            best = claim, check
    return best


def _is_better(pair: Pair, one: Held, other: Held) -> bool:
    """Of two claims of one cause: from a schedule that is known, or else for more rows, or leaving clearly less."""
    ours, theirs = ((is_one(pair.other(claim.side)), len(pair.of(claim.side).rates)) for claim, _ in (one, other))
    return ours > theirs if ours != theirs else one[1].excess < 0.5 * other[1].excess and other[1].excess > CLOSE


def _holds(pair: Pair, claim: Claim[Cause], check: Check) -> bool:
    """Whether a claim that no row refutes has enough rows that speak for it."""
    enough = check.vague
    if claim.extrapolates:  # without a schedule, nothing goes on beyond the rows that the claim speaks of
        goes_on = pair.other(claim.side).inferred is not None
        enough = min(check.vague, ENOUGH_EVIDENCE) if goes_on else ENOUGH_EVIDENCE
    paid = not isinstance(claim.cause, Period) or not _shows_less(pair, claim.side)
    return check.fits and check.evidence >= max(enough, 1) and check.covered >= ENOUGH_COVERED and paid


def _shows_less(pair: Pair, side: Side) -> bool:
    """Whether a side has a single drop, and the other several: some length takes the first of them there."""
    ours, theirs = pair.of(side), pair.other(side)
    return ours.is_stepwise and theirs.is_stepwise and len(ours.changes) < 2 <= len(theirs.changes)


def _rank(pair: Pair, claim: Claim[Cause], check: Check) -> tuple[bool, bool, int, int, float]:
    """Simplest first; of two that fit the same rows, the one that leaves none unsaid, with a number that one writes."""
    place = CAUSES.index(type(claim.cause))
    return not is_one(pair.other(claim.side)), not claim.leaves_few, claim.cause.rank(), place, check.excess
