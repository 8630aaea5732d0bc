"""Mistakes in the course of a run: resumed, skipped, decayed twice, never stepped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.everyday.answers import Answer
from benchmarks.everyday.pairs import WITH_TOTAL, Pair, Undrawn, constant, either, length_of, numbered, pair_of
from benchmarks.everyday.runs import Draws


def resumed_longer(draws: Draws) -> Pair:
    """Resumed with more epochs: from a step on, the schedule of a longer run."""
    run = draws.run(["hf-linear", "hf-cosine", "hf-cosine-min-lr", "hf-polynomial", "poly", "nanogpt-2023"])
    name = WITH_TOTAL[run.recipe.kind]
    count, warm = length_of(run)
    longer = run.but(**{name: round(count * draws.of((2, 1.5, 3)))})
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    at -= at % run.unit
    if at <= warm * 1.2:
        raise Undrawn
    rates = np.concatenate([run.rates()[:at], longer.rates()[at:]])
    x, y = count, length_of(longer)[0]
    both = (*either(x, y, run.unit), *either(x - warm, y - warm, run.unit))
    named = [
        replace(numbered(*both), name=each, values=(("step", at),)) for each in ("parameters", "resumed", "resume")
    ]
    return pair_of(
        run, rates, *named, *(Answer("period", (("period_a", p), ("period_b", q), ("step", at))) for p, q in both)
    )


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
    return pair_of(run, rates, *named)


def epoch_repeated(draws: Draws) -> Pair:
    """Resumed an epoch late or early: from a step on, a constant delay."""
    run = draws.run(["hf-cosine", "hf-linear", "CosineAnnealingLR", "PolynomialLR", "ExponentialLR"])
    if run.steps_per_epoch is None:
        raise Undrawn
    epochs = run.updates // run.steps_per_epoch
    at = run.steps_per_epoch * max(1, round(epochs * draws.of((0.3, 0.5, 0.6))))
    by = run.steps_per_epoch * draws.of((1, -1))
    called = np.arange(run.updates)
    called[at:] += by  # past its end, whatever the real one gives
    rates = run.at(called // run.unit)
    answers = [Answer("*", (("step", at), ("*", (by, -by, by // run.unit, -by // run.unit))))]
    if run.recipe.kind == "ExponentialLR":  # a decay more or less is the same
        gamma = float(run.recipe["gamma"]) ** (abs(by) // run.unit)
        answers.append(Answer("extra-decay", (("step", at), ("factor", (gamma, 1 / gamma)))))
    return pair_of(run, rates, *answers)


def reset(draws: Draws) -> Pair:
    """Resumed without the scheduler's state: it begins anew."""
    run = draws.run()
    at = round(run.updates * draws.of((0.5, 0.6, 0.25, 0.75)))
    at -= at % run.unit
    called = run.called().copy()
    called[at:] = called[: run.updates - at]
    return pair_of(run, run.at(called), Answer("reset", (("side", "b"), ("step", at))))


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
    return pair_of(run, rates, Answer("extra-decay", (("side", "b"), ("step", at), ("factor", gamma))))


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
    return pair_of(run, run.at(run.called() - held), *answers)


def never_stepped(draws: Draws) -> Pair:
    """scheduler.step() is never called."""
    run = draws.run(["StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "PolynomialLR", "poly"])
    return pair_of(run, np.full(run.updates, run.rates()[0]), *constant("b"))


def rises_again(draws: Draws) -> Pair:
    """CosineAnnealingLR runs on after T_max, where the other holds its end."""
    run = draws.run(["CosineAnnealingLR"])
    end = int(run.recipe["T_max"])
    called = np.arange(round(run.updates * draws.of((1.2, 1.5, 2)))) // run.unit
    a, b = run.at(np.minimum(called, end)), run.at(called)
    answers = [Answer("tail", (("side", "a"), ("step", (end * run.unit, (end + 1) * run.unit))))]
    return Pair(run.recipe.kind, a, b, tuple(answers), steps_per_epoch=run.steps_per_epoch)
