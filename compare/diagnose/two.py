"""Two causes at once: one is taken off, and the rest is looked at by itself."""

from __future__ import annotations

from dataclasses import replace

from samestep.experiment.schedules.base import tidy

from ..causes import CAUSES, named
from ..causes.base import Cause
from ..causes.scale import Scale
from ..causes.warmup import Warmup
from ..infer.numbers import digits
from ..refute import Curve, Pair
from ..refute.claim import FEW_CLAIMS
from ..refute.estimate import is_regular, moves
from ..terms import SIDES
from .search import found, holding

FIRST = [named(name) for name in ("warmup", "scale", "factor", "period", "shift", "counter")]
"""Causes that are worth taking off, the likelier first."""

COVERED = 0.95
"""Fraction of one side's rows that two causes together must predict."""

MOST_DIGITS = 6
"""Digits of a factor that somebody wrote, and few digits of the rates may have left."""

MOST_ROWS = 8_000
"""Rows that are looked at while two causes are searched for; what is found is held against all of them."""


def pairs(pair: Pair) -> list[Cause]:
    """Two causes at once. The shorter to write comes first."""
    if not (is_regular(pair.a) and is_regular(pair.b)) or not moves(pair):
        return []  # noise is no schedule, whatever is taken off, nor is a rate that holds
    candidates: dict[frozenset[type[Cause]], tuple[int, Cause, Cause, Pair]] = {}
    thinned = _thinned(pair)
    for first, rest in (taken for kind in FIRST for taken in kind.taken_off(thinned)):
        for claim, _ in holding(rest, (cause for cause in CAUSES if cause.comes_second)):
            second = claim.cause
            kinds, length = frozenset({type(first), type(second)}), _length(first) + _length(second)
            known = candidates.get(kinds)
            if len(kinds) == 2 and not first.undone_by(second) and (known is None or length < known[0]):
                candidates[kinds] = length, first, second, rest
    shortest_first = sorted(candidates.values(), key=lambda candidate: candidate[0])
    both = (_both(pair, first, second, rest) for _, first, second, rest in shortest_first)
    return [cause for cause in both if cause is not None]


def _both(pair: Pair, first: Cause, second: Cause, thinned: Pair) -> Cause | None:
    """Two causes as one, looked at again with every row; None where that refutes them."""
    again = (rest for cause, rest in type(first).taken_off(pair) if cause == first and _keeps(pair, first, rest))
    rest = next(again, None)
    for claim, check in holding(rest, [type(second)]) if rest else ():
        also = found(thinned, claim, check)
        if check.covered < COVERED or not _is_paid(pair, first, also):
            return None
        return replace(first.settled(pair), residual_ulp32=check.residual_ulp32, second=also)
    return None


def _keeps(pair: Pair, first: Cause, rest: Pair) -> bool:
    """Whether nearly every row of both sides is looked at again: a warm-up's own were, and those that it delays."""
    begun = first.steps if isinstance(first, Warmup) else 0

    def rows(curve: Curve) -> int:
        return int((curve.rates.step >= begun).sum())

    return all(rows(rest.of(side)) >= COVERED * rows(pair.of(side)) - begun for side in SIDES)


def _is_paid(pair: Pair, first: Cause, second: Cause) -> bool:
    """Whether stairs show more changes than it takes numbers to explain them: a few drops can be moved onto any."""
    if any(isinstance(each, Scale) and digits(tidy(each.factor)) > MOST_DIGITS for each in (first, second)):
        return False  # any two rates have a ratio
    stairs = [curve for curve in (pair.a, pair.b) if curve.is_stepwise]
    numbers = sum(isinstance(each, int | float) for cause in (first, second) for each in cause.parameters.values())
    return all(len(curve.changes) > 2 * numbers for curve in stairs)


def _thinned(pair: Pair) -> Pair:
    """The same pair with at most `MOST_ROWS` rows a side."""

    def fewer(curve: Curve) -> Curve:
        apart = -(-len(curve.rates) // MOST_ROWS)
        return replace(curve, rates=curve.rates.rows(slice(None, None, apart))) if apart > 1 else curve

    return Pair(fewer(pair.a), fewer(pair.b), pair.clock, pair.ulp, FEW_CLAIMS)


def _length(cause: Cause) -> int:
    """Digits that it takes to write a cause's numbers."""
    numbers = [each for each in cause.parameters.values() if isinstance(each, int | float)]
    return sum(len(str(abs(each))) if isinstance(each, int) else digits(tidy(each)) for each in numbers)
