"""Mistakes in the numbers of a schedule: totals, warm-ups, floors, rates, factors, milestones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.everyday.answers import Answer, Both
from benchmarks.everyday.pairs import (
    FLOOR,
    MOVES,
    WARMUP,
    WITH_TOTAL,
    Pair,
    Undrawn,
    constant,
    counter,
    either,
    length_of,
    lowest_of,
    numbered,
    pair_of,
)
from benchmarks.everyday.runs import FINE, KINDS, Draws, Run
from benchmarks.everyday.schedules import Recipe


def total(draws: Draws) -> Pair:
    """Another total: of another run, or steps counted otherwise."""
    run = draws.run(list(WITH_TOTAL))
    name = WITH_TOTAL[run.recipe.kind]
    before, lead = int(run.recipe[name]), length_of(run)[0] - int(run.recipe[name])
    after = round((before + lead) * draws.of((2, 2, 0.5, 1.5, 4, 0.8, 1.25, 10 / 9))) - lead
    if after < 3:
        raise Undrawn
    other = run.but(**{name: after})
    (x, warm), (y, _) = length_of(run), length_of(other)
    if min(x, y) <= warm * 1.5 or (run.recipe.kind == "hf-wsd" and min(x, y) - warm <= run.recipe["num_decay_steps"]):
        raise Undrawn
    if after < before and run.recipe.kind in ("OneCycleLR", "CosineAnnealingLR", "LinearLR+CosineAnnealingLR"):
        other = replace(other, updates=(y if run.recipe.kind != "OneCycleLR" else after) * run.unit)
    elif draws.chance(0.4):
        other = replace(other, updates=y * run.unit)
    both = (*either(x, y, run.unit), *either(x - warm, y - warm, run.unit))
    if run.recipe.kind == "hf-wsd":
        lasts = run.recipe["num_decay_steps"]
        both = (*both, (x - warm - lasts, y - warm - lasts), (x - lasts, y - lasts))
    answers = [numbered(*both), *(Answer("period", (("period_a", p), ("period_b", q))) for p, q in both)]
    if not warm:
        answers.append(counter(x / y))
    return pair_of(run, other, *answers)


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
        ((x, _),) = (length_of(run),)
        y = length_of(other)[0] if other.recipe.kind in WITH_TOTAL else x
        follows = [*either(x - warm, y, run.unit), *either(x, y, run.unit)]
    answers = [answer, numbered(*either(warm, 0, run.unit), may=follows)]
    for p, q in follows:
        answers.append(replace(answer, second=Answer("period", (("period_a", p), ("period_b", q)))))
        answers.append(replace(answer, second=numbered((p, q))))
    return pair_of(run, other, *answers)


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
        p, q = length_of(run)[0], length_of(other)[0]
        follows = [*either(p - x, q - y, run.unit), *either(p, q, run.unit)]
        if run.recipe.kind == "hf-wsd":
            lasts = run.recipe["num_decay_steps"]
            follows.append((p - x - lasts, q - y - lasts))
    if run.recipe.kind == "noam":
        follows.append((float(run.rates().max()), float(other.rates().max())))
    answers = [numbered(*either(x, y, run.unit), may=follows)]
    if run.recipe.kind in ("hf-constant-warmup", "hf-inverse-sqrt"):
        answers += [counter(x / y), Answer("period", (("period_a", x), ("period_b", y)))]
    return pair_of(run, other, *answers)


def warmup_start(draws: Draws) -> Pair:
    """A warm-up from another rate."""
    run = draws.run(["LinearLR+CosineAnnealingLR", "LinearLR+MultiStepLR", "LinearLR+StepLR", "detectron2", "timm"])
    name = {"detectron2": "warmup_factor", "timm": "warmup_lr_init"}.get(run.recipe.kind, "start_factor")
    x, lr = float(run.recipe[name]), float(run.recipe["lr"])
    y = float(draws.other(x, (1e-6, 1e-5, 1e-4, 0.0) if run.recipe.kind == "timm" else (0.001, 0.01, 0.1, 1 / 3)))
    by = 1 / lr if run.recipe.kind == "timm" else lr  # timm names a rate, the others a share of it
    return pair_of(run, run.but(**{name: y}), numbered((x, y), (x * by, y * by)))


def warmup_plus_one(draws: Draws) -> Pair:
    """(n + 1) / (w + 1) for n / w."""
    run = draws.run(["nanogpt-2023"])
    other = replace(run, recipe=replace(run.recipe, kind="nanogpt"))
    warm, lr = int(run.recipe["warmup_iters"]), float(run.recipe["lr"])
    return pair_of(
        run, other, numbered((0, lr / (warm + 1)), (0, 1 / (warm + 1)), (warm, warm + 1), may=[(0, 1), (0, -1)])
    )


def along_a_logarithm(draws: Draws) -> Pair:
    """A warm-up along a logarithm, as DeepSpeed's is by default, for a line."""
    count = int(draws.of((600, 1000, 2000, 5000)))
    lr, warm = draws.of(FINE), draws.warmup(count)
    run = Run(Recipe.of("deepspeed", lr=lr, warmup_num_steps=warm), count)
    other = replace(run, recipe=Recipe.of("hf-constant-warmup", lr=lr, warmup=warm))
    return pair_of(run, other, Answer("parameters"), vague=True)


def _floored(draws: Draws, factor: float | None = None) -> Pair:
    run = draws.run([kind for kind in KINDS if kind.removesuffix("-cold") in FLOOR])
    name = FLOOR[run.recipe.kind]
    x, lr = lowest_of(run), float(run.recipe["lr"])
    y = 0.0 if factor is None else x * factor
    if not x or y >= lr / 2:
        raise Undrawn
    answers = [numbered((x, y), (x / lr, y / lr))]
    if factor is None:
        answers.append(Answer("floor", (("side", "a"), ("rate", x))))
    return pair_of(run, run.but(**{name: y / lr if name == "alpha" else y}), *answers)


def floor_forgotten(draws: Draws) -> Pair:
    """No min_lr, or eta_min."""
    return _floored(draws)


def floor_other(draws: Draws) -> Pair:
    """Another min_lr, or eta_min."""
    return _floored(draws, draws.of((10, 0.1, 2, 0.5)))


def peak_with_floor(draws: Draws) -> Pair:
    """Another peak, with the floor unmoved."""
    run = draws.run([kind for kind in FLOOR if kind not in MOVES])
    x, lowest = float(run.recipe["lr"]), lowest_of(run)
    y = x * draws.of((2, 0.5, 10, 3))
    if not 0 < lowest < min(x, y) / 3:
        raise Undrawn
    return pair_of(run, run.but(lr=y), numbered((x, y), may=[(lowest, lowest)]))


def scale(draws: Draws) -> Pair:
    """Another rate."""
    run = draws.run()
    if (lowest_of(run) and run.recipe.kind not in MOVES) or run.recipe.kind in ("timm", "hf-polynomial"):
        raise Undrawn
    x = float(run.recipe["lr"])
    factor = draws.of((10, 0.1, 2, 0.5, 8, 4, 3, 0.6, 0.25))
    changed = {"max_lr": x * factor} if run.recipe.kind == "OneCycleLR" else {}
    return pair_of(
        run, run.but(lr=x * factor, **changed), Answer("scale", (("factor", factor),)), numbered((x, x * factor))
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
    return pair_of(run, run.but(gamma=y), Answer("factor", (("factor_a", x), ("factor_b", y))), numbered((x, y)))


def keras_factor(draws: Draws) -> Pair:
    """Another decay_rate of ExponentialDecay."""
    run = draws.run(["keras-exponential"])
    x = float(run.recipe["decay_rate"])
    y = float(draws.other(x, (0.95, 0.96, 0.9) if x > 0.9 else (0.5, 0.1, 0.9)))
    other = run.but(decay_rate=y)
    return pair_of(run, other, Answer("factor", (("factor_a", x), ("factor_b", y))), numbered((x, y)))


def step_size(draws: Draws) -> Pair:
    """A StepLR with another step_size."""
    run = draws.run(["StepLR"])
    x = int(run.recipe["step_size"])
    y = round(x * draws.of((2, 0.5, 1.5, 3)))
    if y in (0, x):
        raise Undrawn
    other = run.but(step_size=y)
    both = either(x, y, run.unit)
    periods = [Answer("period", (("period_a", p), ("period_b", q))) for p, q in both]
    return pair_of(run, other, numbered(*both), *periods, counter(x / y))


def factor_and_period(draws: Draws) -> Pair:
    """A StepLR with another step_size and another gamma."""
    run = draws.run(["StepLR"])
    x, gamma = int(run.recipe["step_size"]), float(run.recipe["gamma"])
    y, other_gamma = round(x * draws.of((2, 0.5))), float(draws.other(gamma, (0.9, 0.5, 0.1, 0.2)))
    if y in (0, x):
        raise Undrawn
    sizes = either(x, y, run.unit)
    answers = [replace(numbered(*sizes), each_of=(((gamma, other_gamma),),))]
    for p, q in sizes:
        decay = Answer("factor", (("factor_a", gamma), ("factor_b", other_gamma)))
        answers.append(replace(decay, second=Answer("period", (("period_a", p), ("period_b", q)))))
    answers.append(Answer("factor", (("factor_a", gamma), ("factor_b", other_gamma)), second=counter(x / y)))
    return pair_of(run, run.but(step_size=y, gamma=other_gamma), *answers)


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
    both = (*either(x, y, run.unit), *either(x + lag, y + lag, run.unit))
    return pair_of(run, run.but(milestones=tuple(changed)), numbered(*both), *_one_stone(len(stones), both))


def _one_stone(count: int, both: Sequence[Both]) -> list[Answer]:
    """Where there is only one milestone, its step is the period."""
    if count > 1:
        return []
    return [Answer("period", (("period_a", p), ("period_b", q))) for p, q in both] + [
        counter(p / q) for p, q in both[:1]
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
    return pair_of(run, other, *answers)


def milestone_never_met(draws: Draws) -> Pair:
    """Milestones that are no whole numbers, which MultiStepLR never meets."""
    run = draws.run(["MultiStepLR"])
    stones = tuple(stone + 0.6 for stone in run.recipe["milestones"])
    return pair_of(run, run.but(milestones=stones), *constant("b"))


def power(draws: Draws) -> Pair:
    """Another power."""
    run = draws.run(["hf-polynomial", "PolynomialLR", "poly"])
    x = float(run.recipe["power"])
    y = float(draws.other(x, (0.5, 0.9, 1.0, 2.0, 3.0)))
    return pair_of(run, run.but(power=y), numbered((x, y)))


def pct_start(draws: Draws) -> Pair:
    """Another pct_start."""
    run = draws.run(["OneCycleLR"])
    x, count = float(run.recipe["pct_start"]), int(run.recipe["total_steps"])
    y = float(draws.other(x, (0.05, 0.1, 0.2, 0.3, 0.4)))
    counts = [(x * count - one, y * count - one) for one in (0, 1)]
    return pair_of(
        run, run.but(pct_start=y), numbered((x, y), *counts, may=[(count - p, count - q) for p, q in counts])
    )


def cycles(draws: Draws) -> Pair:
    """Another number of cycles."""
    run = draws.run(["hf-cosine-restarts"])
    x = int(run.recipe["num_cycles"])
    y = int(draws.other(x, (1, 2, 3, 4)))
    count, warm = _lengths_of_cycles(run)
    spans = [(count / x, count / y)]
    periods = [Answer("period", (("period_a", p), ("period_b", q))) for p, q in spans]
    more = [] if warm else [counter(y / x)]
    return pair_of(run, run.but(num_cycles=y), numbered((x, y), *spans), *periods, *more)


def _lengths_of_cycles(run: Run) -> tuple[int, int]:
    warm = int(run.recipe["warmup"])
    return int(run.recipe["total"]) - warm, warm


def wsd_decay(draws: Draws) -> Pair:
    """A decay of another length at the end of warm-up, stable, decay."""
    run = draws.run(["hf-wsd"])
    x, (count, warm) = int(run.recipe["num_decay_steps"]), length_of(run)
    y = round(count * draws.of((0.05, 0.1, 0.2, 0.3, 0.4)))
    if abs(x - y) < 3:
        raise Undrawn
    may = [(count - x, count - y), (count - warm - x, count - warm - y)]
    return pair_of(run, run.but(num_decay_steps=y), numbered((x, y), *may, may=may))


def never_decays(draws: Draws) -> Pair:
    """Warm-up, stable, and no decay."""
    run = draws.run(["hf-wsd"])
    count, _ = length_of(run)
    step = count - int(run.recipe["num_decay_steps"])
    numbers = {"lr": run.recipe["lr"], "warmup": run.recipe["warmup"]}
    other = replace(run, recipe=Recipe.of("hf-constant-warmup", **numbers))
    named = [Answer("tail", (("side", "b"), ("step", (step, step + 1)))), Answer("floor", (("side", "b"),))]
    return pair_of(run, other, *named, Answer("never-falls", (("side", "b"),)))
