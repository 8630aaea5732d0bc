"""A schedule in the numbers that people write, and the same with one of them changed.

A warm-up, perhaps a stable phase, and what follows: `Written.of` takes a schedule apart, `Written.schedule` puts it
together. `changes` lists what would bring one schedule a number nearer to another, each as a person would change it: a
longer warm-up that leaves the total, or one that leaves the decay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, product

import numpy as np

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import (
    Clip,
    Constant,
    CosineCycles,
    CosineDecay,
    CosineRestarts,
    Cyclic,
    ExponentialDecay,
    Linear,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    Product,
    Schedule,
    ScheduleModel,
    Sequence,
    Warmup,
)
from samestep.experiment.schedules.base import tidy

from ..infer.numbers import digits, tidy_whole
from ..terms import Side

MOST_STAIRS = 40
"""Changes of a staircase that are looked at as a list at most."""

NAMES: dict[str, dict[str, str]] = {
    "constant": {"initial": "peak"},
    "polynomial": {"initial": "peak", "end": "last_rate", "over": "decay_steps", "power": "power"},
    "cosine": {"initial": "peak", "floor": "last_rate", "over": "decay_steps"},
    "exponential": {"initial": "peak", "factor": "factor", "every": "period"},
    "inverse-time": {"initial": "peak", "decay_rate": "decay_rate", "every": "period"},
    "power": {"initial": "peak", "end": "last_rate", "over": "decay_steps", "power": "power"},
    "inverse-sqrt": {"initial": "peak", "timescale": "timescale", "power": "power"},
    "cosine-cycles": {"initial": "peak", "floor": "last_rate", "over": "decay_steps", "cycles": "cycles"},
    "cosine-restarts": {"initial": "peak", "floor": "last_rate", "first": "period", "t_mul": "t_mul", "m_mul": "m_mul"},
    "one-cycle": {
        "max_lr": "peak",
        "div_factor": "div_factor",
        "final_div_factor": "final_div_factor",
        "pct_start": "pct_start",
        "over": "total_steps",
    },
}
"""The number that each field of a kind is, by its name. Other kinds are compared as a whole."""

RATES = ("initial", "end", "floor", "max_lr")
"""Fields that are rates."""

LINE = "linear", False, False
"""The warm-up of most: a line, before what follows."""

OVER = "linear", True, False
"""A line that lies over the beginning of what follows."""

RAMP = "ramp", True, False
"""A warm-up that multiplies the first rates of what it lies over, from the factor `start` to 1."""

Value = float | int | tuple[int, ...] | None


@dataclass(frozen=True)
class Stairs:
    """Drops at milestones, each by the same factor: the form that step and multi-step schedules share."""

    initial: float
    factor: float
    milestones: tuple[int, ...]
    kind: str = "stairs"

    @classmethod
    def of(cls, schedule: Schedule, last: int) -> Stairs | None:
        """The stairs of a schedule up to step `last`; None where its drops differ."""
        if isinstance(schedule, ExponentialDecay) and schedule.staircase:
            every = int(schedule.every.count)
            milestones = tuple(range(every, last + 1, every))
            return cls(schedule.initial, schedule.factor, milestones) if len(milestones) <= MOST_STAIRS else None
        if not isinstance(schedule, PiecewiseConstant):
            return None
        values, milestones = schedule.values, tuple(int(each.count) for each in schedule.boundaries)
        if len(milestones) > MOST_STAIRS or not all(values[:-1]):
            return None
        factors = [then / now for now, then in pairwise(values)]
        alike = max(factors) - min(factors) <= 1e-4 * max(factors)
        return cls(values[0], tidy(factors[0]), milestones) if alike else None

    def schedule(self) -> Schedule:
        """As a piecewise constant one."""
        if not self.milestones:
            return Constant(initial=self.initial)
        values = tuple(tidy(self.initial * self.factor**count) for count in range(len(self.milestones) + 1))
        boundaries = tuple(Duration(Fraction(each), "steps") for each in self.milestones)
        return PiecewiseConstant(boundaries=boundaries, values=values)


@dataclass(frozen=True)
class Written:
    """A schedule as people write it.

    warm : steps of the warm-up, 0 for none, from the rate `start`, of the form `how`. stable : steps that it then holds
    its peak. body : what follows; all durations in steps. lowest : the rate that it never falls below, 0 for none.
    """

    body: ScheduleModel | Stairs
    warm: int = 0
    start: float = 0.0
    stable: int = 0
    how: tuple[str, bool, bool] = LINE
    lowest: float = 0.0

    @classmethod
    def of(cls, schedule: Schedule, last: int) -> Written:
        """A schedule taken apart; what its rates show up to step `last`."""
        if isinstance(schedule, Clip):
            return replace(cls.of(schedule.of, last), lowest=schedule.lowest)
        warm, start, body = _warmup(schedule, last)
        stable, body = _stable(body)
        if isinstance(body, Linear):
            body = PolynomialDecay(initial=body.initial, end=body.end, power=1.0, over=body.over, cycle=False)
        how = (schedule.curve, schedule.overlaps, schedule.joins) if isinstance(schedule, Warmup) else LINE
        if isinstance(schedule, Product) and warm:
            how = RAMP
        return cls(body, warm, start, stable, how)

    def schedule(self) -> Schedule:
        """All of it together. Raises ValueError for what the vocabulary cannot say."""
        then: Schedule = self.body.schedule() if isinstance(self.body, Stairs) else self.body  # type: ignore[assignment]
        if self.stable:
            flat = Constant(initial=float(then.rate(0, Clock.STEPS)))
            then = Sequence(schedules=(flat, then), milestones=(_steps(self.stable),))
        if self.warm and self.how == RAMP:
            then = Product(schedules=(then, Linear(initial=self.start, end=1.0, over=_steps(self.warm))))
        elif self.warm:
            how = dict(zip(("curve", "overlaps", "joins"), self.how, strict=True))
            then = Warmup(initial=self.start, over=_steps(self.warm), then=then, **how)  # type: ignore[arg-type]
        return Clip(lowest=self.lowest, of=then) if self.lowest else then

    def stairs(self, last: int) -> Written | None:
        """With its body as stairs; None where it is none."""
        if isinstance(self.body, Stairs):
            return self
        overlaps = self.how == OVER
        found = Stairs.of(self.body, last - (0 if overlaps else self.warm))  # type: ignore[arg-type]
        if found is None or not overlaps:
            return None if found is None else replace(self, body=found)
        if min(found.milestones, default=self.warm + 1) <= self.warm:
            return None  # the warm-up leads to a later stair
        later = replace(found, milestones=tuple(each - self.warm for each in found.milestones))
        return replace(self, body=later, how=LINE)

    @property
    def kind(self) -> str:
        """Of what follows the warm-up."""
        return str(vars(self.body)["kind"])

    @property
    def peak(self) -> float:
        """The rate after the warm-up."""
        return float(vars(self.body).get("initial", vars(self.body).get("max_lr", 0.0)))

    @property
    def decay(self) -> int:
        """Steps from the peak to the end; 0 where there is no end."""
        over = vars(self.body).get("over")
        return 0 if over is None or "decay_steps" not in NAMES.get(self.kind, {}).values() else int(over.count)

    @property
    def total(self) -> int:
        """Steps until the end; 0 where there is none."""
        return self.decay and self.decay + (0 if self.how[1] else self.warm + self.stable)

    @property
    def warm_as_written(self) -> int:
        """Steps of the warm-up: one more where its first step is a part of the way already, and that is rounder.

        ``(n + 1) / w`` is at 1 at step w - 1.
        """
        return self.warm + 1 if self.starts_at_1 and digits(self.warm + 1) < digits(self.warm) else self.warm

    @property
    def starts_at_1(self) -> bool:
        """Whether the first step of the warm-up is a part of the way already."""
        return bool(self.warm) and _alike(self.start * (self.warm + 1), self.peak)

    def lasting(self, decay: int) -> Written:
        """With a decay of so many steps. Raises ValueError for fewer than 1."""
        return self.with_body(over=_steps(decay))

    def with_body(self, **fields: object) -> Written:
        """With other fields of what follows the warm-up."""
        if isinstance(self.body, Stairs):
            return replace(self, body=replace(self.body, **fields))  # type: ignore[arg-type]
        return replace(self, body=self.body.model_copy(update=fields))

    def durations(self) -> Iterator[tuple[str, int]]:
        """Every duration by its name, without those that there are not."""
        yield from ((name, count) for name, count in (("warm", self.warm), ("stable", self.stable)) if count)
        for name, value in vars(self.body).items():
            if isinstance(value, Duration):
                yield name, int(value.count)

    def rates(self) -> dict[str, float]:
        """Every rate of what follows the warm-up, by its field."""
        return {name: float(value) for name, value in vars(self.body).items() if name in RATES}

    def times(self, factor: float) -> Written:
        """With every rate multiplied."""
        scaled = {name: tidy(rate * factor) for name, rate in self.rates().items()}
        return replace(self.with_body(**scaled), start=tidy(self.start * factor))


@dataclass(frozen=True)
class Change:
    """One number, as both have it, and the schedule of a with b's.

    side : the only one that has it, for a warm-up that the other lacks.
    """

    name: str
    a: Value
    b: Value
    written: Written
    side: Side | None = None


def changes(a: Written, b: Written, last: int) -> Iterator[Change]:
    """What would bring a one number nearer to b, each as a person would change it; none for different kinds."""
    if a.kind != b.kind:
        a, b = _as_line(a), _as_line(b)
        a, b = _as_cycles(a, b), _as_cycles(b, a)
    if a.kind != b.kind or a.kind not in NAMES:
        ours, theirs = a.stairs(last), b.stairs(last)
        if ours is None or theirs is None:
            yield from _of_levels(a, b)
            return
        a, b = ours, theirs
    yield from _of_clock(a, b)
    yield from _of_warmup(a, b)
    yield from _of_lengths(a, b)
    yield from _of_rates(a, b)
    if not _alike(a.lowest, b.lowest):
        yield Change("lowest_rate", a.lowest, b.lowest, replace(a, lowest=b.lowest))
    yield from _of_stairs(a, b) if isinstance(a.body, Stairs) and isinstance(b.body, Stairs) else _of_body(a, b)


def _as_line(written: Written) -> Written:
    """A one-cycle policy of two lines as a warm-up and a decay; any other as it is."""
    cycle = written.body
    if not (isinstance(cycle, OneCycle) and cycle.anneal_strategy == "linear" and not cycle.three_phase):
        return written
    total = int(cycle.over.count) - 1
    warm = cycle.pct_start * (total + 1) - 1
    if warm != round(warm) or not 1 <= warm < total:
        return written
    start = tidy(cycle.max_lr / cycle.div_factor)
    down = PolynomialDecay(
        initial=cycle.max_lr,
        end=tidy(start / cycle.final_div_factor),
        power=1.0,
        over=_steps(total - round(warm)),
        cycle=False,
    )
    return Written(down, round(warm), start)


def _as_cycles(written: Written, other: Written) -> Written:
    """Half a cosine as one cycle, and restarts as several in the other's length; any other as it is."""
    body, theirs = written.body, other.body
    if not isinstance(theirs, CosineCycles | CosineDecay | CosineRestarts):
        return written
    if isinstance(body, CosineDecay) and body.after == "hold":
        return replace(written, body=CosineCycles(initial=body.initial, floor=body.floor, over=body.over, cycles=1.0))
    if isinstance(body, CosineRestarts) and body.t_mul == body.m_mul == 1 and not isinstance(theirs, CosineRestarts):
        cycles = theirs.over.count / body.first.count
        if cycles == round(cycles):
            cycled = CosineCycles(initial=body.initial, floor=body.floor, over=theirs.over, cycles=float(cycles))
            return replace(written, body=cycled)
    return written


def _of_clock(a: Written, b: Written) -> Iterator[Change]:
    """Every duration, by one ratio."""
    ours, theirs = (dict(each.durations()) for each in (a, b))
    ours.pop("timescale", None)  # mostly the warm-up's length
    if a.how != b.how or ours.keys() != theirs.keys() or len(ours) < 2:
        return
    ratios = {Fraction(ours[name], theirs[name]) for name in ours}
    if len(ratios) == 1 and ratios != {1}:
        factor = float(ratios.pop())
        same_rates = replace(b, start=a.start).with_body(**a.rates())
        yield Change("counter", 1, factor, same_rates)


def _of_warmup(a: Written, b: Written) -> Iterator[Change]:
    if bool(a.warm) != bool(b.warm):
        side: Side = "a" if a.warm else "b"
        changed = replace(a, warm=b.warm, start=b.start, how=b.how)
        yield Change("delayed", a.warm, b.warm, changed, side)
        if a.stable > b.warm - a.warm:  # it holds the peak so much shorter
            yield Change("aligned", a.warm, b.warm, replace(changed, stable=a.stable + a.warm - b.warm), side)
        return
    if a.how != b.how:
        return
    if a.warm != b.warm:
        yield from _of_warmup_steps(a, b)
    if a.warm and b.warm and not _alike(a.start, b.start, 1e-4):  # written with the digits of a low rate
        yield Change("warmup_start", a.start, b.start, replace(a, start=b.start))


def _of_warmup_steps(a: Written, b: Written) -> Iterator[Change]:
    """Another length, which leaves the total, the decay, the stable phase's end or the milestones where they are."""
    said = a.warm_as_written, b.warm_as_written
    if said[0] == said[1]:
        return  # one of them begins a step later
    begun = [a.start] if said == (a.warm, b.warm) else [tidy(a.peak / said[1])]
    tied = [b.start] if a.starts_at_1 and b.starts_at_1 else []  # (n + 1) / (w + 1), as nanoGPT has it
    for start in dict.fromkeys((*begun, a.start, *tied)):
        changed = replace(a, warm=b.warm, start=start)
        if a.stable > b.warm - a.warm:
            yield Change("warmup_steps", *said, replace(changed, stable=a.stable - b.warm + a.warm))
        for decay in dict.fromkeys((a.total and a.total - a.stable - b.warm, a.decay)):
            yield Change("warmup_steps", *said, changed.lasting(decay) if decay > 0 and not a.how[1] else changed)
        if "timescale" in vars(a.body) and "timescale" in vars(b.body):
            scale = b.peak * vars(b.body)["timescale"].count ** 0.5 / (a.peak * vars(a.body)["timescale"].count ** 0.5)
            peak = b.peak if _alike(scale, 1.0) else a.peak  # Noam's peak follows from its warm-up
            start = tidy(b.start * peak / b.peak)
            both = changed.with_body(initial=peak, timescale=vars(b.body)["timescale"])
            yield Change("warmup_steps", *said, replace(both, start=start))
        if isinstance(a.body, Stairs):  # the warm-up lies before milestones that count from step 0
            moved = tuple(each + a.warm - b.warm for each in a.body.milestones)
            if moved and moved[0] > 0:
                yield Change("warmup_steps", *said, changed.with_body(milestones=moved))


def _of_lengths(a: Written, b: Written) -> Iterator[Change]:
    if a.decay and b.decay and b.total != a.total:
        rest = b.total - a.warm - a.stable
        if rest > 0:
            yield Change("total_steps", a.total, b.total, a.lasting(rest))
    if a.decay and b.decay and a.decay != b.decay:
        yield Change("decay_steps", a.decay, b.decay, a.lasting(b.decay))
    if a.stable and b.stable and a.stable != b.stable:
        end = a.total - a.warm - b.stable
        if end > 0:
            yield Change("decay_steps", a.decay, end, replace(a, stable=b.stable).lasting(end))
        yield Change("stable_steps", a.stable, b.stable, replace(a, stable=b.stable))


def _of_rates(a: Written, b: Written) -> Iterator[Change]:
    if not (a.peak and b.peak) or _alike(a.peak, b.peak):
        return
    ratio = b.peak / a.peak
    if not (math.isfinite(ratio) and 1e-12 < ratio < 1e12):
        return
    yield Change("scale", 1.0, tidy(ratio), a.times(ratio))
    field = "max_lr" if "max_lr" in vars(a.body) else "initial"
    for start in dict.fromkeys((a.start, tidy(a.start * ratio))):
        yield Change("peak", a.peak, b.peak, replace(a.with_body(**{field: b.peak}), start=start))


def _of_body(a: Written, b: Written) -> Iterator[Change]:
    assert isinstance(a.body, ScheduleModel)
    assert isinstance(b.body, ScheduleModel)
    for field, name in NAMES.get(a.kind, {}).items():
        ours, theirs = getattr(a.body, field), getattr(b.body, field)
        if name in ("peak", "decay_steps") or ours == theirs:
            continue
        if isinstance(ours, Duration):
            yield Change(name, int(ours.count), int(theirs.count), a.with_body(**{field: theirs}))
        elif not _alike(ours, theirs):
            yield Change(name, ours, theirs, a.with_body(**{field: theirs}))


def _of_stairs(a: Written, b: Written) -> Iterator[Change]:
    assert isinstance(a.body, Stairs)
    assert isinstance(b.body, Stairs)
    ours, theirs = ([each + side.warm for each in side.body.milestones] for side in (a, b))  # type: ignore[union-attr]
    if a.body.milestones and b.body.milestones and not _alike(a.body.factor, b.body.factor):
        yield Change("factor", a.body.factor, b.body.factor, a.with_body(factor=b.body.factor))
    only = [(one, other) for one, other in zip(ours, theirs, strict=False) if one != other]
    changed = a.with_body(milestones=tuple(each - a.warm for each in theirs))
    if len(ours) == len(theirs) and len(only) == 1:
        yield Change("milestone", *only[0], changed)
    if not only and abs(len(ours) - len(theirs)) == 1:
        side: Side = "a" if len(ours) > len(theirs) else "b"
        yield Change("drop", max(ours, theirs, key=len)[-1], b.body.factor, changed, side)


def _of_levels(a: Written, b: Written) -> Iterator[Change]:
    """The only boundary that differs, of two lists of the same levels."""
    ours, theirs = a.body, b.body
    if not (isinstance(ours, PiecewiseConstant) and isinstance(theirs, PiecewiseConstant)):
        return
    if len(ours.values) != len(theirs.values) or not all(map(_alike, ours.values, theirs.values)):
        return
    both = [
        (int(one.count) + a.warm, int(other.count) + b.warm)
        for one, other in zip(ours.boundaries, theirs.boundaries, strict=True)
    ]
    only = [(one, other) for one, other in both if one != other]
    if len(only) == 1:
        yield Change("milestone", *only[0], replace(a, body=theirs))


def between_rows(a: Written, b: Written, of_a: np.ndarray, of_b: np.ndarray, last: int) -> tuple[Written, Written]:
    """Two stairs with the same milestones, wherever the rows at these steps allow that; others as they are."""
    ours, theirs = a.stairs(last), b.stairs(last)
    if ours is None or theirs is None or a.kind == b.kind == "exponential":
        return a, b  # or both have one period
    milestones = [[each + side.warm for each in side.body.milestones] for side in (ours, theirs)]  # type: ignore[union-attr]
    for one, other in product(range(len(milestones[0])), range(len(milestones[1]))):
        begin, end = _room(of_a, milestones[0][one], last)
        low, high = _room(of_b, milestones[1][other], last)
        if (common := tidy_whole(max(begin, low), min(end, high))) is not None:
            milestones[0][one] = milestones[1][other] = common
    both = zip((ours, theirs), milestones, strict=True)
    found = [side.with_body(milestones=tuple(each - side.warm for each in steps)) for side, steps in both]
    return (found[0], found[1]) if all(min(each.body.milestones, default=1) > 0 for each in found) else (a, b)  # type: ignore[union-attr]


def _room(step: np.ndarray, milestone: int, last: int) -> tuple[int, int]:
    """The first and the last step at which a milestone may lie, so that no row tells it from this one."""
    after = int(np.searchsorted(step, milestone))
    return (int(step[after - 1]) + 1 if after else 0), (int(step[after]) if after < len(step) else last)


def _warmup(schedule: Schedule, last: int) -> tuple[int, float, Schedule]:
    match schedule:
        case Warmup() if schedule.initial < float(schedule.then.rate(0, Clock.STEPS)):
            return int(schedule.over.count), schedule.initial, schedule.then
        case Product(schedules=(then, Linear(end=1.0) as ramp)):
            return int(ramp.over.count), ramp.initial, then
        case Linear() if schedule.end > schedule.initial:
            return int(schedule.over.count), schedule.initial, Constant(initial=schedule.end)
        case Cyclic(mode="triangular") if int(schedule.up.count + schedule.down.count) >= last:
            down = Linear(initial=schedule.max_lr, end=schedule.low, over=schedule.down)
            return int(schedule.up.count), schedule.low, down
        case Sequence(schedules=(Linear() as line, then)) if line.end > line.initial and len(schedule.milestones) == 1:
            held = int(schedule.milestones[0].count - line.over.count)
            flat = Constant(initial=line.end)
            if held > 0:
                then = Sequence(schedules=(flat, then), milestones=(_steps(held),))
            return (int(line.over.count), line.initial, then) if held >= 0 else (0, 0.0, schedule)
    return 0, 0.0, schedule


def _stable(schedule: Schedule) -> tuple[int, Schedule]:
    match schedule:
        case Sequence(schedules=(Constant() as flat, then)) if np.isclose(
            flat.initial, float(then.rate(0, Clock.STEPS))
        ):
            return int(schedule.milestones[0].count), then
    return 0, schedule


def _steps(count: int) -> Duration:
    if count < 1:
        raise ValueError(f"{count} steps: no duration. Give at least 1.")
    return Duration(Fraction(count), "steps")


def _alike(ours: float, theirs: float, within: float = 1e-6) -> bool:
    return abs(ours - theirs) <= within * max(abs(ours), abs(theirs))
