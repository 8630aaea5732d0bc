"""The pairs: what is measured, against what, and how much is gained at least."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed.measuring import Seconds, Side, in_turn

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
    return ("-W", "ignore", "-m", f"benchmarks.speed.others.{name}", *map(str, numbers))


def _ours(work: str, *numbers: object) -> tuple[str, ...]:
    return ("-m", "benchmarks.speed.ours", work, *map(str, numbers))


def _samestep(*arguments: str) -> tuple[str, ...]:
    return ("-P", "-m", "samestep._compare.command", *arguments)


def pairs(folder: Path) -> list[Pair]:
    """Every benchmark. folder : where programs may write."""
    question = folder / "question.png"
    out = folder / "question"
    return [
        Pair(
            name="keras-50-epochs",
            against="Keras `fit` with a batch callback that notes rate and loss",
            how="one training of 50 epochs in a fresh process, building and tracing included, imports not",
            unit="s",
            at_least=5,
            pairs=5,
            other=Side(_other("keras_fit", 50), _first),
            ours=Side(_ours("train-keras", 50, 1), _first),
        ),
        Pair(
            name="keras-update",
            against="the same, once warm",
            how="the seconds of a long training less those of a short one, each built and compiled anew, over the "
            "updates between them; 100 and 20 epochs, ours 4,500 and 2,000",
            unit="µs per update",
            at_least=60,
            pairs=3,
            other=Side(_other("keras_fit", 5, 20, 100), _per_update(20, 100)),
            ours=Side(_ours("train-keras", 1000, 1, 2000, 1, 4500, 1), _per_update(2000, 4500)),
        ),
        Pair(
            name="torch-update",
            against="the plain PyTorch loop that notes rate and loss, on one thread",
            how="as `keras-update`; 250 and 50 epochs on both sides",
            unit="µs per update",
            at_least=1.4,
            pairs=5,
            other=Side(_other("torch_loop", 5, 50, 250), _per_update(50, 250)),
            ours=Side(_ours("train-torch", 5, 1, 50, 1, 250, 1), _per_update(50, 250)),
        ),
        Pair(
            name="keras-100-seeds",
            against="that Keras `fit`, once per seed",
            how="trainings of 50 epochs in one process, extrapolated from 3; ours 100 seeds side by side, tracing "
            "included",
            unit="s",
            at_least=300,
            pairs=3,
            other=Side(_other("keras_fit", 50, 50, 50), _each_of_100),
            ours=Side(_ours("train-keras", 50, 100), _first),
        ),
        Pair(
            name="torch-100-seeds",
            against="that plain loop, once per seed",
            how="trainings of 50 epochs in one process, extrapolated from 3; ours 100 seeds side by side",
            unit="s",
            at_least=25,
            pairs=3,
            other=Side(_other("torch_loop", 50, 50, 50), _each_of_100),
            ours=Side(_ours("train-torch", 50, 100), _first),
        ),
        Pair(
            name="main-job",
            against="the question's own script: two Keras fits of 50 epochs and one figure",
            how="whole processes; ours is `samestep run` of the default plan: ten trainings in both frameworks, "
            "tables, figures and report",
            unit="s",
            at_least=1,
            pairs=5,
            other=Side(_other("question", 50, question)),
            ours=Side(_samestep("run", "--out", str(out), "--force")),
        ),
        Pair(
            name="simulate-keras",
            against="calling the schedule once per step",
            how="1,600 steps, once warm",
            unit="µs per step",
            at_least=300,
            pairs=3,
            other=Side(_other("keras_schedule", 1600, 4), _per(1600)),
            ours=Side(_ours("simulate-keras", 1600, 20), _per(1600)),
        ),
        Pair(
            name="simulate-torch",
            against="ignite's `simulate_values`",
            how="100,000 steps of `StepLR`, once warm",
            unit="µs per step",
            at_least=1.5,
            pairs=5,
            other=Side(_other("ignite_values", 100_000, 4), _per(100_000)),
            ours=Side(_ours("simulate-torch", 100_000, 4), _per(100_000)),
        ),
        Pair(
            name="compare-2m",
            against="`pandas.merge` on arm, seed and step, and the differences",
            how="two traces of two million rows, in memory, once warm; both give the same table",
            unit="s",
            at_least=10,
            pairs=5,
            other=Side(_other("pandas_merge", ROWS, 4), _warm),
            ours=Side(_ours("compare", ROWS, 8), _warm),
        ),
        Pair(
            name="compare-2m-datacompy",
            against="datacompy on the same, and the differences",
            how="as `compare-2m`",
            unit="s",
            at_least=15,
            pairs=3,
            other=Side(_other("datacompy_compare", ROWS, 3), _warm),
            ours=Side(_ours("compare", ROWS, 8), _warm),
        ),
        Pair(
            name="explain",
            against="a bound, not another program",
            how="the whole process of `samestep explain`",
            unit="s",
            at_least=1,
            pairs=15,
            other=0.5,
            ours=Side(_samestep("explain", STAIRCASE, "--samples", "1000", "--batch-size", "32", "--epochs", "50")),
        ),
        Pair(
            name="help",
            against="a bound, not another program",
            how="the whole process of `samestep --help`",
            unit="s",
            at_least=1,
            pairs=15,
            other=0.3,
            ours=Side(_samestep("--help")),
        ),
    ]
