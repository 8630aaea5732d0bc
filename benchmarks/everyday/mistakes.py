"""Mistakes as people make them: each a pair of runs, with every answer that is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.everyday.answers import Answer, Both
from benchmarks.everyday.runs import FINE, KINDS, Draws, Run
from benchmarks.everyday.schedules import Recipe, plateau
from benchmarks.everyday.texts import typed

NOT_KNOWN = ("unknown",)


class Undrawn(Exception):  # noqa: N818
    """This draw shows nothing, or does not fit the mistake."""


@dataclass(frozen=True)
class Pair:
    """Two runs and what is right about them.

    Attributes:
        kind: of schedule, for the table.
        a: the rate that each update of a used.
        b: the same of b.
        answers: the causes that are right. Without any, nothing has to be named.
        verdicts: verdicts that are right by themselves, whatever the cause.
        vague: whether an answer without a cause is the right one.
        steps_per_epoch: of both, where the runs count in epochs.
        options: more arguments of the comparison.
        base: what b's log calls the first update, where that is the mistake.
        restart: the step at which the column of steps of b's log begins again at 0.
        schedule: a, as its author would type it; None where that is not simple.
        runs: both runs, where each is a whole run of one schedule.
        times: calls of b's scheduler for each that was meant.
        each: where b has two mistakes, what it is with one of them only.
    """

    kind: str
    a: np.ndarray
    b: np.ndarray
    answers: tuple[Answer, ...]
    verdicts: tuple[str, ...] = ()
    vague: bool = False
    steps_per_epoch: int | None = None
    options: tuple[tuple[str, int], ...] = ()
    base: int = 0
    restart: int = 0
    schedule: str | None = None
    runs: tuple[Run, Run] | None = None
    times: int = 1
    each: tuple[np.ndarray, ...] = ()


WITH_TOTAL = {
    "hf-linear": "total",
    "hf-cosine": "total",
    "hf-polynomial": "total",
    "hf-cosine-min-lr": "total",
    "hf-cosine-warmup-min-lr": "total",
    "hf-wsd": "total",
    "nanogpt": "lr_decay_iters",
    "nanogpt-2023": "lr_decay_iters",
    "CosineAnnealingLR": "T_max",
    "PolynomialLR": "total_iters",
    "poly": "max_iter",
    "OneCycleLR": "total_steps",
    "LinearLR+CosineAnnealingLR": "T_max",
    "keras-cosine": "decay_steps",
    "keras-polynomial": "decay_steps",
}
WARMUP = {
    "hf-linear": "warmup",
    "hf-cosine": "warmup",
    "hf-polynomial": "warmup",
    "hf-cosine-min-lr": "warmup",
    "hf-constant-warmup": "warmup",
    "hf-inverse-sqrt": "warmup",
    "hf-cosine-warmup-min-lr": "warmup",
    "hf-wsd": "warmup",
    "LinearLR+ExponentialLR": "warmup",
    "noam": "warmup",
    "deepspeed": "warmup_num_steps",
    "nanogpt": "warmup_iters",
    "nanogpt-2023": "warmup_iters",
    "LinearLR+CosineAnnealingLR": "warmup",
    "LinearLR+MultiStepLR": "warmup",
    "LinearLR+StepLR": "warmup",
    "detectron2": "warmup_iters",
    "timm": "warmup_t",
    "keras-cosine": "warmup_steps",
}
FLOOR = {
    "hf-cosine-min-lr": "min_lr",
    "hf-cosine-warmup-min-lr": "min_lr",
    "nanogpt": "min_lr",
    "nanogpt-2023": "min_lr",
    "CosineAnnealingLR": "eta_min",
    "LinearLR+CosineAnnealingLR": "eta_min",
    "timm": "lr_min",
    "CosineAnnealingWarmRestarts": "eta_min",
    "keras-cosine": "alpha",
    "keras-polynomial": "end_learning_rate",
}
MOVES = ("keras-cosine",)
"""Kinds whose floor moves with the rate."""

BEFORE_TOTAL = ("LinearLR+", "keras-")
"""Kinds whose total begins after the warm-up."""


def _pair(run: Run, b: np.ndarray | Run, *answers: Answer, **more: Any) -> Pair:
    rates = b.rates() if isinstance(b, Run) else b
    if isinstance(b, Run):
        more.setdefault("runs", (run, b))
    return Pair(
        run.recipe.kind,
        run.rates(),
        rates,
        answers,
        steps_per_epoch=run.steps_per_epoch,
        schedule=typed(run),
        **more,
    )


def _named(*one_of: Both, may: Sequence[Both] = ()) -> Answer:
    return Answer("parameters", one_of=one_of, may=tuple(may))


def _either(x: float, y: float, unit: int = 1) -> tuple[Both, ...]:
    """A pair of numbers, in calls of the scheduler and in updates."""
    return ((x, y),) if unit == 1 else ((x, y), (x * unit, y * unit))


def _counter(factor: float, readings: tuple[str, ...] = NOT_KNOWN) -> Answer:
    return Answer("counter", (("factor", factor),), readings=readings)


def _length(run: Run) -> tuple[int, int]:
    """The total that a run names, and its warm-up, both in calls; where the warm-up comes before the total, in all."""
    total = int(run.recipe[WITH_TOTAL[run.recipe.kind]])
    name = WARMUP.get(run.recipe.kind, "")
    warmup = int(run.recipe[name]) if name in run.recipe else 0
    return (total + warmup, warmup) if run.recipe.kind.startswith(BEFORE_TOTAL) else (total, warmup)


def total(draws: Draws) -> Pair:
    """Another total: of another run, or steps counted otherwise."""
    run = draws.run(list(WITH_TOTAL))
    name = WITH_TOTAL[run.recipe.kind]
    before, lead = int(run.recipe[name]), _length(run)[0] - int(run.recipe[name])
    after = round((before + lead) * draws.of((2, 2, 0.5, 1.5, 4, 0.8, 1.25, 10 / 9))) - lead
    if after < 3:
        raise Undrawn
    other = run.but(**{name: after})
    (x, warm), (y, _) = _length(run), _length(other)
    if min(x, y) <= warm * 1.5 or (run.recipe.kind == "hf-wsd" and min(x, y) - warm <= run.recipe["num_decay_steps"]):
        raise Undrawn
    if after < before and run.recipe.kind in ("OneCycleLR", "CosineAnnealingLR", "LinearLR+CosineAnnealingLR"):
        other = replace(other, updates=(y if run.recipe.kind != "OneCycleLR" else after) * run.unit)
    elif draws.chance(0.4):
        other = replace(other, updates=y * run.unit)
    both = (*_either(x, y, run.unit), *_either(x - warm, y - warm, run.unit))
    if run.recipe.kind == "hf-wsd":
        lasts = run.recipe["num_decay_steps"]
        both = (*both, (x - warm - lasts, y - warm - lasts), (x - lasts, y - lasts))
    answers = [_named(*both), *(Answer("period", (("period_a", p), ("period_b", q))) for p, q in both)]
    if not warm:
        answers.append(_counter(x / y))
    return _pair(run, other, *answers)


def warmup_missing(draws: Draws) -> Pair:
    """No warm-up on one side."""
    run = draws.run(
        [kind for kind in WARMUP if kind not in ("hf-inverse-sqrt", "noam", "deepspeed", "nanogpt", "nanogpt-2023")]
    )
    name = WARMUP[run.recipe.kind]
    warm = int(run.recipe[name])
    if not warm:
        raise Undrawn
    late = draws.chance(0.5)
    if run.recipe.kind.startswith("LinearLR+"):
        numbers = {key: value for key, value in run.recipe.numbers if key not in ("warmup", "start_factor")}
        if late and "T_max" in numbers:
            numbers["T_max"] = int(numbers["T_max"]) + warm
        other = replace(run, recipe=Recipe.of(run.recipe.kind.removeprefix("LinearLR+"), **numbers))
    elif run.recipe.kind == "keras-cosine":
        numbers = {key: value for key, value in run.recipe.numbers if key != name}
        numbers["decay_steps"] = int(numbers["decay_steps"]) + warm * late
        other = replace(run, recipe=Recipe.of(run.recipe.kind, **numbers))
    else:
        other = run.but(**{name: 0})
    steps = warm * run.unit
    answer = Answer("warmup", (("side", "a"), ("steps", steps)))
    follows: list[Both] = []
    if run.recipe.kind in WITH_TOTAL:
        ((x, _),) = (_length(run),)
        y = _length(other)[0] if other.recipe.kind in WITH_TOTAL else x
        follows = [*_either(x - warm, y, run.unit), *_either(x, y, run.unit)]
    answers = [answer, _named(*_either(warm, 0, run.unit), may=follows)]
    for p, q in follows:
        answers.append(replace(answer, second=Answer("period", (("period_a", p), ("period_b", q)))))
        answers.append(replace(answer, second=_named((p, q))))
    return _pair(run, other, *answers)


def warmup_length(draws: Draws) -> Pair:
    """A warm-up of another length."""
    run = draws.run(list(WARMUP))
    name = WARMUP[run.recipe.kind]
    x = int(run.recipe[name])
    if not x:
        raise Undrawn
    counted = run.updates // run.unit
    y = draws.warmup(counted, x) if run.unit == 1 else int(draws.other(x, (1, 2, 3, 5, 10)))
    if max(x, y) > 0.4 * counted or (run.recipe.kind.startswith("nanogpt") and y < 3):
        raise Undrawn
    other = run.but(**{name: y})
    follows: list[Both] = []
    if run.recipe.kind in WITH_TOTAL:
        p, q = _length(run)[0], _length(other)[0]
        follows = [*_either(p - x, q - y, run.unit), *_either(p, q, run.unit)]
        if run.recipe.kind == "hf-wsd":
            lasts = run.recipe["num_decay_steps"]
            follows.append((p - x - lasts, q - y - lasts))
    if run.recipe.kind == "noam":
        follows.append((float(run.rates().max()), float(other.rates().max())))
    answers = [_named(*_either(x, y, run.unit), may=follows)]
    if run.recipe.kind in ("hf-constant-warmup", "hf-inverse-sqrt"):
        answers += [_counter(x / y), Answer("period", (("period_a", x), ("period_b", y)))]
    return _pair(run, other, *answers)


def warmup_start(draws: Draws) -> Pair:
    """A warm-up from another rate."""
    run = draws.run(["LinearLR+CosineAnnealingLR", "LinearLR+MultiStepLR", "LinearLR+StepLR", "detectron2", "timm"])
    name = {"detectron2": "warmup_factor", "timm": "warmup_lr_init"}.get(run.recipe.kind, "start_factor")
    x, lr = float(run.recipe[name]), float(run.recipe["lr"])
    y = float(draws.other(x, (1e-6, 1e-5, 1e-4, 0.0) if run.recipe.kind == "timm" else (0.001, 0.01, 0.1, 1 / 3)))
    by = 1 / lr if run.recipe.kind == "timm" else lr  # timm names a rate, the others a share of it
    return _pair(run, run.but(**{name: y}), _named((x, y), (x * by, y * by)))


def warmup_plus_one(draws: Draws) -> Pair:
    """(n + 1) / (w + 1) for n / w."""
    run = draws.run(["nanogpt-2023"])
    other = replace(run, recipe=replace(run.recipe, kind="nanogpt"))
    warm, lr = int(run.recipe["warmup_iters"]), float(run.recipe["lr"])
    return _pair(run, other, _named((0, lr / (warm + 1)), (0, 1 / (warm + 1)), (warm, warm + 1), may=[(0, 1), (0, -1)]))


def _lowest(run: Run) -> float:
    """The rate that the schedule ends at, and that people name; 0 where it names none."""
    name = FLOOR.get(run.recipe.kind)
    if name is None or name not in run.recipe:
        return 0.0
    return float(run.recipe[name]) * (float(run.recipe["lr"]) if name == "alpha" else 1.0)


def _floored(draws: Draws, factor: float | None = None) -> Pair:
    run = draws.run([kind for kind in KINDS if kind.removesuffix("-cold") in FLOOR])
    name = FLOOR[run.recipe.kind]
    x, lr = _lowest(run), float(run.recipe["lr"])
    y = 0.0 if factor is None else x * factor
    if not x or y >= lr / 2:
        raise Undrawn
    answers = [_named((x, y), (x / lr, y / lr))]
    if factor is None:
        answers.append(Answer("floor", (("side", "a"), ("rate", x))))
    return _pair(run, run.but(**{name: y / lr if name == "alpha" else y}), *answers)


def floor_forgotten(draws: Draws) -> Pair:
    """No min_lr, or eta_min."""
    return _floored(draws)


def floor_other(draws: Draws) -> Pair:
    """Another min_lr, or eta_min."""
    return _floored(draws, draws.of((10, 0.1, 2, 0.5)))


def peak_with_floor(draws: Draws) -> Pair:
    """Another peak, with the floor unmoved."""
    run = draws.run([kind for kind in FLOOR if kind not in MOVES])
    x, lowest = float(run.recipe["lr"]), _lowest(run)
    y = x * draws.of((2, 0.5, 10, 3))
    if not 0 < lowest < min(x, y) / 3:
        raise Undrawn
    return _pair(run, run.but(lr=y), _named((x, y), may=[(lowest, lowest)]))


def scale(draws: Draws) -> Pair:
    """Another rate."""
    run = draws.run()
    if (_lowest(run) and run.recipe.kind not in MOVES) or run.recipe.kind in ("timm", "hf-polynomial"):
        raise Undrawn
    x = float(run.recipe["lr"])
    factor = draws.of((10, 0.1, 2, 0.5, 8, 4, 3, 0.6, 0.25))
    changed = {"max_lr": x * factor} if run.recipe.kind == "OneCycleLR" else {}
    return _pair(
        run, run.but(lr=x * factor, **changed), Answer("scale", (("factor", factor),)), _named((x, x * factor))
    )


def factor(draws: Draws) -> Pair:
    """Another gamma."""
    run = draws.run(["StepLR", "MultiStepLR", "ExponentialLR", "LinearLR+MultiStepLR", "LinearLR+StepLR", "detectron2"])
    x = float(run.recipe["gamma"])
    choices = (
        (0.9, 0.95, 0.97, 0.98, 0.99)
        if x in (0.9, 0.95, 0.97, 0.98)
        else (0.1, 0.5, 0.2, 0.3)
        if x < 0.9
        else (0.999, 0.9995, 0.9999)
    )
    y = float(draws.other(x, choices))
    return _pair(run, run.but(gamma=y), Answer("factor", (("factor_a", x), ("factor_b", y))), _named((x, y)))


def keras_factor(draws: Draws) -> Pair:
    """Another decay_rate of ExponentialDecay."""
    run = draws.run(["keras-exponential"])
    x = float(run.recipe["decay_rate"])
    y = float(draws.other(x, (0.95, 0.96, 0.9) if x > 0.9 else (0.5, 0.1, 0.9)))
    other = run.but(decay_rate=y)
    return _pair(run, other, Answer("factor", (("factor_a", x), ("factor_b", y))), _named((x, y)))


def keras_epochs(draws: Draws) -> Pair:
    """decay_steps in epochs where Keras counts updates."""
    run = draws.run(["keras-exponential"])
    steps, every = int(run.steps_per_epoch or 1), int(run.recipe["decay_steps"])
    if every % steps:
        raise Undrawn
    both = (every, every // steps)
    answers = [
        _counter(steps, ("steps-vs-epochs", "unknown")),
        Answer("period", (("period_a", both[0]), ("period_b", both[1]))),
    ]
    return _pair(run, run.but(decay_steps=both[1]), *answers, _named(both))


def step_size(draws: Draws) -> Pair:
    """A StepLR with another step_size."""
    run = draws.run(["StepLR"])
    x = int(run.recipe["step_size"])
    y = round(x * draws.of((2, 0.5, 1.5, 3)))
    if y in (0, x):
        raise Undrawn
    other = run.but(step_size=y)
    both = _either(x, y, run.unit)
    periods = [Answer("period", (("period_a", p), ("period_b", q))) for p, q in both]
    return _pair(run, other, _named(*both), *periods, _counter(x / y))


def factor_and_period(draws: Draws) -> Pair:
    """A StepLR with another step_size and another gamma."""
    run = draws.run(["StepLR"])
    x, gamma = int(run.recipe["step_size"]), float(run.recipe["gamma"])
    y, other_gamma = round(x * draws.of((2, 0.5))), float(draws.other(gamma, (0.9, 0.5, 0.1, 0.2)))
    if y in (0, x):
        raise Undrawn
    sizes = _either(x, y, run.unit)
    answers = [replace(_named(*sizes), each_of=(((gamma, other_gamma),),))]
    for p, q in sizes:
        decay = Answer("factor", (("factor_a", gamma), ("factor_b", other_gamma)))
        answers.append(replace(decay, second=Answer("period", (("period_a", p), ("period_b", q)))))
    answers.append(Answer("factor", (("factor_a", gamma), ("factor_b", other_gamma)), second=_counter(x / y)))
    return _pair(run, run.but(step_size=y, gamma=other_gamma), *answers)


def milestone(draws: Draws) -> Pair:
    """One milestone at another step."""
    run = draws.run(["MultiStepLR", "LinearLR+MultiStepLR", "detectron2"])
    stones = list(run.recipe["milestones"])
    which = int(draws.random.integers(len(stones)))
    x = stones[which]
    y = round(x * draws.of((0.9, 1.1, 1.2, 0.8, 1.25)))
    changed = [*stones[:which], y, *stones[which + 1 :]]
    if changed != sorted(set(changed)) or y * run.unit >= run.updates or x == y:
        raise Undrawn
    lag = int(run.recipe["warmup"]) if run.recipe.kind.startswith("LinearLR+") else 0
    both = (*_either(x, y, run.unit), *_either(x + lag, y + lag, run.unit))
    return _pair(run, run.but(milestones=tuple(changed)), _named(*both), *_one_stone(len(stones), both))


def _one_stone(count: int, both: Sequence[Both]) -> list[Answer]:
    """Where there is only one milestone, its step is the period."""
    if count > 1:
        return []
    return [Answer("period", (("period_a", p), ("period_b", q))) for p, q in both] + [
        _counter(p / q) for p, q in both[:1]
    ]


def last_milestone(draws: Draws) -> Pair:
    """The last milestone is missing."""
    run = draws.run(["MultiStepLR", "LinearLR+MultiStepLR", "detectron2"])
    stones = run.recipe["milestones"]
    lag = int(run.recipe["warmup"]) if run.recipe.kind.startswith("LinearLR+") else 0
    step = (stones[-1] + lag) * run.unit
    if step >= run.updates:
        raise Undrawn
    a, gamma = run.rates(), float(run.recipe["gamma"])
    other = run.but(milestones=stones[:-1])
    answers = [
        Answer("extra-decay", (("side", "a"), ("step", step), ("factor", (gamma, 1 / gamma)))),
        Answer("floor", (("side", "b"), ("rate", float(a[step - 1])))),
        Answer("tail", (("side", "b"), ("step", step))),
        Answer("never-falls", (("side", "b"),)),
        Answer("parameters"),
    ]
    return _pair(run, other, *answers)


def power(draws: Draws) -> Pair:
    """Another power."""
    run = draws.run(["hf-polynomial", "PolynomialLR", "poly"])
    x = float(run.recipe["power"])
    y = float(draws.other(x, (0.5, 0.9, 1.0, 2.0, 3.0)))
    return _pair(run, run.but(power=y), _named((x, y)))


def pct_start(draws: Draws) -> Pair:
    """Another pct_start."""
    run = draws.run(["OneCycleLR"])
    x, count = float(run.recipe["pct_start"]), int(run.recipe["total_steps"])
    y = float(draws.other(x, (0.05, 0.1, 0.2, 0.3, 0.4)))
    counts = [(x * count - one, y * count - one) for one in (0, 1)]
    return _pair(run, run.but(pct_start=y), _named((x, y), *counts, may=[(count - p, count - q) for p, q in counts]))


def cycles(draws: Draws) -> Pair:
    """Another number of cycles."""
    run = draws.run(["hf-cosine-restarts"])
    x = int(run.recipe["num_cycles"])
    y = int(draws.other(x, (1, 2, 3, 4)))
    count, warm = _lengths_of_cycles(run)
    spans = [(count / x, count / y)]
    periods = [Answer("period", (("period_a", p), ("period_b", q))) for p, q in spans]
    more = [] if warm else [_counter(y / x)]
    return _pair(run, run.but(num_cycles=y), _named((x, y), *spans), *periods, *more)


def _lengths_of_cycles(run: Run) -> tuple[int, int]:
    warm = int(run.recipe["warmup"])
    return int(run.recipe["total"]) - warm, warm


def per_epoch(draws: Draws) -> Pair:
    """Stepped once per update where it was meant per epoch, or the reverse."""
    run = draws.run(
        ["StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "PolynomialLR", "CosineAnnealingWarmRestarts"]
    )
    if run.per == "epoch":
        other, pace = replace(run, per="step"), float(run.steps_per_epoch or 1)
    elif run.recipe.kind == "ExponentialLR":
        raise Undrawn
    else:
        other, pace = replace(run, per="epoch"), 1 / float(run.steps_per_epoch or 1)
    answers = [_counter(pace, ("steps-vs-epochs", "unknown"))]
    if run.recipe.kind == "StepLR":
        size = int(run.recipe["step_size"])
        answers.append(Answer("period", (("period_a", size * run.unit), ("period_b", size * other.unit))))
    if not np.ptp(other.rates()):
        answers += _constant("b")
    return _pair(run, other, *answers)


def _constant(side: str) -> list[Answer]:
    return [Answer(name, (("side", side),)) for name in ("never-falls", "tail", "floor")] + [Answer("family")]


def processes(draws: Draws) -> Pair:
    """Called once per process, or once per batch of an accumulated update."""
    run = draws.run(
        [
            "hf-linear",
            "hf-cosine",
            "hf-cosine-min-lr",
            "hf-constant-warmup",
            "hf-polynomial",
            "hf-inverse-sqrt",
            "OneCycleLR",
            "hf-wsd",
        ]
    )
    k = int(draws.of((2, 4, 8)))
    return _pair(run, run.at(run.called() * k), _counter(k), *_same_as_counter(run, k), runs=(run, run), times=k)


def _same_as_counter(run: Run, k: float) -> list[Answer]:
    """Each length of the schedule shorter by k: the same rates."""
    answers = []
    if run.recipe.kind in WITH_TOTAL:
        count, warm = _length(run)
        spans = [(count, count / k), (count - warm, (count - warm) / k)]
        answers.append(_named(*spans, may=[(warm, warm / k)] if warm else []))
        if not warm:
            answers += [Answer("period", (("period_a", p), ("period_b", q))) for p, q in spans[:1]]
    elif run.recipe.kind in WARMUP:
        warm = int(run.recipe[WARMUP[run.recipe.kind]])
        answers += [_named((warm, warm / k)), Answer("period", (("period_a", warm), ("period_b", warm / k)))]
    return answers


def next_rate(draws: Draws) -> Pair:
    """Logged after scheduler.step()."""
    run = draws.run()
    longer = replace(run, updates=run.updates + run.unit)
    rates = longer.at(np.append(run.called()[1:], run.called()[-1] + (run.unit == 1)))
    return _pair(run, rates, Answer("shift", (("steps", 1),)), verdicts=("inconclusive",))


def off_by_epoch(draws: Draws) -> Pair:
    """The scheduler is an epoch ahead, or behind."""
    run = draws.run(["StepLR", "MultiStepLR", "CosineAnnealingLR", "PolynomialLR"])
    if run.per != "epoch":
        raise Undrawn
    by = 1 if draws.chance(0.6) else -1
    return _pair(run, run.at(np.maximum(run.called() + by, 0)), Answer("shift", (("steps", by * run.unit),)))


def counts_from_one(draws: Draws) -> Pair:
    """The same run; one log counts from 1."""
    run = draws.run()
    return _pair(run, run.rates(), verdicts=("inconclusive", "same"), base=1)


def resumed_longer(draws: Draws) -> Pair:
    """Resumed with more epochs: from a step on, the schedule of a longer run."""
    run = draws.run(["hf-linear", "hf-cosine", "hf-cosine-min-lr", "hf-polynomial", "poly", "nanogpt-2023"])
    name = WITH_TOTAL[run.recipe.kind]
    count, warm = _length(run)
    longer = run.but(**{name: round(count * draws.of((2, 1.5, 3)))})
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    at -= at % run.unit
    if at <= warm * 1.2:
        raise Undrawn
    rates = np.concatenate([run.rates()[:at], longer.rates()[at:]])
    x, y = count, _length(longer)[0]
    both = (*_either(x, y, run.unit), *_either(x - warm, y - warm, run.unit))
    named = [replace(_named(*both), name=each, values=(("step", at),)) for each in ("parameters", "resumed", "resume")]
    return _pair(
        run, rates, *named, *(Answer("period", (("period_a", p), ("period_b", q), ("step", at))) for p, q in both)
    )


def reset(draws: Draws) -> Pair:
    """Resumed without the scheduler's state: it begins anew."""
    run = draws.run()
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    at -= at % run.unit
    called = run.called().copy()
    called[at:] = called[: run.updates - at]
    return _pair(run, run.at(called), Answer("reset", (("side", "b"), ("step", at))))


def decayed_twice(draws: Draws) -> Pair:
    """The rate of the checkpoint is decayed once more."""
    run = draws.run(["StepLR", "MultiStepLR", "ExponentialLR"])
    gamma = float(run.recipe["gamma"])
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    at -= at % run.unit
    rates = run.rates().copy()
    rates[at:] *= gamma
    falls = np.flatnonzero(np.diff(rates) < 0) + 1
    if not falls.size or falls[0] == at:
        raise Undrawn
    return _pair(run, rates, Answer("extra-decay", (("side", "b"), ("step", at), ("factor", gamma))))


def skipped(draws: Draws) -> Pair:
    """Updates that the gradient scaler skips, and the scheduler with them."""
    run = draws.run(["hf-linear", "hf-cosine", "hf-inverse-sqrt", "hf-polynomial", "nanogpt-2023", "OneCycleLR"])
    random = draws.random
    count = int(draws.of((1, 2, 3, 4, 6)))
    early = sorted(random.choice(np.arange(0, 20), count, replace=False).tolist())
    late = sorted(random.integers(run.updates // 10, run.updates * 4 // 10, int(draws.of((0, 0, 1, 2)))).tolist())
    held = np.zeros(run.updates, dtype=int)
    for at in (*early, *late):
        held[at + 1 :] += 1
    lags = (len(early), len(early) + len(late))
    answers = [Answer("skipped", (("*", (lags[1], -lags[1])),))]
    if not late:
        answers.append(Answer("shift", (("steps", -lags[0]),)))
    return _pair(run, run.at(run.called() - held), *answers)


def never_stepped(draws: Draws) -> Pair:
    """scheduler.step() is never called."""
    run = draws.run(["StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "PolynomialLR", "poly"])
    return _pair(run, np.full(run.updates, run.rates()[0]), *_constant("b"))


def rises_again(draws: Draws) -> Pair:
    """CosineAnnealingLR runs on after T_max, where the other holds its end."""
    run = draws.run(["CosineAnnealingLR"])
    end = int(run.recipe["T_max"])
    called = np.arange(round(run.updates * draws.of((1.2, 1.5, 2)))) // run.unit
    a, b = run.at(np.minimum(called, end)), run.at(called)
    answers = [Answer("tail", (("side", "a"), ("step", (end * run.unit, (end + 1) * run.unit))))]
    return Pair(run.recipe.kind, a, b, tuple(answers), steps_per_epoch=run.steps_per_epoch)


def plateaus(draws: Draws) -> Pair:
    """Two runs under ReduceLROnPlateau."""
    steps, epochs = draws.epochs(30)
    lr, factor_ = draws.of((0.1, 1e-3, 0.01)), draws.of((0.1, 0.5, 0.2))
    patience = int(draws.of((2, 3, 5)))
    both = [
        np.repeat(
            plateau(lr, factor_, patience, np.exp(-np.arange(epochs) / 8) + 0.05 * draws.random.random(epochs)), steps
        )
        for _ in "ab"
    ]
    return Pair("ReduceLROnPlateau", both[0], both[1], (), vague=True, steps_per_epoch=steps)


def other_kind(draws: Draws) -> Pair:
    """Two schedules of different kinds, with the same rate and length."""
    groups = [
        ["hf-linear", "hf-cosine", "hf-inverse-sqrt", "hf-wsd", "hf-constant-warmup"],
        ["StepLR", "CosineAnnealingLR", "ExponentialLR", "poly", "MultiStepLR"],
    ]
    group = draws.of(groups)
    one = draws.run(group)
    for _ in range(200):
        other = draws.run([kind for kind in group if kind != one.recipe.kind])
        if (other.updates, other.steps_per_epoch, other.per) == (one.updates, one.steps_per_epoch, one.per):
            break
    else:
        raise Undrawn
    other = other.but(
        lr=one.recipe["lr"],
        **({"warmup": one.recipe["warmup"]} if "warmup" in one.recipe and "warmup" in other.recipe else {}),
    )
    if {"hf-wsd", "hf-constant-warmup"} <= {one.recipe.kind, other.recipe.kind} or (
        other.recipe.kind == "hf-inverse-sqrt" and not other.recipe["warmup"]
    ):
        raise Undrawn
    more = [Answer("family")]
    if "hf-constant-warmup" in (one.recipe.kind, other.recipe.kind):
        more += [Answer(name) for name in ("never-falls", "tail", "floor")]
    return _pair(one, other, *more)


def same(draws: Draws) -> Pair:
    """The same run, logged twice."""
    run = draws.run()
    return _pair(run, run.rates(), verdicts=("same",))


def by_hand(draws: Draws) -> Pair:
    """What no cause names: rates that somebody turned down now and then, or noise."""
    run = draws.run()
    rates = run.rates().copy()
    if draws.chance(0.5):
        for at in sorted(draws.random.integers(run.updates // 10, run.updates, int(draws.of((3, 4, 5)))).tolist()):
            rates[at:] *= draws.of((0.5, 0.3, 0.7, 2.0))
    else:
        rates *= np.exp(0.05 * draws.random.standard_normal(len(rates)))
    return _pair(run, rates, vague=True)


def accumulated(draws: Draws) -> Pair:
    """The scheduler counts micro-batches, and the clock says how many make an update."""
    run = draws.run(
        ["hf-linear", "hf-cosine", "hf-cosine-min-lr", "hf-inverse-sqrt", "keras-exponential", "keras-cosine"]
    )
    if run.steps_per_epoch is None:
        raise Undrawn
    k = int(draws.of((2, 4, 8)))
    late = k - 1 if run.recipe.kind.startswith("keras-") else 0  # Keras updates with the last of the k
    clock = (("samples", run.steps_per_epoch * 32 * k), ("batch_size", 32), ("accumulate", k))
    answers = [_counter(k, ("gradient-accumulation",)), *_same_as_counter(run, k)]
    return _pair(run, run.at(run.called() * k + late), *answers, options=clock, times=k)


def undivided(draws: Draws) -> Pair:
    """Total and warm-up counted in batches, where k of them make an update: the slow run is the wrong one."""
    run = draws.run(["hf-linear", "hf-cosine", "hf-polynomial"])
    k = int(draws.of((2, 4, 8)))
    other = run.but(total=run.recipe["total"] * k, warmup=run.recipe["warmup"] * k)
    return _pair(run, other, _counter(1 / k), *_same_as_counter(run, 1 / k))


def wsd_decay(draws: Draws) -> Pair:
    """A decay of another length at the end of warm-up, stable, decay."""
    run = draws.run(["hf-wsd"])
    x, (count, warm) = int(run.recipe["num_decay_steps"]), _length(run)
    y = round(count * draws.of((0.05, 0.1, 0.2, 0.3, 0.4)))
    if abs(x - y) < 3:
        raise Undrawn
    may = [(count - x, count - y), (count - warm - x, count - warm - y)]
    return _pair(run, run.but(num_decay_steps=y), _named((x, y), *may, may=may))


def never_decays(draws: Draws) -> Pair:
    """Warm-up, stable, and no decay."""
    run = draws.run(["hf-wsd"])
    count, _ = _length(run)
    step = count - int(run.recipe["num_decay_steps"])
    numbers = {"lr": run.recipe["lr"], "warmup": run.recipe["warmup"]}
    other = replace(run, recipe=Recipe.of("hf-constant-warmup", **numbers))
    named = [Answer("tail", (("side", "b"), ("step", (step, step + 1)))), Answer("floor", (("side", "b"),))]
    return _pair(run, other, *named, Answer("never-falls", (("side", "b"),)))


def remade(draws: Draws) -> Pair:
    """Resumed with a new scheduler on the decayed rate: it begins again, from there."""
    run = draws.run(["hf-cosine", "hf-linear", "CosineAnnealingLR", "PolynomialLR", "StepLR", "poly"])
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    at -= at % run.unit
    before = run.rates()
    if not at or not 0 < before[at] < 0.99 * before.max():
        raise Undrawn
    again = replace(run.but(lr=float(before[at])), updates=run.updates - at)
    rates = np.concatenate([before[:at], again.rates()])
    named = [Answer("reset", (("side", "b"), ("step", at))), Answer("*", (("step", at), ("side", "b")))]
    return _pair(run, rates, *named)


def epoch_repeated(draws: Draws) -> Pair:
    """Resumed an epoch late or early: from a step on, a constant delay."""
    run = draws.run(["hf-cosine", "hf-linear", "CosineAnnealingLR", "PolynomialLR", "ExponentialLR"])
    if run.steps_per_epoch is None:
        raise Undrawn
    epochs = run.updates // run.steps_per_epoch
    at = run.steps_per_epoch * max(1, round(epochs * draws.of((0.3, 0.5, 0.6))))
    by = run.steps_per_epoch * draws.of((1, -1))
    called = np.arange(run.updates)
    called[at:] = np.minimum(called[at:] + by, run.updates - 1)
    rates = run.at(called // run.unit)
    answers = [Answer("*", (("step", at), ("*", (by, -by, by // run.unit, -by // run.unit))))]
    if run.recipe.kind == "ExponentialLR":  # a decay more or less is the same
        gamma = float(run.recipe["gamma"]) ** (abs(by) // run.unit)
        answers.append(Answer("extra-decay", (("step", at), ("factor", (gamma, 1 / gamma)))))
    return _pair(run, rates, *answers)


def milestone_never_met(draws: Draws) -> Pair:
    """Milestones that are no whole numbers, which MultiStepLR never meets."""
    run = draws.run(["MultiStepLR"])
    stones = tuple(stone + 0.6 for stone in run.recipe["milestones"])
    return _pair(run, run.but(milestones=stones), *_constant("b"))


def column_begins_again(draws: Draws) -> Pair:
    """The same run, resumed: the column of steps begins again at 0."""
    run = draws.run()
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    return _pair(run, run.rates(), verdicts=("same",), restart=at)


def along_a_logarithm(draws: Draws) -> Pair:
    """A warm-up along a logarithm, as DeepSpeed's is by default, for a line."""
    count = int(draws.of((600, 1000, 2000, 5000)))
    lr, warm = draws.of(FINE), draws.warmup(count)
    run = Run(Recipe.of("deepspeed", lr=lr, warmup_num_steps=warm), count)
    other = replace(run, recipe=Recipe.of("hf-constant-warmup", lr=lr, warmup=warm))
    return _pair(run, other, Answer("parameters"), vague=True)


def scaled(draws: Draws) -> Pair:
    """Another rate, and one more mistake."""
    pair = draws.of((processes, warmup_missing, total, milestone, factor, per_epoch, reset, undivided, cycles))(draws)
    by = draws.of((10, 0.1, 2, 0.5))
    if not np.isclose(pair.a.max(), pair.b.max()):
        raise Undrawn
    peak = float(pair.a.max())
    answers = [Answer("scale", (("factor", by),), second=each) for each in pair.answers if each.second is None]
    answers += [replace(each, each_of=(((peak, peak * by),),)) for each in pair.answers if each.one_of]
    return replace(pair, b=pair.b * by, answers=tuple(answers), runs=None, each=(pair.b,))


def two_numbers(draws: Draws) -> Pair:
    """Two numbers of a schedule: the warm-up, the total, or the floor."""
    run = draws.run(["hf-linear", "hf-cosine", "hf-cosine-min-lr", "nanogpt-2023"])
    warm, length = WARMUP[run.recipe.kind], WITH_TOTAL[run.recipe.kind]
    x, count, lowest = int(run.recipe[warm]), int(run.recipe[length]), _lowest(run)
    if not x:
        raise Undrawn
    y, other_count = draws.warmup(count, x), round(count * draws.of((2, 1.5, 0.8)))
    if max(x, y) > 0.4 * min(count, other_count):
        raise Undrawn
    changes = [((x, y), warm, y), ((count, other_count), length, other_count)]
    changes += [((lowest, 0.0), FLOOR[run.recipe.kind], 0.0)] if lowest else []
    left_out = int(draws.random.integers(len(changes))) if len(changes) > 2 else None
    chosen = [each for place, each in enumerate(changes) if place != left_out]
    other = run.but(**{name: value for _, name, value in chosen})
    decays = (int(run.recipe[length]) - x, int(other.recipe[length]) - int(other.recipe[warm]))
    groups = tuple((both, decays) if name == length else (both,) for both, name, _ in chosen)
    named = replace(_named(*groups[0]), each_of=groups[1:], may=(decays, (count, int(other.recipe[length]))))
    each = tuple(run.but(**{name: value}).rates() for _, name, value in chosen)
    return replace(_pair(run, other, named), each=each)


MISTAKES: dict[str, Callable[[Draws], Pair]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        total, warmup_missing, warmup_length, warmup_start, warmup_plus_one, along_a_logarithm, floor_forgotten,
        floor_other, peak_with_floor, scale, factor, keras_factor, step_size, factor_and_period, milestone,
        last_milestone, milestone_never_met, power, pct_start, cycles, wsd_decay, never_decays, per_epoch, keras_epochs,
        processes, accumulated, undivided, next_rate, off_by_epoch, counts_from_one, column_begins_again,
        resumed_longer, remade, epoch_repeated, reset, decayed_twice, skipped, never_stepped, rises_again, plateaus,
        other_kind, by_hand, same, scaled, two_numbers,
    )
}  # fmt: skip
"""By name. `same` has no mistake, `by-hand` and `plateaus` none that a cause names, `scaled` and `two-numbers` two."""
