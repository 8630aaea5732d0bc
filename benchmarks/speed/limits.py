"""What no program of this kind gets below, measured on the same cores: ``python -m benchmarks limits``.

Each limit is what a benchmark's own work comes to with nothing around it: an import, one call of XLA, the operations of
an update, one pass over memory. Writes `benchmarks/speed/limits.json`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed import measuring, ours
from benchmarks.speed.measuring import Side, once

LIMITS = Path(__file__).with_name("limits.json")
REPEATS = 9


@dataclass(frozen=True)
class Limit:
    """The limit of one benchmark.

    of : the benchmark's name. what : in words. unit : the benchmark's unit. side : what is run.
    """

    of: str
    what: str
    unit: str
    side: Side


def _process(code: str) -> Side:
    return Side(("-W", "ignore", "-c", code))


def _here(work: str) -> Side:
    return Side(("-m", "benchmarks.speed.limits", work), lambda seconds: statistics.median(seconds[1:]))


def _micro(work: str, updates: int) -> Side:
    return Side(("-m", "benchmarks.speed.limits", work), lambda seconds: statistics.median(seconds[1:]) / updates * 1e6)


EPOCHS, SEEDS = 50, 100
UPDATES = EPOCHS * 32
LIMITS_OF = (
    Limit("keras-50-epochs", "one call of the graph of 50 epochs, traced, all it needs given", "s", _here("graph")),
    Limit(
        "keras-update", "one call of XLA for 1,600 updates, all it needs given", "µs per update", _micro("xla", UPDATES)
    ),
    Limit(
        "torch-update", "the operations of the gradient and of the optimizer", "µs per update", _micro("torch", UPDATES)
    ),
    Limit("keras-100-seeds", "the calls of the graph of 50 epochs and 100 seeds, traced", "s", _here("graph-seeds")),
    Limit("torch-100-seeds", "those operations for 100 seeds, 1,600 times", "s", _here("torch-seeds")),
    Limit("main-job", "a process that imports TensorFlow", "s", _process("import tensorflow")),
    Limit(
        "simulate-keras",
        "the schedule called once, with all 1,600 steps",
        "µs per step",
        _micro("keras-schedule", 1600),
    ),
    Limit(
        "simulate-torch",
        "the scheduler's own `get_lr`, 100,000 times",
        "µs per step",
        _micro("torch-scheduler", 100_000),
    ),
    Limit("compare-2m", "reading and writing as many bytes, once", "s", _here("memory")),
    Limit("compare-2m-datacompy", "the same", "s", _here("memory")),
    Limit(
        "explain", "a process that imports Typer, NumPy and pydantic", "s", _process("import typer, numpy, pydantic")
    ),
    Limit("help", "a process that imports Typer", "s", _process("import typer")),
)


def main() -> None:
    """Measure every limit and write what was found."""
    cores = measuring.pin()
    found = {}
    for limit in LIMITS_OF:
        if limit.side.value is None:
            value = statistics.median([once(limit.side) for _ in range(REPEATS)][1:])
        else:
            value = statistics.median([once(limit.side) for _ in range(3)])
        found[limit.of] = {"limit": value, "unit": limit.unit, "what": limit.what}
        print(f"{limit.of:22} {value:10.4g} {limit.unit}", flush=True)
    measuring.write_json(
        LIMITS, {"limits": found, "machine": measuring.machine(cores), "versions": measuring.versions()}
    )


def work(name: str) -> Callable[[], Any]:
    """What a limit does, ready to be timed."""
    return {
        "graph": lambda: _keras("graph", 1),
        "graph-seeds": lambda: _keras("graph", SEEDS),
        "xla": lambda: _keras("xla", 1),
        "torch": lambda: _torch(1),
        "torch-seeds": lambda: _torch(SEEDS),
        "keras-schedule": _keras_schedule,
        "torch-scheduler": _torch_scheduler,
        "memory": _memory,
    }[name]()


def _keras(engine: str, seeds: int) -> Callable[[], Any]:
    import tensorflow as tf

    from tf_impl import fast, training

    of = ours.plan(EPOCHS, seeds)
    training.prepare(of)
    with fast._in_one_thread(), ThreadPoolExecutor(1) as thread:
        network = fast._compiled(of, seeds, engine == "xla")
        network.stacked.begin(of, of.seeds)
        calls = fast._Calls(of, of.arms[0], of.seeds, lambda epochs: None, thread)
    given = [tf.constant(array) for array in calls.drawing[0].result()]

    def train() -> None:
        with fast._in_one_thread():
            for _ in range(calls.number):
                network.updates(*given)["loss"].numpy()

    return train


def _torch(seeds: int) -> Callable[[], Any]:
    import torch

    from torch_impl import fast, training

    of = ours.plan(EPOCHS, seeds)
    training.prepare(of)
    torch.set_num_threads(1)
    x, y = training.data(of)
    run = fast._Run(of, of.arms[0], of.seeds, x, y)
    rows = next(fast._epochs(of, of.seeds, x, y))
    batch = next(zip(*(torch.split(each, of.batch_size, dim=-2) for each in rows), strict=True))
    loss = y.new_empty(seeds)

    def updates() -> None:
        with torch.no_grad():
            for _ in range(UPDATES):
                run.stacked.gradient(batch, loss)
                run.descent.step()

    return updates


def _keras_schedule() -> Callable[[], Any]:
    import numpy as np
    import tensorflow as tf

    from tf_impl import schedules

    of = ours.plan(1, 1)
    native = schedules.build(of.arms[0].schedule, of.clock, "step").learning_rate
    steps = tf.constant(np.arange(1600))
    return lambda: native(steps).numpy()


def _torch_scheduler() -> Callable[[], Any]:
    import torch

    from torch_impl import schedules

    of = ours.plan(1, 1)
    native = schedules.build(of.arms[0].schedule, of.clock, "step")
    scheduler = native.attach(torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=native.learning_rate))
    assert scheduler is not None
    scheduler._get_lr_called_within_step, rate = True, scheduler.get_lr

    def asked() -> None:
        for _ in range(100_000):
            rate()

    return asked


def _memory() -> Callable[[], Any]:
    """One pass over what two tables hold and what comes of them, in two threads."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from benchmarks.speed import tables
    from benchmarks.speed.ratios import ROWS

    of = tables.plan(ROWS)
    a, b = (tables.trace(name, of, 0).steps for name in ("tensorflow", "torch"))
    arrays = [np.asarray(each[name]) for each in (a, b) for name in ("arm", "seed", "step", "lr", "loss")]
    words = [np.ascontiguousarray(array).view(np.uint64) for array in arrays if array.strides != (0,)]
    halves = [half for array in words for half in np.array_split(array, 2)]
    written = np.empty(2 * of.steps * len(of.arms))
    pool = ThreadPoolExecutor(2)

    def passed() -> None:
        list(pool.map(np.bitwise_or.reduce, halves))
        written.fill(0.0)

    return passed


if __name__ == "__main__":
    do = work(sys.argv[1])
    seconds = []
    for _ in range(6):
        began = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds}))
