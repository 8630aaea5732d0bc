"""Mistakes of the pace: what the scheduler counts, and what the log counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.everyday.answers import Answer
from benchmarks.everyday.pairs import Pair, Undrawn, constant, counter, numbered, pair_of, same_as_counter
from benchmarks.everyday.runs import Draws


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
    answers = [counter(pace, ("steps-vs-epochs", "unknown"))]
    if run.recipe.kind == "StepLR":
        size = int(run.recipe["step_size"])
        answers.append(Answer("period", (("period_a", size * run.unit), ("period_b", size * other.unit))))
    if not np.ptp(other.rates()):
        answers += constant("b")
    return pair_of(run, other, *answers)


def keras_epochs(draws: Draws) -> Pair:
    """decay_steps in epochs where Keras counts updates."""
    run = draws.run(["keras-exponential"])
    steps, every = int(run.steps_per_epoch or 1), int(run.recipe["decay_steps"])
    if every % steps:
        raise Undrawn
    both = (every, every // steps)
    answers = [
        counter(steps, ("steps-vs-epochs", "unknown")),
        Answer("period", (("period_a", both[0]), ("period_b", both[1]))),
    ]
    return pair_of(run, run.but(decay_steps=both[1]), *answers, numbered(both))


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
    return pair_of(run, run.at(run.called() * k), counter(k), *same_as_counter(run, k), runs=(run, run), times=k)


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
    answers = [counter(k, ("gradient-accumulation",)), *same_as_counter(run, k)]
    return pair_of(run, run.at(run.called() * k + late), *answers, options=clock, times=k)


def undivided(draws: Draws) -> Pair:
    """Total and warm-up counted in batches, where k of them make an update: the slow run is the wrong one."""
    run = draws.run(["hf-linear", "hf-cosine", "hf-polynomial"])
    k = int(draws.of((2, 4, 8)))
    other = run.but(total=run.recipe["total"] * k, warmup=run.recipe["warmup"] * k)
    return pair_of(run, other, counter(1 / k), *same_as_counter(run, 1 / k))


def next_rate(draws: Draws) -> Pair:
    """Logged after scheduler.step()."""
    run = draws.run()
    longer = replace(run, updates=run.updates + run.unit)
    rates = longer.at(np.append(run.called()[1:], run.called()[-1] + (run.unit == 1)))
    return pair_of(run, rates, Answer("shift", (("steps", 1),)), verdicts=("inconclusive",))


def off_by_epoch(draws: Draws) -> Pair:
    """The scheduler is an epoch ahead, or behind."""
    run = draws.run(["StepLR", "MultiStepLR", "CosineAnnealingLR", "PolynomialLR"])
    if run.per != "epoch":
        raise Undrawn
    by = 1 if draws.chance(0.6) else -1
    return pair_of(run, run.at(np.maximum(run.called() + by, 0)), Answer("shift", (("steps", by * run.unit),)))


def counts_from_one(draws: Draws) -> Pair:
    """The same run; one log counts from 1."""
    run = draws.run()
    return pair_of(run, run.rates(), verdicts=("inconclusive", "same"), base=1)


def column_begins_again(draws: Draws) -> Pair:
    """The same run, resumed: the column of steps begins again at 0."""
    run = draws.run()
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    return pair_of(run, run.rates(), verdicts=("same",), restart=at)
