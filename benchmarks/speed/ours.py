"""Our side of each pair, as a program: ``python -m benchmarks.speed.ours WORK NUMBERS…`` prints its seconds as JSON.

`train-keras` and `train-torch` take pairs of EPOCHS SEEDS and train the arm `staircase-steps` of the default plan for
each pair, all seeds at once. `simulate-keras` and `simulate-torch` take STEPS REPEATS, `compare` ROWS REPEATS.
Imports are not counted.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from samestep.experiment.frameworks import BY_WORD
from samestep.experiment.plan import Plan, question

PACKAGES = {word: each.package for word, each in BY_WORD.items()}


def plan(epochs: int, seeds: int, **changes: Any) -> Plan:
    """The default plan, its arm `staircase-steps` alone."""
    default = question()
    arms = [arm for arm in default.arms if arm.name == "staircase-steps"]
    return default.replace(epochs=epochs, seeds=tuple(range(seeds)), arms=arms, **changes)


def train(framework: str, plans: list[Plan]) -> dict[str, Any]:
    """Train each plan in turn with the fast engine, seeds side by side."""
    training, fast = (import_module(f"{PACKAGES[framework]}.{name}") for name in ("training", "fast"))
    seconds = []
    for each in plans:
        training.prepare(each)
        began = time.perf_counter()
        trained = fast.train(each, each.arms[0], each.seeds, lambda epochs: None, "fast")
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds, "updates": len(trained[-1].lr), "last_rate": float(trained[-1].lr[-1])}


def simulate(framework: str, steps: int, repeats: int) -> dict[str, Any]:
    """Ask the native schedule for the rate of every step."""
    simulation, schedules = (import_module(f"{PACKAGES[framework]}.{name}") for name in ("simulate", "schedules"))
    of = plan(1, 1)
    native = schedules.build(of.arms[0].schedule, of.clock, "step")
    seconds, rates = timed(lambda: simulation.rates(native, of.clock, "step", steps), repeats)
    return {"seconds": seconds, "updates": len(rates), "last_rate": float(rates[-1])}


def compare(rows: int, repeats: int) -> dict[str, Any]:
    """Line two traces up and take the differences."""
    from benchmarks.speed import tables
    from samestep._compare.align.rows import differences

    of = tables.plan(rows)
    a, b = (tables.trace(framework, of, seed) for seed, framework in enumerate(("tensorflow", "torch")))
    seconds, both = timed(lambda: differences(a, b), repeats)
    largest = {name: float(both[f"{name}_absolute"].max()) for name in ("lr", "loss")}
    return {"seconds": seconds, "rows": len(both), "largest": largest}


def timed(work: Callable[[], Any], repeats: int) -> tuple[list[float], Any]:
    """The seconds of each repetition, and what the last one gave."""
    seconds, found = [], None
    for _ in range(repeats):
        found = None  # given back first, as the other side's is
        began = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - began)
    return seconds, found


def main(arguments: list[str]) -> None:
    """Do the work that is named and print what it took."""
    work, *rest = arguments
    numbers = [int(number) for number in rest]
    match work.split("-"):
        case ["train", framework]:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            found = train(framework, [plan(epochs, seeds) for epochs, seeds in pairs])
        case ["simulate", framework]:
            found = simulate(framework, *numbers)
        case _:
            found = compare(*numbers)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
