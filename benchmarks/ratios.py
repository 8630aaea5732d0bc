"""The pairs: what is measured, against what, and how much is gained at least."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import Seconds, Side, in_turn

EPOCH = 32
"""Updates in an epoch of the default plan."""

ROWS = 2_000_000
STAIRCASE = "exponential:initial=1e-3,factor=0.95,every=25 steps,staircase"


@dataclass(frozen=True)
class Pair:
    """One benchmark.

    against : the other side, in words; how : how both were measured, in words.
    at_least : the ratio that is claimed, other over ours; of a bound 1.
    other : the other side, or the seconds that are claimed as a bound. pairs : how often both are run, in turn.
    """

    name: str
    against: str
    how: str
    unit: str
    at_least: float
    pairs: int
    other: Side | float
    ours: Side

    def measure(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Run both sides in turn: medians and their ratio."""
        other, ours = in_turn(self.other, self.ours, self.pairs, say)
        return {"ratio": other / ours, "other": other, "ours": ours, "unit": self.unit, "pairs": self.pairs}


def _first(seconds: Seconds) -> float:
    return seconds[0]


def _warm(seconds: Seconds) -> float:
    """The median of all but the first, which warms up."""
    return statistics.median(seconds[1:])


def _per_update(short: int, long: int) -> Callable[[Seconds], float]:
    """Microseconds per update once warm, from a run that warms up, a short and a long one, in epochs."""

    def value(seconds: Seconds) -> float:
        _, of_short, of_long = seconds
        return (of_long - of_short) / ((long - short) * EPOCH) * 1e6

    return value


def _each_of_100(seconds: Seconds) -> float:
    """What 100 such trainings take, from a few."""
    return 100 * statistics.mean(seconds)


def _per(count: int) -> Callable[[Seconds], float]:
    """Microseconds for each of so many, once warm."""
    return lambda seconds: _warm(seconds) / count * 1e6


def _other(name: str, *numbers: object) -> tuple[str, ...]:
    return ("-W", "ignore", "-m", f"benchmarks.others.{name}", *map(str, numbers))


def _ours(work: str, *numbers: object) -> tuple[str, ...]:
    return ("-m", "benchmarks.ours", work, *map(str, numbers))


def _samestep(*arguments: str) -> tuple[str, ...]:
    return ("-P", "-m", "compare.command", *arguments)


def pairs(folder: Path) -> list[Pair]:
    """Every benchmark. folder : where programs may write."""
    question = folder / "question.png"
    out = folder / "question"
    return [
        Pair(
            "keras-50-epochs",
            "Keras `fit` with a batch callback that notes rate and loss",
            "one training of 50 epochs in a fresh process, building and tracing included, imports not",
            "s",
            5,
            5,
            Side(_other("keras_fit", 50), _first),
            Side(_ours("train-keras", 50, 1), _first),
        ),
        Pair(
            "keras-update",
            "the same, once warm",
            "the seconds of a long training less those of a short one, each built and compiled anew, over the updates "
            "between them; 100 and 20 epochs, ours 4,500 and 2,000",
            "µs per update",
            60,
            3,
            Side(_other("keras_fit", 5, 20, 100), _per_update(20, 100)),
            Side(_ours("train-keras", 1000, 1, 2000, 1, 4500, 1), _per_update(2000, 4500)),
        ),
        Pair(
            "torch-update",
            "the plain PyTorch loop that notes rate and loss, on one thread",
            "as `keras-update`; 250 and 50 epochs on both sides",
            "µs per update",
            1.4,
            5,
            Side(_other("torch_loop", 5, 50, 250), _per_update(50, 250)),
            Side(_ours("train-torch", 5, 1, 50, 1, 250, 1), _per_update(50, 250)),
        ),
        Pair(
            "keras-100-seeds",
            "that Keras `fit`, once per seed",
            "trainings of 50 epochs in one process, extrapolated from 3; ours 100 seeds side by side, tracing included",
            "s",
            300,
            3,
            Side(_other("keras_fit", 50, 50, 50), _each_of_100),
            Side(_ours("train-keras", 50, 100), _first),
        ),
        Pair(
            "torch-100-seeds",
            "that plain loop, once per seed",
            "trainings of 50 epochs in one process, extrapolated from 3; ours 100 seeds side by side",
            "s",
            25,
            3,
            Side(_other("torch_loop", 50, 50, 50), _each_of_100),
            Side(_ours("train-torch", 50, 100), _first),
        ),
        Pair(
            "main-job",
            "the question's own script: two Keras fits of 50 epochs and one figure",
            "whole processes; ours is `samestep run` of the default plan: ten trainings in both frameworks, tables, "
            "figures and report",
            "s",
            1,
            5,
            Side(_other("question", 50, question)),
            Side(_samestep("run", "--out", str(out), "--force")),
        ),
        Pair(
            "simulate-keras",
            "calling the schedule once per step",
            "1,600 steps, once warm",
            "µs per step",
            300,
            3,
            Side(_other("keras_schedule", 1600, 4), _per(1600)),
            Side(_ours("simulate-keras", 1600, 20), _per(1600)),
        ),
        Pair(
            "simulate-torch",
            "ignite's `simulate_values`",
            "100,000 steps of `StepLR`, once warm",
            "µs per step",
            1.5,
            5,
            Side(_other("ignite_values", 100_000, 4), _per(100_000)),
            Side(_ours("simulate-torch", 100_000, 4), _per(100_000)),
        ),
        Pair(
            "compare-2m",
            "`pandas.merge` on arm, seed and step, and the differences",
            "two traces of two million rows, in memory, once warm; both give the same table",
            "s",
            10,
            5,
            Side(_other("pandas_merge", ROWS, 4), _warm),
            Side(_ours("compare", ROWS, 8), _warm),
        ),
        Pair(
            "compare-2m-datacompy",
            "datacompy on the same, and the differences",
            "as `compare-2m`",
            "s",
            15,
            3,
            Side(_other("datacompy_compare", ROWS, 3), _warm),
            Side(_ours("compare", ROWS, 8), _warm),
        ),
        Pair(
            "explain",
            "a bound, not another program",
            "the whole process of `samestep explain`",
            "s",
            1,
            15,
            0.5,
            Side(_samestep("explain", STAIRCASE, "--samples", "1000", "--batch-size", "32", "--epochs", "50")),
        ),
        Pair(
            "help",
            "a bound, not another program",
            "the whole process of `samestep --help`",
            "s",
            1,
            15,
            0.3,
            Side(_samestep("--help")),
        ),
    ]
