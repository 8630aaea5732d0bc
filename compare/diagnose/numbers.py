"""Two schedules that are known, compared number by number: the fewest changes that make one the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from ..causes.base import Cause
from ..causes.counter import Counter
from ..causes.extra_decay import ExtraDecay
from ..causes.factor import Factor
from ..causes.parameters import Parameters
from ..causes.period import Period
from ..causes.scale import Scale
from ..causes.unexplained import Unexplained
from ..causes.warmup import Warmup
from ..infer.numbers import digits
from ..rates import Rates
from ..refute import Claim, Pair, predict
from ..refute.claim import Check
from ..refute.solved import solved
from ..refute.written import Change, Written, between_rows, changes
from ..terms import SIDES, Side

MOST = 3
"""Numbers that may differ: with more, two schedules have little in common but their kind."""

SHORT = 4
"""Digits of a number, where it is one of several."""

MANY = 5
"""Digits of both values of a number, from which on a shorter number is looked for."""

MOST_ROWS = 200
"""Rows from which a number is solved for."""

Path = tuple[Change, ...]
Held = tuple[Path, Check]


def by_numbers(pair: Pair) -> list[Cause]:
    """The causes that the fewest numbers make, none refuted by any row; none where no schedule is known."""
    held = _between(pair) or _reversed(pair)
    if not held or min(map(_digits_of, held)) > MANY:
        held += [each for side in SIDES for each in _solved(pair, side)]
    return _distinct(_cause(pair, *each) for each in sorted(held, key=partial(_length, pair)))


def _between(pair: Pair) -> list[Held]:
    """What makes a's schedule b's, both being known; the fewest numbers that do."""
    a, b = pair.a.schedule, pair.b.schedule
    if a is None or b is None:
        return []
    last = max(pair.a.last, pair.b.last)
    ours, theirs = Written.of(a, last), Written.of(b, last)
    ours, theirs = between_rows(ours, theirs, pair.a.rates.step, pair.b.rates.step, last)
    paths: list[Path] = [()]
    for _ in range(MOST):
        paths = [(*path, each) for path in paths for each in _next(path, ours, theirs, last)]
        held = [(path, check) for path in paths if (check := _check(pair, path)) is not None]
        if held:
            scaled = [{change.name for change in path} - {"scale"} for path, _ in held if _has(path, "scale")]
            return [
                each
                for each in held
                if _is_likely(each[0])
                and _is_paid(pair, each[0])
                and not (_has(each[0], "peak") and {change.name for change in each[0]} - {"peak"} in scaled)
            ]
    return []


def _has(path: Path, name: str) -> bool:
    return len(path) > 1 and any(change.name == name for change in path)


def _reversed(pair: Pair) -> list[Held]:
    """What makes b's schedule a's, said the other way round: b's numbers may have more digits."""
    turned = replace(pair, a=pair.b, b=pair.a)
    plain = [held for held in _between(turned) if all(_is_a_number(change) for change in held[0])]
    return [(tuple(replace(each, a=each.b, b=each.a) for each in path), check) for path, check in plain]


def _is_a_number(change: Change) -> bool:
    return change.side is None and change.name not in ("scale", "counter", "drop", "aligned")


def _is_likely(path: Path) -> bool:
    """Whether several numbers are those that somebody wrote: few digits, and clearly not the same."""
    if len(path) < 2:
        return True
    pairs = [(a, b) for _, a, b in map(_number, path)]
    warm = [abs(a - b) for (a, b), change in zip(pairs, path, strict=True) if change.side]  # what a total may leave
    short = all(digits(float(each)) <= SHORT for pair in pairs for each in pair)
    return short and all(abs(a - b) > 0.01 * max(abs(a), abs(b)) or abs(a - b) in warm for a, b in pairs)


def _is_paid(pair: Pair, path: Path) -> bool:
    """Whether stairs change often enough to tell several numbers apart: one drop may be any of them."""
    changes = [len(each.changes) for each in (pair.a, pair.b) if each.is_stepwise]
    if len(path) < 2 or not changes:
        return True
    even = all(change.name in ("factor", "period") for change in path)  # one period is seen from the first change on
    several = [change for change in path if change.name not in ("scale", "peak")]  # which the first row shows
    return (max(changes) if even else min(changes)) >= len(several)


def _number(change: Change) -> tuple[str, float, float]:
    """The name of a change, and both its values."""
    a, b = change.a, change.b
    assert isinstance(a, int | float)
    assert isinstance(b, int | float)
    return change.name, a, b


def _solved(pair: Pair, side: Side) -> Iterator[Held]:
    """One number of the schedule that the other side follows, solved for from the rows of this one."""
    base, rates = pair.other(side), pair.of(side).rates
    if base.inferred is None or not np.ptp(rates.lr):
        return
    some = rates.rows(slice(None, None, -(-len(rates) // MOST_ROWS)))
    rows = Rates(base.inferred.looked_up(some.step), some.lr, some.rounding)
    for change in solved(Written.of(base.inferred.schedule, max(pair.a.last, pair.b.last)), rows):
        check = _check(pair, (change,), side)
        if check is not None:
            yield (change if side == "b" else replace(change, a=change.b, b=change.a),), check


def _next(path: Path, a: Written, b: Written, last: int) -> Iterator[Change]:
    """Changes that go on from some, of numbers that these do not name."""
    named = {change.name for change in path}
    for change in changes(path[-1].written if path else a, b, last):
        if change.name not in named and not ("scale" in named and change.name == "peak"):
            yield change


def _check(pair: Pair, path: Path, side: Side = "b") -> Check | None:
    """What is left of a side's rows; None where one refutes the other's schedule with these numbers."""
    try:
        schedule = path[-1].written.schedule()
        prediction = predict.scheduled(pair.other(side), schedule, pair.of(side))
        check = pair.check(Claim(Unexplained(), side, prediction))
    except ValueError:  # numbers that the vocabulary does not allow together
        return None
    return check if check.fits and check.evidence else None


def _length(pair: Pair, held: tuple[Path, Check]) -> tuple[int, int, int, int]:
    """Causes that a path is of, its numbers, lengths in it that neither has, and the digits that it takes to write."""
    path, check = held
    return len(_cause(pair, path, check).names), len(path), _strange(pair, path), _digits_of(held)


def _strange(pair: Pair, path: Path) -> int:
    """Lengths that only a step of the path has, as a total that another warm-up moved."""
    count = 0
    for side in SIDES:
        schedule = pair.of(side).schedule
        if schedule is not None:
            written = Written.of(schedule, max(pair.a.last, pair.b.last))
            own = {"total_steps": written.total, "decay_steps": written.decay}
            count += sum(own.get(each.name, value) != value for each in path if (value := getattr(each, side)))
    return count


def _digits_of(held: Held) -> int:
    return sum(_digits(change) for change in held[0])


def _digits(change: Change) -> int:
    return sum(digits(float(value)) for value in (change.a, change.b) if isinstance(value, int | float))


def _cause(pair: Pair, path: Path, check: Check) -> Cause:
    """A path as a cause: a warm-up that one lacks, a scale, and whatever numbers are left, each by its name."""
    causes: list[Cause] = []
    for change in path:
        _, a, b = _number(change)
        if change.name == "drop":
            factor = b if change.side == "b" else 1 / b
            causes.append(ExtraDecay(change.side or "b", int(a), factor))
        elif change.side is not None:
            steps = int(b if change.side == "b" else a)
            holds = change.written.kind == "constant"  # and so it has no place to be late
            causes.append(Warmup(change.side, steps, "aligned" if holds or change.name == "aligned" else "delayed"))
        elif change.name == "scale":
            causes.append(Scale(float(b)))
        elif change.name == "counter":
            causes.append(Counter(b))
    rest = [change for change in path if change.side is None and change.name not in ("scale", "counter")]
    causes += _of_numbers(rest)
    first, *others = (replace(cause.settled(pair), residual_ulp32=check.residual_ulp32) for cause in causes)
    for second in others[:1]:
        first = replace(first, second=second)
    return first


def _of_numbers(rest: list[Change]) -> list[Cause]:
    """Numbers as a cause: a factor or a length that is all has a name of its own."""
    if not rest:
        return []
    if len(rest) == 1:
        name, a, b = _number(rest[0])
        if name in ("total_steps", "period") or (name == "decay_steps" and not rest[0].written.stable):
            return [Period(a, b)]
        if name == "factor":
            return [Factor(factor_a=a, factor_b=b)]
        if name == "decay_rate":
            return [Factor(decay_rate_a=a, decay_rate_b=b)]
    return [Parameters(tuple(map(_number, rest)))]


def _said(cause: Cause) -> tuple[object, ...]:
    """What a cause says, in whatever order it names its numbers."""
    own = cause.numbers if isinstance(cause, Parameters) else (cause,)
    return own if cause.second is None else (*own, *_said(cause.second))


def _distinct(causes: Iterator[Cause]) -> list[Cause]:
    """Each once, and no more than a reader looks at."""
    found: list[Cause] = []
    for cause in causes:
        if all(set(_said(cause)) != set(_said(each)) for each in found):
            found.append(cause)
    return found[:3]
