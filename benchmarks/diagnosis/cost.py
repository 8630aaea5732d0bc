"""What a diagnosis costs: ``python -m benchmarks.diagnosis.cost``.

Two million rows a side. Beside each, in turn, what one would do otherwise to see where two runs part: join both tables
on the step and look at the differences, in pandas. Prints medians, their ratio, and the most memory that was in use.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from samestep._compare.diagnose import diagnose
from samestep._compare.rates import Rates
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

ROWS = 2_000_000
CLOCK = Clock(samples=40_000 * 32, batch_size=32)
PAIRS = 3


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Rates of a and b by the name of what befell b."""
    step = np.arange(ROWS)

    def rates(text: str) -> np.ndarray:
        return parse(text).rate(step, Clock.STEPS)

    stairs = rates("exponential:initial=1e-3,factor=0.95,every=30000 steps,staircase")
    slower = rates("exponential:initial=1e-3,factor=0.95,every=1200000 steps,staircase")
    cosine = rates("cosine:initial=1e-3,floor=0,over=1800000 steps,after=hold")
    rises = rates("cosine:initial=1e-3,floor=0,over=1800000 steps,after=rise")
    again = stairs[np.maximum(step - 700_000, 0)]
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(ROWS))
    return {
        "identical": (stairs, stairs.copy()),
        "rounding": (stairs, stairs.astype(np.float32).astype(np.float64)),
        "scale": (stairs, 0.1 * stairs),
        "shift": (stairs, np.append(stairs[1:], stairs[-1])),
        "counter": (slower, stairs),
        "tail": (cosine, rises),
        "warmup": (
            cosine,
            np.where(step < 50_000, cosine[0] * step / 50_000, cosine[np.maximum(step - 50_000, 0)]),
        ),
        "reset": (stairs, np.where(step < 700_000, stairs, again)),
        "extra-decay": (stairs, np.where(step < 700_000, 1.0, 0.1) * stairs),
        "unexplained": (cosine, cosine * noise),
    }


def main() -> None:
    """Measure and print."""
    step = np.arange(ROWS)
    print(f"{'cause':14} {'diagnosis':>10} {'join':>8} {'join / diagnosis':>17}")
    for name, (a, b) in pairs().items():
        both = Rates.of(step, a), Rates.of(step, b)
        told = diagnose(*both, CLOCK).cause.name
        assert told == name, told

        def join(a: np.ndarray = a, b: np.ndarray = b) -> None:
            tables = [pd.DataFrame({"step": step, "lr": lr}) for lr in (a, b)]
            merged = tables[0].merge(tables[1], on="step", suffixes=("_a", "_b"))
            (merged["lr_a"] - merged["lr_b"]).abs().max()

        ours, other = in_turn(lambda both=both: diagnose(*both, CLOCK), join)
        print(f"{name:14} {ours:9.2f} s {other:6.2f} s {other / ours:17.2f}")
    print(f"most memory in use: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def in_turn(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of both, called in turn."""
    times: tuple[list[float], list[float]] = [], []
    for _ in range(PAIRS):
        for call, kept in zip((one, other), times, strict=True):
            began = time.perf_counter()
            call()
            kept.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


if __name__ == "__main__":
    main()
