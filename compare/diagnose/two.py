"""Two causes at once: one is taken off, and the rest is looked at by itself."""

from __future__ import annotations

from dataclasses import replace

from samestep.experiment.schedules.base import tidy

from ..causes import CAUSES, named
from ..causes.base import Cause
from ..infer.numbers import digits
from ..refute import Curve, Pair
from ..refute.claim import FEW_CLAIMS
from ..refute.estimate import is_regular
from .search import found, holding

FIRST = [named(name) for name in ("warmup", "scale", "factor", "period", "shift", "counter")]
"""Causes that are worth taking off, the likelier first."""

MOST_ROWS = 8_000
"""Rows that are looked at while two causes are searched for; what is found is held against all of them."""


def pairs(pair: Pair) -> list[Cause]:
    """Two causes at once. The shorter to write comes first."""
    if not (is_regular(pair.a) and is_regular(pair.b)):
        return []  # noise is no schedule, whatever is taken off
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
    again = (rest for cause, rest in type(first).taken_off(pair) if cause == first)
    for claim, check in holding(next(again, thinned), [type(second)]):
        also = found(thinned, claim, check)
        return replace(first.settled(pair), residual_ulp32=check.residual_ulp32, second=also)
    return None


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
