"""Causes in the size of the rate: `scale`, `floor`."""

from __future__ import annotations

from collections.abc import Iterator

from compare.diagnose import tell
from compare.infer.numbers import shortest
from compare.refute.claim import SIDES, Claim, Pair
from compare.refute.estimate import constant_ratios, first_apart


def scale(pair: Pair) -> Iterator[Claim]:
    """b = c * a at every step."""
    for side in sorted(SIDES, key=lambda each: len(pair.of(each).rates)):  # told at rows that the other has as well
        rows, other = pair.of(side).rates, pair.other(side)
        for ratio in constant_ratios(rows, other.at(rows.step)):
            factor = ratio if side == "b" else 1 / ratio
            yield Claim("scale", {"factor": factor}, side, tell.times(other, ratio))


def floor(pair: Pair) -> Iterator[Claim]:
    """Equal until one stops falling at its lowest rate: y = max(x, f)."""
    for side in SIDES:
        apart = first_apart(pair, side)
        if apart is None or apart[0] < 0:
            continue
        lowest = float(pair.of(side).rates.lr.min())
        resting = pair.of(side).rates.lr == lowest
        if resting.sum() < 2 or resting.all() or not lowest:
            continue
        rate = shortest(lowest, 3e-7 * lowest)
        yield Claim("floor", {"side": side, "rate": rate}, side, tell.floored(pair.other(side), rate))
