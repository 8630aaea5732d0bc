"""Whether two runs follow the same schedule, where they first differ, and why: pure functions on arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import CosineDecay, ExponentialDecay, Schedule, Warmup, float32_error

from ..causes.base import Cause
from ..causes.counter import Counter
from ..causes.factor import Factor
from ..causes.family import Family
from ..causes.never_falls import NeverFalls
from ..causes.parameters import Parameters
from ..causes.period import Period
from ..causes.scale import Scale
from ..causes.shift import Shift
from ..causes.staircase import Staircase
from ..causes.unexplained import Unexplained
from ..infer import Inferred, infer
from ..rates import Rates
from ..refute import Curve, Pair
from ..refute.claim import Difference, Tolerance
from ..refute.estimate import decay_of
from ..terms import SIDES, Side, Verdict, other
from ..tolerance import ULP32, relative_difference, ulp32_difference
from .numbers import by_numbers
from .search import of_equal, since, single
from .two import pairs

ONE_NUMBER = (Shift, Counter, Scale, Staircase, Factor, Period)
"""Causes of one number, which say more than a number of a schedule does."""


FEW = 3
"""Steps that both have, from which on rates that agree there say more than what was inferred between them."""

NONE_GIVEN: Mapping[Side, Inferred] = {}


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


def diagnose(
    a: Rates, b: Rates, clock: Clock | None = None, ulp: float = ULP32, given: Mapping[Side, Inferred] = NONE_GIVEN
) -> Diagnosis:
    """Name the cause of the difference of two runs.

    clock : gives steps per epoch; without it a counter's factor keeps its reading `unknown`.
    ulp : float32 ULP within which two rates are the same.
    given : the schedule of a side that is one, asked at any step.
    Never raises for valid `Rates`.
    """
    with np.errstate(all="ignore"):
        pair = _pair(a, b, clock, ulp, given)
        side: Side = "b" if len(b) <= len(a) else "a"
        ours, theirs = pair.of(side).rates, pair.other(side).at(pair.of(side).rates.step)
        known = np.isfinite(theirs.slack)
        compared, lr, value = int(known.sum()), ours.lr[known], theirs.value[known]
        max_ulp32 = float(ulp32_difference(lr, value).max(initial=0.0))
        open_between = pair.any_differs and not given and _only_between(pair)
        found = _causes(pair) if compared and not open_between else []
        vague = compared and not open_between and all(isinstance(cause, Family) for cause in found)
        for alike in filter(None, (_alike_after(pair), *_in_epochs(pair))) if vague else ():
            if (better := _causes(alike)) and not isinstance(better[0], Family):
                pair, found = alike, better
                break
        cause, *also = found or [Unexplained(residual_ulp32=max_ulp32)]
        tolerances = filter(None, map(pair.tolerance, SIDES))
        decays = [decay for each in (pair.a, pair.b) if (decay := decay_of(each.schedule)) is not None]
        return Diagnosis(
            verdict=cause.verdict if compared and not open_between else "inconclusive",
            compared=compared,
            ulp32=ulp,
            drift_per_decay=max((float32_error(decay.factor) for decay in decays), default=0.0),
            max_ulp32=max_ulp32,
            max_relative=float(relative_difference(lr, value).max(initial=0.0)),
            first_difference=None if open_between else _first_difference(pair),
            cause=cause,
            also_possible=tuple(also),
            inferred_a=pair.a.inferred,
            inferred_b=pair.b.inferred,
            tolerance=max(tolerances, key=lambda tolerance: tolerance.applied.used, default=None),
        )


def _causes(pair: Pair) -> list[Cause]:
    """Those that hold, the simplest first; none where nothing explains the rows."""
    if not pair.any_differs:
        return [of_equal(pair)]
    singles, numbers = single(pair), by_numbers(pair)
    if any(isinstance(cause, NeverFalls) for cause in singles):
        singles += filter(None, [Family.of(pair)])
    if singles and (isinstance(singles[0], ONE_NUMBER) or not numbers) and not _says_more(pair, numbers, singles[0]):
        return [*singles, *(each for each in numbers if each not in singles)]
    return [*numbers, *singles] or since(pair) or pairs(pair) or list(filter(None, [Family.of(pair)]))


def _says_more(pair: Pair, numbers: list[Cause], single: Cause) -> bool:
    """Whether a warm-up of another length is all: where nothing else has a length, it is no faster clock."""
    first = numbers[0] if numbers else None
    if isinstance(single, Shift) and abs(single.steps) == 1:
        return False  # what a log is off by
    if not all(_comes_to_the_top(pair, side) for side in SIDES):
        return False  # a way up that is not over is as long as its clock is slow
    known = isinstance(single, Counter) and single.reading != "unknown"
    return isinstance(first, Parameters) and first.names_of_numbers == ("warmup_steps",) and not known


def _comes_to_the_top(pair: Pair, side: Side) -> bool:
    """Whether a side comes to the highest rate of both, or falls from its own, which rows far apart may not show."""
    curve = pair.of(side)
    return curve.peak >= 0.999 * max(pair.a.peak, pair.b.peak) or bool(curve.rates.lr[-1] < 0.999 * curve.peak)


def _pair(a: Rates, b: Rates, clock: Clock | None, ulp: float, given: Mapping[Side, Inferred]) -> Pair:
    """Both with the schedules that they follow; two logs with the same bits follow one."""
    ours = given.get("a") or infer(a, clock)
    alike = not given and len(a) == len(b) and np.array_equal(a.step, b.step) and np.array_equal(a.lr, b.lr)
    theirs = ours if alike else given.get("b") or infer(b, clock)
    at_peak = ours is None and theirs is None  # else the one that is known says how float32 rounds
    endless = {side: side in given and given[side].schedule.after_end != "error" for side in SIDES}
    epoch = clock.steps_per_epoch if clock else 1
    one = Curve(a, ours, at_peak, endless["a"], epoch)
    return Pair(one, Curve(b, theirs, at_peak, endless["b"], epoch), clock, ulp)


def _alike_after(pair: Pair) -> Pair | None:
    """A cosine that was not seen to its end climbs after it, where the other one does; None where that changes nothing.

    Transformers' does, and so does PyTorch's; Keras' and what is typed hold.
    """
    for side in SIDES:
        curve, theirs = pair.of(side), pair.other(side).schedule
        if curve.inferred is None or curve.shows_end or curve.is_endless:
            continue
        schedule = curve.inferred.schedule
        body, climbing = _body(schedule), _body(theirs)
        if not (isinstance(body, CosineDecay) and isinstance(climbing, CosineDecay)):
            continue
        if (body.after, climbing.after) == ("hold", "rise"):
            body = body.model_copy(update={"after": "rise"})
            whole = schedule.model_copy(update={"then": body}) if isinstance(schedule, Warmup) else body
            changed = replace(curve, inferred=replace(curve.inferred, schedule=whole))
            return replace(pair, a=changed) if side == "a" else replace(pair, b=changed)
    return None


def _body(schedule: Schedule | None) -> Schedule | None:
    """What follows a warm-up, or the whole."""
    return schedule.then if isinstance(schedule, Warmup) else schedule


def _in_epochs(pair: Pair) -> Iterator[Pair]:
    """One side looked up once per epoch, where its rows leave that open: all lie at the beginnings of epochs."""
    for side in SIDES:
        ours, theirs, steps = pair.of(side).inferred, pair.other(side).inferred, pair.of(side).rates.step
        if ours is None or ours.steps_per_epoch > 1:
            continue
        sizes = [1 if theirs is None else theirs.steps_per_epoch, pair.clock.steps_per_epoch if pair.clock else 1]
        if isinstance(ours.schedule, ExponentialDecay):  # once for each factor
            sizes.append(int(ours.schedule.every.count))
        for size in dict.fromkeys(sizes):
            if size > 1 and not (steps % size).any():
                looked_up = replace(ours, stepping="epoch", steps_per_epoch=size)
                curve = replace(pair.of(side), inferred=looked_up)
                yield replace(pair, a=curve) if side == "a" else replace(pair, b=curve)


def _only_between(pair: Pair) -> bool:
    """Whether every row of the side with fewer agrees, so that both differ only from what was inferred between them."""
    side: Side = "b" if len(pair.b.rates) <= len(pair.a.rates) else "a"
    dense = other(side)
    shared = pair.of(side).has(pair.of(dense).rates.step)
    return int(pair.same[side].sum()) >= FEW and not (pair.differs[side].any() or (shared & pair.differs[dense]).any())


def _first_difference(pair: Pair) -> Difference | None:
    """The first update at which a row of either differs, with both rates there; None where none does."""
    firsts = [
        (int(pair.of(side).rates.step[int(pair.differs[side].argmax())]), len(pair.of(side).rates), side)
        for side in SIDES
        if pair.differs[side].any()
    ]
    if not firsts:
        return None
    step, _, side = min(firsts)
    asked = np.array([step])
    both = {each: float(pair.of(each).at(asked).value[0]) for each in (side, other(side))}
    return Difference(step, both["a"], both["b"])
