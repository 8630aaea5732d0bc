"""A schedule in the numbers that people write, and the same with one of them changed.

A warm-up, perhaps a stable phase, and what follows: `Written.of` takes a schedule apart, `Written.schedule` puts it
together. `changes` lists what would bring one schedule a number nearer to another, each as a person would change it: a
longer warm-up that leaves the total, or one that leaves the decay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import (
    Constant,
    Cyclic,
    ExponentialDecay,
    Linear,
    PiecewiseConstant,
    PolynomialDecay,
    Schedule,
    ScheduleModel,
    Sequence,
    Warmup,
)
from samestep.experiment.schedules.base import tidy

from ..terms import Side

MOST_STAIRS = 40
"""Changes of a staircase that are looked at as a list at most."""

NAMES: dict[str, dict[str, str]] = {
    "constant": {"initial": "peak"},
    "polynomial": {"initial": "peak", "end": "last_rate", "over": "decay_steps", "power": "power"},
    "cosine": {"initial": "peak", "floor": "last_rate", "over": "decay_steps"},
    "exponential": {"initial": "peak", "factor": "factor", "every": "period"},
    "inverse-time": {"initial": "peak", "decay_rate": "decay_rate", "every": "period"},
    "inverse-sqrt": {"initial": "peak", "timescale": "timescale", "power": "power"},
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

    warm : steps of the warm-up, 0 for none, from the rate `start`. stable : steps that it then holds its peak.
    body : what follows; all durations in steps.
    """

    body: ScheduleModel | Stairs
    warm: int = 0
    start: float = 0.0
    stable: int = 0

    @classmethod
    def of(cls, schedule: Schedule, last: int) -> Written:
        """A schedule taken apart; what its rates show up to step `last`."""
        warm, start, body = _warmup(schedule, last)
        stable, body = _stable(body)
        if isinstance(body, Linear):
            body = PolynomialDecay(initial=body.initial, end=body.end, power=1.0, over=body.over, cycle=False)
        return cls(body, warm, start, stable)

    def schedule(self) -> Schedule:
        """All of it together. Raises ValueError for what the vocabulary cannot say."""
        then: Schedule = self.body.schedule() if isinstance(self.body, Stairs) else self.body  # type: ignore[assignment]
        if self.stable:
            flat = Constant(initial=float(then.rate(0, Clock.STEPS)))
            then = Sequence(schedules=(flat, then), milestones=(_steps(self.stable),))
        return Warmup(initial=self.start, over=_steps(self.warm), then=then) if self.warm else then

    def stairs(self, last: int) -> Written | None:
        """With its body as stairs; None where it is none."""
        if isinstance(self.body, Stairs):
            return self
        found = Stairs.of(self.body, last - self.warm)  # type: ignore[arg-type]
        return None if found is None else replace(self, body=found)

    @property
    def peak(self) -> float:
        """The rate after the warm-up."""
        return float(vars(self.body).get("initial", vars(self.body).get("max_lr", 0.0)))

    @property
    def decay(self) -> int:
        """Steps from the peak to the end; 0 where there is no end."""
        over = vars(self.body).get("over")
        return 0 if over is None or "decay_steps" not in NAMES.get(self.body.kind, {}).values() else int(over.count)

    @property
    def total(self) -> int:
        """Steps until the end; 0 where there is none."""
        return self.decay and self.warm + self.stable + self.decay

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
    if a.body.kind != b.body.kind or a.body.kind not in NAMES:
        ours, theirs = a.stairs(last), b.stairs(last)
        if ours is None or theirs is None:
            return
        a, b = ours, theirs
    yield from _of_clock(a, b)
    yield from _of_warmup(a, b)
    yield from _of_lengths(a, b)
    yield from _of_rates(a, b)
    yield from _of_stairs(a, b) if isinstance(a.body, Stairs) and isinstance(b.body, Stairs) else _of_body(a, b)


def _of_clock(a: Written, b: Written) -> Iterator[Change]:
    """Every duration, by one ratio."""
    ours, theirs = (dict(each.durations()) for each in (a, b))
    if ours.keys() != theirs.keys() or len(ours) < 2:
        return
    ratios = {Fraction(ours[name], theirs[name]) for name in ours}
    if len(ratios) == 1 and ratios != {1}:
        factor = float(ratios.pop())
        same_rates = replace(b, start=a.start).with_body(**a.rates())
        yield Change("counter", 1, factor, same_rates)


def _of_warmup(a: Written, b: Written) -> Iterator[Change]:
    if bool(a.warm) != bool(b.warm):
        side: Side = "a" if a.warm else "b"
        yield Change("delayed", a.warm, b.warm, replace(a, warm=b.warm, start=b.start), side)
        return
    if a.warm != b.warm:
        for decay in dict.fromkeys((a.total and a.total - a.stable - b.warm, a.decay)):
            changed = replace(a, warm=b.warm)
            yield Change("warmup_steps", a.warm, b.warm, changed.lasting(decay) if decay > 0 else changed)
        timescales = [vars(each.body).get("timescale") for each in (a, b)]
        if all(each is not None for each in timescales):
            yield Change("warmup_steps", a.warm, b.warm, replace(a, warm=b.warm).with_body(timescale=timescales[1]))
        if isinstance(a.body, Stairs):  # the warm-up lies before milestones that count from step 0
            moved = tuple(each + a.warm - b.warm for each in a.body.milestones)
            if moved and moved[0] > 0:
                yield Change("warmup_steps", a.warm, b.warm, replace(a, warm=b.warm).with_body(milestones=moved))
    if a.warm and b.warm and not _alike(a.start, b.start):
        yield Change("warmup_start", a.start, b.start, replace(a, start=b.start))


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
    yield Change("scale", 1.0, tidy(ratio), a.times(ratio))
    field = "max_lr" if "max_lr" in vars(a.body) else "initial"
    for start in dict.fromkeys((a.start, tidy(a.start * ratio))):
        yield Change("peak", a.peak, b.peak, replace(a.with_body(**{field: b.peak}), start=start))


def _of_body(a: Written, b: Written) -> Iterator[Change]:
    assert isinstance(a.body, ScheduleModel) and isinstance(b.body, ScheduleModel)
    for field, name in NAMES.get(a.body.kind, {}).items():  # type: ignore[attr-defined]
        ours, theirs = getattr(a.body, field), getattr(b.body, field)
        if name in ("peak", "decay_steps") or ours == theirs:
            continue
        if isinstance(ours, Duration):
            yield Change(name, int(ours.count), int(theirs.count), a.with_body(**{field: theirs}))
        elif not _alike(ours, theirs):
            yield Change(name, ours, theirs, a.with_body(**{field: theirs}))


def _of_stairs(a: Written, b: Written) -> Iterator[Change]:
    assert isinstance(a.body, Stairs) and isinstance(b.body, Stairs)
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


def _warmup(schedule: Schedule, last: int) -> tuple[int, float, Schedule]:
    match schedule:
        case Warmup() if schedule.initial < float(schedule.then.rate(0, Clock.STEPS)):
            return int(schedule.over.count), schedule.initial, schedule.then
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


def _alike(ours: float, theirs: float) -> bool:
    return abs(ours - theirs) <= 1e-6 * max(abs(ours), abs(theirs))
