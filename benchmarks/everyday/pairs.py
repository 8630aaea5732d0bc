"""A pair of runs and what is right about it, and the names that libraries give to the numbers of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.everyday.answers import Answer, Both
from benchmarks.everyday.runs import Run
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


def pair_of(run: Run, b: np.ndarray | Run, *answers: Answer, **more: Any) -> Pair:
    """The pair of a run and of another, or of its rates."""
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


def numbered(*one_of: Both, may: Sequence[Both] = ()) -> Answer:
    """The cause `parameters`, with one of these pairs of numbers."""
    return Answer("parameters", one_of=one_of, may=tuple(may))


def either(x: float, y: float, unit: int = 1) -> tuple[Both, ...]:
    """A pair of numbers, in calls of the scheduler and in updates."""
    return ((x, y),) if unit == 1 else ((x, y), (x * unit, y * unit))


def counter(factor: float, readings: tuple[str, ...] = NOT_KNOWN) -> Answer:
    """The cause `counter`; what the factor means is not known unless readings say so."""
    return Answer("counter", (("factor", factor),), readings=readings)


def length_of(run: Run) -> tuple[int, int]:
    """The total that a run names, and its warm-up, both in calls; where the warm-up comes before the total, in all."""
    total = int(run.recipe[WITH_TOTAL[run.recipe.kind]])
    name = WARMUP.get(run.recipe.kind, "")
    warmup = int(run.recipe[name]) if name in run.recipe else 0
    return (total + warmup, warmup) if run.recipe.kind.startswith(BEFORE_TOTAL) else (total, warmup)


def lowest_of(run: Run) -> float:
    """The rate that the schedule ends at, and that people name; 0 where it names none."""
    name = FLOOR.get(run.recipe.kind)
    if name is None or name not in run.recipe:
        return 0.0
    return float(run.recipe[name]) * (float(run.recipe["lr"]) if name == "alpha" else 1.0)


def constant(side: str) -> list[Answer]:
    """Answers that are right where one side never changes."""
    return [Answer(name, (("side", side),)) for name in ("never-falls", "tail", "floor")] + [Answer("family")]


def same_as_counter(run: Run, k: float) -> list[Answer]:
    """Each length of the schedule shorter by k: the same rates."""
    answers = []
    if run.recipe.kind in WITH_TOTAL:
        count, warm = length_of(run)
        spans = [(count, count / k), (count - warm, (count - warm) / k)]
        answers.append(numbered(*spans, may=[(warm, warm / k)] if warm else []))
        if not warm:
            answers += [Answer("period", (("period_a", p), ("period_b", q))) for p, q in spans[:1]]
    elif run.recipe.kind in WARMUP:
        warm = int(run.recipe[WARMUP[run.recipe.kind]])
        answers += [numbered((warm, warm / k)), Answer("period", (("period_a", warm), ("period_b", warm / k)))]
    return answers
