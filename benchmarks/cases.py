"""Pairs of logs whose difference is known: every cause on every kind of schedule that it can befall."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks import draws
from benchmarks.real_rates import CLOCK, Framework
from compare.diagnose.rates import Rates
from compare.tolerance import NEAR_ZERO, ULP32, ulp32
from experiment.clock import Clock, Duration
from experiment.schedules import Schedule
from experiment.schedules.text import parse, to_short

Rate = Callable[[np.ndarray], np.ndarray]
"""Rates of a run at any steps."""

SMOOTH = (
    "exponential, smooth",
    "inverse-time, smooth",
    "polynomial",
    "linear",
    "cosine",
    "cosine-restarts",
    "one-cycle",
)
MOVING = tuple(kind for kind in draws.KINDS if kind != "constant")
FALLING = ("exponential, staircase", "exponential, smooth", "inverse-time, staircase", "inverse-time, smooth", "linear")
WRITINGS = ("every 10th step", "every 50th step", "float32", "6 digits")


class Undrawn(Exception):  # noqa: N818
    """A draw that shows no difference, or that a framework refuses: draw again."""


@dataclass(frozen=True)
class Case:
    """Two logs and why they differ.

    parameters : what the diagnosis should say, beside the name. again : the rates of b from other parameters, in closed
    form, to tell whether the data could have told them apart; None where they are exact.
    """

    name: str
    kind: str
    source: str
    written: tuple[str, str]
    a: Rates
    b: Rates
    clock: Clock | None
    parameters: Mapping[str, Any]
    schedule: str
    again: Callable[[Mapping[str, Any]], Rate] | None = None
    second: tuple[str, Mapping[str, Any]] | None = None
    turned: bool = False


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
            return lambda step: schedule.rate(step, CLOCK)
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
        return self.schedule.rate(step, CLOCK)

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
        lambda told: lambda n: _stretched(made.schedule, f).rate(np.round(n * told["factor"]).astype(np.int64), CLOCK),
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
        return lambda n: made.schedule.model_copy(update={name: value}).rate(n, CLOCK)

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
        lambda told: lambda n: _stretched(made.schedule, told["period_b"] / told["period_a"]).rate(n, CLOCK),
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
    "period": (period, tuple(kind for kind in MOVING if kind not in ("sequence", "product", "warmup"))),
    "floor": (floor, FALLING),
    "tail": (tail, ("cosine", "polynomial, cycle", "cyclic", "cosine-restarts", "one-cycle")),
    "warmup": (warmup, tuple(kind for kind in draws.KINDS if kind not in ("warmup", "product", "one-cycle", "cyclic"))),
    "reset": (reset, MOVING),
    "extra-decay": (extra_decay, tuple(draws.KINDS)),
    "gaps": (same, tuple(draws.KINDS)),
    "length": (same, tuple(draws.KINDS)),
    "family": (family, (*SMOOTH, *FALLING, "cyclic", "constant", "warmup")),
    "shift and scale": (shift_and_scale, ("exponential, staircase", "cosine", "polynomial", "linear", "cyclic")),
    "warmup and counter": (warmup_and_counter, ("exponential, staircase", "exponential, smooth", "cosine", "linear")),
    "scale and reset": (scale_and_reset, ("exponential, staircase", "cosine", "polynomial", "linear")),
}
"""Every cause with the kinds of schedule that it can befall."""


def draw(label: str, voices: Voices, source: str, random: np.random.Generator) -> Case:
    """A pair of logs that differ by one cause, or `same`. Raises Undrawn where this draw shows nothing."""
    make, kinds = EVERY.get(label, (same, tuple(draws.KINDS)))
    kind = str(random.choice(kinds))
    updates = draws.steps(random, 50, 100_000)
    first, second = voices.two(source)
    schedule = draws.schedule(kind, random, updates)
    made = Setting(
        random, voices, kind, schedule, updates, voices.ask(first, schedule), lambda each: voices.ask(second, each)
    )
    draft = make(made)
    step = np.arange(updates)
    x, y = Rates.of(step, draft.x(step)), Rates.of(step, draft.y(step))
    parameters = dict(draft.parameters)
    if label in ("gaps", "length"):
        y, parameters = _with_rows_lost(label, y, random)
    written = (_writing(updates, random), _writing(updates, random))
    if label == "shift and scale" and any("step" in each for each in written):
        raise Undrawn("a shift by a step or two may fall between the rows")
    if label in ("gaps", "length"):
        written = tuple("as it is" if "step" in each else each for each in written)  # type: ignore[assignment]
    x, y = as_written(x, written[0]), as_written(y, written[1])
    if label not in ("same", "gaps", "length") and not _differ(x, y):
        raise Undrawn("no row shows it")
    if label in ("counter", "period", "factor", "warmup and counter") and not (np.ptp(x.lr) and np.ptp(y.lr)):
        raise Undrawn("a rate that never changes has any clock")
    case = Case(
        label.split(",")[0].split(" and ")[0], kind, source, written, x, y, draft.clock, parameters,
        to_short(schedule), draft.again, draft.second,
    )  # fmt: skip
    return _turned(case) if random.random() < 0.5 and draft.second is None else case


def unexplained(voices: Voices, source: str, random: np.random.Generator) -> Case:
    """A pair whose difference is none of the causes: noise, or a part of it edited by hand."""
    case = draw("same", voices, source, random)
    lr = case.b.lr.copy()
    count = len(lr)
    if count < 30:
        raise Undrawn("too short")
    moving = case.kind in SMOOTH and case.a.lr[-1] > 0.01 * case.a.lr.max()
    how = str(
        random.choice(
            ["noise", "some noise", "walk", *(["scaled segment", "bent segment", "reversed"] if moving else [])]
        )
    )
    begin = int(random.integers(count // 8, count // 2))
    part = slice(begin, begin + int(random.integers(max(4, count // 20), count // 3)))
    size = float(np.exp(random.uniform(np.log(1e-3), np.log(0.2))))
    match how:
        case "noise":
            lr *= np.exp(size * random.standard_normal(count))
        case "some noise":
            lr *= np.exp(size * random.standard_normal(count) * (random.random(count) < 0.3))
        case "walk":
            lr *= np.exp(np.cumsum(size * random.standard_normal(count)) / np.sqrt(count))
        case "scaled segment":
            lr[part] *= 1 + size
        case "bent segment":
            width = len(lr[part])
            lr[part] *= 1 + size * np.sin(np.linspace(0, np.pi, width))
        case "reversed":
            lr[part] = lr[part][::-1]
    changed = replace(case.b, lr=lr)
    beyond = np.abs(case.b.lr - lr) > 20 * ULP32 * ulp32(np.maximum(case.b.lr, NEAR_ZERO * case.b.lr.max()))
    if not _differ(case.a, changed) or beyond[10:-10].sum() < 5:
        raise Undrawn("no row shows it")
    return replace(case, name="unexplained", b=changed, parameters={"how": how})


def as_written(rates: Rates, how: str) -> Rates:
    """A log as a program may write it."""
    match how:
        case "every 10th step":
            return rates.rows(slice(None, None, 10))
        case "every 50th step":
            return rates.rows(slice(None, None, 50))
        case "float32":
            return replace(rates, lr=rates.lr.astype(np.float32).astype(np.float64))
        case "6 digits":
            lr = np.array([float(f"{each:.6g}") for each in rates.lr.tolist()])
            with np.errstate(divide="ignore"):
                unit = np.where(lr > 0, 10.0 ** (np.floor(np.log10(np.where(lr > 0, lr, 1.0))) - 5), 0.0)
            return replace(rates, lr=lr, rounding=unit / 2)
        case _:
            return rates


def _writing(updates: int, random: np.random.Generator) -> str:
    """One log of three is thinned or written with fewer digits."""
    if random.random() > 1 / 3:
        return "as it is"
    thinnable = {"every 10th step": 500, "every 50th step": 2500}
    return str(random.choice([how for how in WRITINGS if updates >= thinnable.get(how, 0)]))


def _with_rows_lost(label: str, rates: Rates, random: np.random.Generator) -> tuple[Rates, dict[str, Any]]:
    count = len(rates)
    if label == "length":
        kept = int(random.integers(count // 2, count - 2))
        return rates.rows(slice(None, kept)), {"steps_a": count, "steps_b": kept}
    lost = random.choice(np.arange(1, count - 1), max(1, int(count * random.uniform(0.01, 0.2))), replace=False)
    kept = np.ones(count, dtype=bool)
    kept[lost] = False
    return rates.rows(kept), {
        "missing_a": 0,
        "missing_b": len(lost),
        "repeated_a": 0,
        "repeated_b": 0,
        "step": int(lost.min()),
    }


def _differ(x: Rates, y: Rates) -> bool:
    """Whether a row that both have differs by more than rounding and drift could."""
    _, ours, theirs = np.intersect1d(x.step, y.step, return_indices=True)
    a, b = x.lr[ours], y.lr[theirs]
    peak = max(a.max(initial=0), b.max(initial=0))
    allowed = (
        4 * ULP32 * ulp32(np.maximum(np.maximum(a, b), peak))
        + x.rounding[ours]
        + y.rounding[theirs]
        + 2e-5 * np.maximum(a, b)
    )
    return bool((np.abs(a - b) > allowed).any())


def _turned(case: Case) -> Case:
    """The same pair the other way round."""
    swap = {"a": "b", "b": "a"}
    turned: dict[str, Any] = {}
    for key, value in case.parameters.items():
        match key:
            case "side":
                turned[key] = swap[value]
            case "steps" if case.name == "shift":
                turned[key] = -value
            case "factor":
                turned[key] = 1 / value
            case _ if key.endswith(("_a", "_b")):
                turned[key[:-1] + swap[key[-1]]] = value
            case _:
                turned[key] = value
    again = case.again and (lambda told, again=case.again: again(_back(case.name, told)))
    return replace(case, a=case.b, b=case.a, written=case.written[::-1], parameters=turned, again=again, turned=True)


def _back(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a pair that was turned, as they were before."""
    swap = {"a": "b", "b": "a"}
    found: dict[str, Any] = {}
    for key, value in told.items():
        if key == "steps" and name == "shift":
            found[key] = -value
        elif key == "factor":
            found[key] = 1 / value
        elif key.endswith(("_a", "_b")):
            found[key[:-1] + swap[key[-1]]] = value
        else:
            found[key] = swap.get(value, value) if key == "side" else value
    return found


def _stretched(schedule: Schedule, ratio: float) -> Schedule:
    """A schedule with every duration longer."""

    def longer(value: Any) -> Any:
        match value:
            case Duration():
                return Duration(value.count.__class__(round(float(value.count) * ratio)), value.unit)
            case tuple():
                return tuple(longer(each) for each in value)
            case _ if hasattr(value, "model_fields"):
                return _stretched(value, ratio)
            case _:
                return value

    fields = type(schedule).model_fields
    changed = {name: longer(getattr(schedule, name)) for name in fields}
    if schedule.kind == "cyclic" and schedule.mode == "exp_range":
        changed["gamma"] = schedule.gamma ** (1 / ratio)
    return schedule.model_copy(update=changed)
