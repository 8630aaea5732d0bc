"""Causes in which rows there are, where the rates agree: `gaps`, `length`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from compare.rates import Rates
from compare.refute.claim import SIDES, Pair


class Missing(NamedTuple):
    """How many steps a log lacks. first : the first of them; None where none is missing."""

    steps: int
    first: int | None


def gaps(pair: Pair) -> dict[str, Any] | None:
    """How many steps each side lacks of those that the other goes over, or repeats; None where neither does.

    A log of every tenth step lacks nothing: its rows are as far apart as the others. One that only ends earlier is
    told by `length`; where something else is missing as well, its end counts too.
    """
    sides = {side: (pair.of(side).rates, pair.other(side).rates) for side in SIDES}
    inside = {side: _missing(*both, ends=False) for side, both in sides.items()}
    repeated = {side: rates.repeated for side, (rates, _) in sides.items()}
    if not any(each.steps for each in inside.values()) and not any(repeated.values()):
        return None
    missing = {side: _missing(*both, ends=True) for side, both in sides.items()}
    found: dict[str, Any] = {f"missing_{side}": each.steps for side, each in missing.items()}
    found |= {f"repeated_{side}": count for side, count in repeated.items()}
    firsts = {side: each.first for side, each in missing.items() if each.first is not None}
    if firsts:
        found["step"] = min(firsts.values())
    return found | {f"step_{side}": first for side, first in firsts.items()}


def length(pair: Pair) -> dict[str, Any] | None:
    """The updates of each side, where one lasts longer by more than the distance of its rows."""
    last = {"steps_a": pair.a.last + 1, "steps_b": pair.b.last + 1}
    apart = abs(pair.a.last - pair.b.last)
    return last if apart >= max(_usual_distance(pair.a.rates), _usual_distance(pair.b.rates)) else None


def _usual_distance(rates: Rates) -> int:
    return int(np.median(np.diff(rates.step))) if len(rates) > 1 else 1


def _missing(rates: Rates, other: Rates, ends: bool) -> Missing:
    """Steps that a log should have had, judged by how far its rows usually lie apart.

    ends : whether those count that the other has after the log's last row. They are counted, never listed: a log may
    lack more steps than fit into memory.
    """
    usual = _usual_distance(rates)
    distances = np.diff(rates.step)
    if len(rates) < 3 or ((distances != usual).mean() > 0.3 and usual > 1):
        return Missing(0, None)
    count, firsts = 0, []
    far = max(usual, _usual_distance(other))
    if (late := int(rates.step[0] - other.step[0])) >= 2 * far:
        count += -(-late // usual)
        firsts.append(int(other.step[0]))
    wide = np.flatnonzero(distances >= 2 * usual)
    if len(wide):
        count += int(((distances[wide] - 1) // usual).sum())
        firsts.append(int(rates.step[wide[0]]) + usual)
    if ends and (early := int(other.step[-1] - rates.step[-1])) >= far:
        count += early // usual
        firsts.append(int(rates.step[-1]) + usual)
    return Missing(count, min(firsts, default=None))
