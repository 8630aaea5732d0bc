"""Causes in which rows there are, where the rates agree: `gaps`, `length`."""

from __future__ import annotations

from typing import Any

import numpy as np

from compare.diagnose.claim import Pair
from compare.diagnose.rates import Rates


def gaps(pair: Pair) -> dict[str, Any] | None:
    """How many steps each side lacks within the other's range, or repeats; None where neither does.

    A log of every tenth step lacks nothing: its rows are as far apart as the others.
    """
    missing = {side: _missing(pair.of(side).rates, pair.other(side).rates) for side in ("a", "b")}
    found = {
        "missing_a": len(missing["a"]),
        "missing_b": len(missing["b"]),
        "repeated_a": pair.a.rates.repeated,
        "repeated_b": pair.b.rates.repeated,
    }
    if not any(found.values()):
        return None
    first = [int(each[0]) for each in missing.values() if len(each)]
    return found | ({"step": min(first)} if first else {})


def length(pair: Pair) -> dict[str, Any] | None:
    """The updates of each side, where one lasts longer by more than the distance of its rows."""
    last = {"steps_a": pair.a.last + 1, "steps_b": pair.b.last + 1}
    apart = abs(pair.a.last - pair.b.last)
    return last if apart >= max(_usual_distance(pair.a.rates), _usual_distance(pair.b.rates)) else None


def _usual_distance(rates: Rates) -> int:
    return int(np.median(np.diff(rates.step))) if len(rates) > 1 else 1


def _missing(rates: Rates, other: Rates) -> np.ndarray:
    """Steps that a log should have had, judged by how far its rows usually lie apart."""
    usual = _usual_distance(rates)
    distances = np.diff(rates.step)
    if len(rates) < 3 or ((distances != usual).mean() > 0.3 and usual > 1):
        return np.zeros(0, dtype=np.int64)
    wide = np.flatnonzero(distances >= 2 * usual)
    lost = [np.arange(rates.step[row] + usual, rates.step[row + 1], usual) for row in wide]
    if rates.step[0] - other.step[0] >= 2 * max(usual, _usual_distance(other)):
        lost.insert(0, np.arange(other.step[0], rates.step[0], usual))
    return np.concatenate([np.zeros(0, dtype=np.int64), *lost])
