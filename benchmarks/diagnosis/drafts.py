"""What each cause makes of a schedule: two rates that differ by it, and what a diagnosis should say of them.

A second voice: nothing here is taken from the causes that are to find it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.diagnosis import draws
from benchmarks.real_rates import Framework
from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import Schedule, ScheduleModel
from samestep.experiment.schedules.base import tidy
from samestep.experiment.schedules.text import parse

Rate = Callable[[np.ndarray], np.ndarray]
"""Rates of a run at any steps."""

SMOOTH = (
    "exponential, smooth",
    "inverse-time, smooth",
    "inverse-sqrt",
    "polynomial",
    "power",
    "linear",
    "cosine",
    "cosine-restarts",
    "one-cycle",
)
MOVING = tuple(kind for kind in draws.KINDS if kind != "constant")
WARMUPS = tuple(kind for kind in draws.KINDS if kind.startswith("warmup"))
FALLING = ("exponential, staircase", "exponential, smooth", "inverse-time, staircase", "inverse-time, smooth", "linear")


class Undrawn(Exception):  # noqa: N818
    """A draw that shows no difference, or that a framework refuses: draw again."""


@dataclass
class Voices:
    """Where rates come from: closed forms, or the two frameworks' own schedulers."""

    random: np.random.Generator
    frameworks: dict[str, Framework] = field(default_factory=dict)

    def two(self, source: str) -> tuple[str, str]:
        """The voices of a and b."""
        if source == "closed form":
            return source, source
        first, second = self.random.permutation(sorted(self.frameworks))
        return (first, second) if self.random.random() < 0.7 else (first, first)

    def ask(self, voice: str, schedule: Schedule) -> Rate:
        """Rates of a schedule from one of them."""
        if voice == "closed form":
            return lambda step: schedule.rate(step, Clock.STEPS)
        kept = np.zeros(0)

        def rate(step: np.ndarray) -> np.ndarray:
            nonlocal kept
            if len(kept) <= step.max():
                try:
                    kept = self.frameworks[voice].rates(schedule, int(step.max()) + 1)
                except ValueError as refused:
                    raise Undrawn(str(refused)) from None
            return kept[step]

        return rate


@dataclass(frozen=True)
class Draft:
    """A base x, and y that differs from it: rates, and what says so for a = x and b = y."""

    x: Rate
    y: Rate
    parameters: Mapping[str, Any]
    again: Callable[[Mapping[str, Any]], Rate] | None = None
    clock: Clock | None = None
    second: tuple[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Setting:
    """What one draft is made from."""

    random: np.random.Generator
    voices: Voices
    kind: str
    schedule: Schedule
    updates: int
    x: Rate
    ask: Callable[[Schedule], Rate]

    def closed(self, step: np.ndarray) -> np.ndarray:
        """The base in closed form."""
        return self.schedule.rate(step, Clock.STEPS)

    def choose(self, *values: Any) -> Any:
        """One of some values."""
        return values[int(self.random.integers(len(values)))]

    def step(self, low: float, high: float) -> int:
        """A step between two parts of the run."""
        return int(self.random.integers(max(1, int(low * self.updates)), max(2, int(high * self.updates))))


def shift(made: Setting) -> Draft:
    """b(n) = a(n + k)."""
    epoch = made.step(0.02, 0.2)
    k = int(made.choose(1, -1, 1, -1, 2, -2, 3, epoch, -epoch, made.step(0.01, 0.1)))
    y = made.ask(made.schedule)
    clock = Clock(samples=epoch, batch_size=1) if abs(k) == epoch else None
    return Draft(
        made.x,
        lambda n: y(np.maximum(n + k, 0)),
        {"steps": k},
        lambda told: lambda n: made.closed(np.maximum(n + told["steps"], 0)),
        clock,
    )


def counter(made: Setting) -> Draft:
    """b(n) = a(f n), for each reading."""
    meaning = made.choose("steps-vs-epochs", "gradient-accumulation", "unknown")
    f = {"gradient-accumulation": made.choose(2, 4, 8, 16), "unknown": made.choose(3, 5, 6, 7, 12)}.get(meaning, 0)
    clock = None
    if meaning == "steps-vs-epochs":
        f = int(made.choose(*(each for each in (10, 20, 32, 50, 79) if each * 5 <= made.updates)))
        clock = Clock(samples=f * 16 - 7, batch_size=16)
    elif meaning == "gradient-accumulation":
        clock = Clock(samples=1000, batch_size=10, accumulate=made.choose(1, f))
    if not made.schedule.stretches:  # its form depends on how many steps it has: the fast side takes every f-th rate
        y = made.ask(made.schedule)
        return Draft(made.x, lambda n: y(n * f), {"factor": f, "reading": meaning}, clock=clock)
    return Draft(
        made.ask(_stretched(made.schedule, f)),
        made.x,
        {"factor": f, "reading": meaning},
        lambda told: (
            lambda n: _stretched(made.schedule, f).rate(np.round(n * told["factor"]).astype(np.int64), Clock.STEPS)
        ),
        clock,
    )


def unconverted(made: Setting) -> Draft:
    """A factor meant for a longer period, applied at every step."""
    every = int(made.choose(25, 10, 32, 50))
    factor = float(made.choose(0.95, 0.98, 0.9, 0.99))
    if made.updates * -np.log(factor) > 80:
        raise Undrawn("nothing is left of the rate")
    initial = draws.rate(made.random)
    x, y = (
        made.ask(parse(f"exponential:initial={initial},factor={factor},every={count} steps")) for count in (every, 1)
    )
    return Draft(x, y, {"factor": every, "reading": "unconverted-rate"})


def scale(made: Setting) -> Draft:
    """b = c a."""
    c = float(made.choose(10, 0.1, 2, 0.5, 8, 0.25, 3, float(f"{made.random.uniform(0.2, 5):.4g}")))
    y = made.ask(made.schedule)
    return Draft(made.x, lambda n: y(n) * c, {"factor": c}, lambda told: lambda n: made.closed(n) * told["factor"])


def staircase(made: Setting) -> Draft:
    """x is smooth, y takes the floor."""
    stairs = made.schedule.model_copy(update={"staircase": True})
    every = int(made.schedule.every.count)
    return Draft(
        made.x,
        made.ask(stairs),
        {"side": "b", "every": every},
        lambda told: lambda n: made.closed(n // told["every"] * told["every"]),
    )


def factor(made: Setting) -> Draft:
    """The same decay with another factor."""
    name = "factor" if made.schedule.kind == "exponential" else "decay_rate"
    ours = getattr(made.schedule, name)
    theirs = float(made.choose(*(each for each in (0.5, 0.9, 0.85, 0.75, 0.6, 0.99) if abs(each - ours) > 0.01)))
    changed = made.schedule.model_copy(update={name: theirs})

    def again(told: Mapping[str, Any]) -> Rate:
        """By the ratio of both: a smooth decay may be told over another period."""
        one, other = told[f"{name}_a"], told[f"{name}_b"]
        value = ours ** (np.log(other) / np.log(one)) if name == "factor" else ours * other / one
        return lambda n: made.schedule.model_copy(update={name: value}).rate(n, Clock.STEPS)

    return Draft(made.x, made.ask(changed), {f"{name}_a": ours, f"{name}_b": theirs}, again)


def period(made: Setting) -> Draft:
    """The same schedule with another period, by a ratio that is no counter."""
    first = next(iter(made.schedule.durations()))[1]
    counts = [duration.count for _, duration in made.schedule.durations()]
    ratios = made.random.permutation([(3, 2), (5, 4), (4, 3), (6, 5), (5, 2)])
    ratio = next((p / q for p, q in ratios if not any(count % q for count in counts)), None)
    if ratio is None:
        raise Undrawn("no ratio divides it")
    if made.kind == "cyclic" and made.schedule.mode == "exp_range":
        raise Undrawn("its factor counts steps")
    changed = _stretched(made.schedule, ratio)
    parameters = {"period_a": int(first.count), "period_b": round(int(first.count) * ratio)}
    return Draft(
        made.x,
        made.ask(changed),
        parameters,
        lambda told: lambda n: _stretched(made.schedule, told["period_b"] / told["period_a"]).rate(n, Clock.STEPS),
    )


def floor(made: Setting) -> Draft:
    """y stops falling."""
    lowest = float(made.closed(np.array([made.step(0.3, 0.8)]))[0])
    rate = float(f"{lowest:.2g}")
    y = made.ask(made.schedule)
    return Draft(
        made.x,
        lambda n: np.maximum(y(n), rate),
        {"side": "b", "rate": rate},
        lambda told: lambda n: np.maximum(made.closed(n), told["rate"]),
    )


def tail(made: Setting) -> Draft:
    """x goes on after its end, y holds."""
    if made.schedule.kind == "cosine":
        ends = int(made.schedule.over.count)
        rise, hold = (made.schedule.model_copy(update={"after": after}) for after in ("rise", "hold"))
        x, y = made.ask(rise), made.ask(hold)
    elif made.schedule.kind == "polynomial":
        ends = int(made.schedule.over.count)
        x, y = made.ask(made.schedule), made.ask(made.schedule.model_copy(update={"cycle": False}))
    else:
        ends = made.step(0.3, 0.8)
        x, theirs = made.x, made.ask(made.schedule)
        y = lambda n: theirs(np.minimum(n, ends))  # noqa: E731
    return Draft(x, y, {"side": "b", "step": ends}, lambda told: lambda n: made.closed(np.minimum(n, told["step"])))


def warmup(made: Setting) -> Draft:
    """y warms up first, and then begins x's schedule, or goes on beside it."""
    over = made.step(0.04, 0.25)
    if over < 5:
        raise Undrawn("too short")
    then = "aligned" if made.kind == "constant" else made.choose("delayed", "aligned")
    initial = float(made.choose(0, 1e-7, 1e-6))
    y = made.ask(made.schedule)

    def warmed(rate: Rate, steps: int) -> Rate:
        goal = float(rate(np.array([0 if then == "delayed" else steps]))[0])
        late = steps if then == "delayed" else 0
        return lambda n: np.where(n < steps, initial + (goal - initial) * n / steps, rate(np.maximum(n - late, 0)))

    return Draft(
        made.x,
        warmed(y, over),
        {"side": "b", "steps": over, "then": then},
        lambda told: warmed(made.closed, told["steps"]),
    )


def reset(made: Setting) -> Draft:
    """y starts afresh."""
    begins = made.step(0.2, 0.8)
    y = made.ask(made.schedule)

    def restarted(rate: Rate, step: int) -> Rate:
        return lambda n: np.where(n < step, rate(n), rate(np.maximum(n - step, 0)))

    return Draft(
        made.x, restarted(y, begins), {"side": "b", "step": begins}, lambda told: restarted(made.closed, told["step"])
    )


def extra_decay(made: Setting) -> Draft:
    """y is multiplied once more from a step on."""
    begins, c = made.step(0.2, 0.8), float(made.choose(0.1, 0.5, 0.95, 0.9))
    y = made.ask(made.schedule)
    return Draft(
        made.x,
        lambda n: y(n) * np.where(n < begins, 1.0, c),
        {"side": "b", "step": begins, "factor": c},
        lambda told: lambda n: made.closed(n) * np.where(n < told["step"], 1.0, told["factor"]),
    )


def parameters(made: Setting) -> Draft:
    """y has another last rate."""
    field = "floor" if made.schedule.kind == "cosine" else "end"
    peak, last = made.schedule.initial, getattr(made.schedule, field)
    other = float(made.choose(0.1, 0.05, 0.02, 0.01)) * peak
    if int(made.schedule.over.count) > 2 * made.updates or abs(other - last) < 1e-3 * peak:
        raise Undrawn("too much beyond the rows, or the same")
    y = made.ask(made.schedule.model_copy(update={field: tidy(other)}))
    return Draft(made.x, y, {"numbers": {"last_rate": [last, tidy(other)]}})


def never_falls(made: Setting) -> Draft:
    """y keeps the first rate."""
    first = made.closed(np.array([0]))[0]
    falls = np.flatnonzero(made.closed(np.arange(made.updates)) < first * (1 - 1e-6))
    if not len(falls):
        raise Undrawn("nothing falls")
    return Draft(made.x, lambda n: np.full(n.shape, made.x(np.array([0]))[0]), {"side": "b", "step": int(falls[0])})


def skipped(made: Setting) -> Draft:
    """y is a step late from a few steps on, each time one more."""
    ends = min(made.updates, int(made.schedule.over.count))  # beyond its end nothing tells a lag
    if not 800 <= ends <= made.updates <= 4000:
        raise Undrawn("too few rows for a lag, or too many steps for its digits")
    places = np.sort(made.random.choice(np.arange(2, 8), int(made.choose(2, 3)), replace=False)) * ends // 10
    y = made.ask(made.schedule)
    parameters = {"side": "b", "steps": len(places), "times": len(places)}
    return Draft(made.x, lambda n: y(n - np.searchsorted(places, n, side="right")), parameters)


def same(made: Setting) -> Draft:
    """Nothing but rounding."""
    return Draft(made.x, made.ask(made.schedule), {})


def family(made: Setting) -> Draft:
    """Two kinds of schedule with the same beginning."""
    kinds = [
        kind
        for kind in (*SMOOTH, *FALLING, "cyclic", "constant", "warmup")
        if kind.split(",")[0] != made.kind.split(",")[0]
    ]
    other = draws.schedule(str(made.choose(*kinds)), made.random, made.updates)
    return Draft(made.x, made.ask(other), {"kind_a": made.schedule.kind, "kind_b": other.kind})


def shift_and_scale(made: Setting) -> Draft:
    """b(n) = c a(n + k)."""
    k, c = int(made.choose(1, -1, 2)), float(made.choose(3, 7, 0.15))  # no power of any decay's factor
    y = made.ask(made.schedule)
    return Draft(made.x, lambda n: c * y(np.maximum(n + k, 0)), {"steps": k}, second=("scale", {"factor": c}))


def warmup_and_counter(made: Setting) -> Draft:
    """y warms up, and its clock runs faster."""
    f, over = int(made.choose(4, 8, 10)), made.step(0.05, 0.15)
    if over < 5:
        raise Undrawn("too short")
    slow = made.ask(_stretched(made.schedule, f))
    goal = float(made.x(np.array([0]))[0])
    return Draft(
        slow,
        lambda n: np.where(n < over, goal * n / over, made.x(np.maximum(n - over, 0))),
        {"side": "b", "steps": over, "then": "delayed"},
        second=("counter", {"factor": f}),
    )


def scale_and_reset(made: Setting) -> Draft:
    """y is larger, and starts afresh."""
    begins, c = made.step(0.3, 0.7), float(made.choose(0.1, 10, 2))
    y = made.ask(made.schedule)
    return Draft(
        made.x,
        lambda n: c * np.where(n < begins, y(n), y(np.maximum(n - begins, 0))),
        {"factor": c},
        second=("reset", {"side": "b", "step": begins}),
    )


EVERY: dict[str, tuple[Callable[[Setting], Draft], tuple[str, ...]]] = {
    "shift": (shift, MOVING),
    "counter": (counter, MOVING),
    "counter, unconverted-rate": (unconverted, ("exponential, smooth",)),
    "scale": (scale, tuple(draws.KINDS)),
    "staircase": (staircase, ("exponential, smooth", "inverse-time, smooth")),
    "factor": (
        factor,
        ("exponential, staircase", "exponential, smooth", "inverse-time, staircase", "inverse-time, smooth"),
    ),
    "period": (period, tuple(kind for kind in MOVING if kind not in ("sequence", "product", "clip", *WARMUPS))),
    "floor": (floor, FALLING),
    "tail": (tail, ("cosine", "polynomial, cycle", "cyclic", "cosine-restarts", "one-cycle")),
    "warmup": (
        warmup,
        tuple(kind for kind in draws.KINDS if kind not in (*WARMUPS, "product", "clip", "one-cycle", "cyclic")),
    ),
    "reset": (reset, MOVING),
    "extra-decay": (extra_decay, tuple(draws.KINDS)),
    "parameters": (parameters, ("cosine", "linear", "polynomial")),
    "never-falls": (never_falls, ("exponential, smooth", "inverse-time, smooth", "polynomial", "linear", "cosine")),
    "skipped": (skipped, ("linear", "cosine", "polynomial")),
    "gaps": (same, tuple(draws.KINDS)),
    "length": (same, tuple(draws.KINDS)),
    "family": (family, (*SMOOTH, *FALLING, "cyclic", "constant", "warmup")),
    "shift and scale": (shift_and_scale, ("exponential, staircase", "cosine", "polynomial", "linear", "cyclic")),
    "warmup and counter": (warmup_and_counter, ("exponential, staircase", "exponential, smooth", "cosine", "linear")),
    "scale and reset": (scale_and_reset, ("exponential, staircase", "cosine", "polynomial", "linear")),
}
"""Every cause with the kinds of schedule that can have it."""


def _stretched(schedule: Schedule, ratio: float) -> Schedule:
    """A schedule with every duration longer."""

    def longer(value: Any) -> Any:
        match value:
            case Duration():
                return Duration(value.count.__class__(round(float(value.count) * ratio)), value.unit)
            case tuple():
                return tuple(longer(each) for each in value)
            case ScheduleModel():
                return _stretched(value, ratio)
            case _:
                return value

    fields = type(schedule).model_fields
    changed = {name: longer(getattr(schedule, name)) for name in fields}
    if schedule.kind == "cyclic" and schedule.mode == "exp_range":
        changed["gamma"] = schedule.gamma ** (1 / ratio)
    return schedule.model_copy(update=changed)
