"""Two causes at once: what is worth taking off first, so that the rest can be looked at by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compare.diagnose import tell
from compare.diagnose.causes import breaks, clocks, kinds
from compare.infer import Inferred
from compare.infer.numbers import shortest
from compare.rates import Rates
from compare.refute.claim import Claim, Pair, Side
from compare.refute.curve import Curve, Told

MOST_ROWS = 8_000
"""Rows that are looked at while two causes are searched for; what is found is held against all of them."""


MOST_CLAIMS = 40
"""Claims of each cause that are tried on what is left, the likelier first."""


@dataclass(frozen=True)
class First:
    """One of two causes, and what is left to compare once it is taken off."""

    name: str
    parameters: dict[str, Any]
    rest: Pair


def first_causes(pair: Pair, only: str | None = None) -> Iterator[First]:
    """Causes worth taking off, the likelier first: a warm-up, a scale, another clock, another decay.

    only : the name of the one that is wanted.
    """
    if only in (None, "warmup"):
        yield from _warmups(pair)
    for name, claims in FIRST.items():
        if only in (None, name):
            for claim in claims(pair):
                rest = _without(pair, claim)
                if rest is not None:
                    yield First(claim.name, dict(claim.parameters), rest)


def thinned(pair: Pair) -> Pair:
    """The same pair with at most `MOST_ROWS` rows a side."""

    def fewer(curve: Curve) -> Curve:
        apart = -(-len(curve.rates) // MOST_ROWS)
        return replace(curve, rates=curve.rates.rows(slice(None, None, apart))) if apart > 1 else curve

    return Pair(fewer(pair.a), fewer(pair.b), pair.clock, pair.ulp, MOST_CLAIMS)


def _without(pair: Pair, claim: Claim) -> Pair | None:
    """What a claim tells, beside what was observed; None where it tells too little."""
    kept = pair.of(claim.side)
    told = Told.on(kept.rates.step, claim.tell)
    if told is None:
        return None
    return _rest(pair, claim.side, kept, told)


def _rest(pair: Pair, side: Side, ours: Curve, theirs: Curve) -> Pair:
    """A pair in which `ours` takes one side's place."""
    a, b = (ours, theirs) if side == "a" else (theirs, ours)
    return Pair(a, b, pair.clock, pair.ulp, MOST_CLAIMS)


def _warmups(pair: Pair) -> Iterator[First]:
    """A head that rises to the highest rate, and what follows it: from the other's first step on, or beside it."""
    for side in breaks.LATE_FIRST:
        warming, other = pair.of(side), pair.other(side)
        for steps, then in _heads_of(warming):
            after = warming.rates.rows(warming.rates.step >= steps)
            if steps < 2 or len(after) < 3 or not _rises(warming, steps):
                continue
            for way, delay in (("delayed", steps), ("aligned", 0)):
                began = Rates(after.step - delay, after.lr, after.rounding)
                theirs = other.rates.rows(other.rates.step >= steps - delay)
                if len(theirs) < 3:
                    continue
                changed, kept = Curve(began, then if delay else None), Curve(theirs, other.inferred)
                parameters = {"side": side, "steps": steps, "then": way}
                yield First("warmup", parameters, _rest(pair, side, changed, kept))


def _heads_of(warming: Curve) -> Iterator[tuple[int, Inferred | None]]:
    """How long a warm-up may be, with the schedule after it: as inferred, or up to the highest rate."""
    inferred = warming.inferred
    if inferred is not None and inferred.schedule.kind == "warmup":
        yield int(inferred.schedule.over.count), replace(inferred, schedule=inferred.schedule.then)
    yield int(warming.rates.step[int(warming.rates.lr.argmax())]), None


def _rises(warming: Curve, steps: int) -> bool:
    """Whether the rows before `steps` are a straight line up to the rate there, or one lower rate."""
    rows = warming.rates.rows(warming.rates.step < steps)
    for head in breaks.heads(warming, steps, warming.at(np.array([steps]))):
        told = head(rows.step)
        if (np.abs(told.value - rows.lr) <= told.allowed() + rows.rounding).all():
            return True
    return False


def _scales(pair: Pair) -> list[Claim]:
    """Ratios of the first rates, of the highest, and of the last."""
    step = np.array([pair.b.rates.step[0], pair.b.rates.step[-1]])
    theirs = pair.a.at(step)
    ratios = [pair.b.peak / pair.a.peak] if pair.a.peak else []
    ratios += [
        float(mine / told)
        for mine, told, slack in zip(pair.b.rates.lr[[0, -1]], theirs.value, theirs.slack, strict=True)
        if told > 0 and slack < told
    ]
    found = [shortest(ratio, 1e-6 * ratio) for ratio in ratios if np.isfinite(ratio) and ratio > 0]
    return [Claim("scale", {"factor": c}, "b", tell.times(pair.a, c)) for c in dict.fromkeys(found) if c != 1]


def _shifts(pair: Pair) -> list[Claim]:
    found = [1, -1, 2, -2]
    if pair.clock is not None:
        found += [pair.clock.steps_per_epoch, -pair.clock.steps_per_epoch]
    found += [ours - theirs for ours, theirs in zip(_landmarks(pair.a), _landmarks(pair.b), strict=True)]
    return [Claim("shift", {"steps": k}, "b", tell.moved(pair.a, k)) for k in dict.fromkeys(found) if k]


def _counters(pair: Pair) -> list[Claim]:
    claims = []
    for fast, slow in clocks.FAST_AND_SLOW:
        if not np.ptp(pair.of(slow).rates.lr):
            continue
        found = [2, 4, 8, 16, 32]
        if pair.clock is not None:
            found.insert(0, pair.clock.steps_per_epoch)
        for quick, late in zip(_landmarks(pair.of(fast)), _landmarks(pair.of(slow)), strict=True):
            if quick > 0 and late >= 2 * quick:
                found.insert(0, round(late / quick))
        for f in dict.fromkeys(found):
            if f >= 2:
                factor = f if fast == "b" else 1 / f
                slower = clocks.scheduled_slower(pair, fast, slow, f) or tell.slowed(pair.of(fast), f)
                claims.append(Claim("counter", {"factor": factor}, slow, slower, extrapolates=True))
    return claims


def _landmarks(curve: Curve) -> list[int]:
    """Steps that a schedule can be known by whatever its size: first change, highest and lowest rate, last change."""
    steps, lr = curve.rates.step, curve.rates.lr
    first = int(steps[curve.changes[0]]) if len(curve.changes) else 0
    last = int(steps[curve.changes[-1]]) if len(curve.changes) else 0
    return [first, int(steps[lr.argmax()]), int(steps[lr.argmin()]), last]


FIRST: dict[str, Callable[[Pair], Iterable[Claim]]] = {
    "scale": _scales,
    "factor": kinds.factor,
    "period": kinds.period_as_inferred,
    "shift": _shifts,
    "counter": _counters,
}
"""Causes that are taken off by what they claim, the likelier first."""
