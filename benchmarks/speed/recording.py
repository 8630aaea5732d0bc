"""What recording costs per update: ``python -m benchmarks.speed.recording``. Writes `benchmarks/speed/recording.json`.

Each figure is the median over pairs: the same training without and with a recorder, in turn, in one process. Seconds
of the process's own CPU time are given beside the time on the wall, since they hold on a machine that does other work.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.speed import measuring

RESULTS = Path(__file__).with_name("recording.json")
PAIRS = {"torch": 60, "keras": 40}
_BLOCK = 500
Times = dict[str, list[float]]
Loop = tuple[Any, Callable[[], None]]
"""An optimizer, and what trains with it."""


def measured(
    without: Callable[[], None],
    recorded: Callable[[], None],
    updates: int,
    pairs: int,
    watching: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Times:
    """Microseconds per update of both, pair after pair: `wall`, `wall_recorded`, `cpu`, `cpu_recorded`.

    watching : the context in which the second one runs; what entering it costs, once in a run, is left out.
    """
    times: Times = {"wall": [], "wall_recorded": [], "cpu": [], "cpu_recorded": []}
    for pair in range(-1, pairs):  # the first pair warms up
        order = [("", without, nullcontext), ("_recorded", recorded, watching)]
        for suffix, run, within in order if pair % 2 else reversed(order):
            with within():
                wall, cpu = time.perf_counter(), time.process_time()
                run()
                if pair >= 0:
                    times["cpu" + suffix].append((time.process_time() - cpu) / updates * 1e6)
                    times["wall" + suffix].append((time.perf_counter() - wall) / updates * 1e6)
    return times


def in_torch(folder: Path) -> dict[str, Times]:  # noqa: C901 (a loop of each kind)
    """A plain loop over a small network, and one over a weight without gradient, where little but the hook is left.

    Two of each train in turn, a few updates at a time; one of them is watched. Writing is counted in.
    """
    import torch

    import torch_impl
    import torch_impl.watching
    from samestep.experiment.watching import Facts, Notebook

    torch.set_num_threads(1)
    x, y = torch.randn(32, 1), torch.randn(32, 1)

    def network_loop(log: Callable[[float], None] | None, updates: int = _BLOCK) -> Loop:
        width = [torch.nn.Linear(1, 10), torch.nn.Tanh(), torch.nn.Linear(10, 10), torch.nn.Tanh()]
        network = torch.nn.Sequential(*width, torch.nn.Linear(10, 1))
        optimizer = torch.optim.Adam(network.parameters())

        def loop() -> None:
            for _ in range(updates):
                optimizer.zero_grad()
                loss = (network(x) - y).square().mean()
                loss.backward()
                optimizer.step()
                if log is not None:
                    log(loss)

        return optimizer, loop

    def bare_loop(log: Callable[[float], None] | None, updates: int = _BLOCK) -> Loop:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)

        def loop() -> None:
            for _ in range(updates):
                optimizer.step()
                if log is not None:
                    log(0.123456789)

        return optimizer, loop

    def pair(make: Callable[..., Loop], name: str, logs: bool) -> Times:
        recorder = torch_impl.Recorder(folder / f"{name}.csv")
        _, without = make(None)
        optimizer, watched = make(recorder.log if logs else None)
        recorder.watch(optimizer)

        def recorded() -> None:
            watched()
            recorder._recording.flush()  # here, so that the thread that writes leaves none of it to the other one

        times = measured(without, recorded, _BLOCK, PAIRS["torch"])
        recorder.release()
        return times

    def watched_pair(make: Callable[..., Loop], name: str) -> Times:
        """Without, and as `samestep record` watches: with a scheduler that is stepped after every update."""

        def scheduled(make: Callable[..., Loop]) -> Callable[..., None]:
            optimizer, train = make(None, 1)
            scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10 * _BLOCK)

            def loop(updates: int = _BLOCK) -> None:
                for _ in range(updates):
                    train()
                    scheduler.step()

            return loop

        without = scheduled(make)
        watching = torch_impl.watching.watch(Notebook(folder / f"{name}.csv", Facts("torch")))
        watched = scheduled(make)
        watching.detach()

        @contextmanager
        def attached() -> Iterator[None]:
            watching.attach()
            watched(_BLOCK // 10)  # Python learns anew what is called where
            watching.recorder._recording.flush()
            yield
            watching.detach()

        def recorded() -> None:
            watched()
            watching.recorder._recording.flush()

        times = measured(without, recorded, _BLOCK, PAIRS["torch"], attached)
        watching.finish()
        return times

    return {
        "PyTorch, small network, Adam": pair(network_loop, "network", False),
        "the same with `recorder.log(loss)`": pair(network_loop, "network-logged", True),
        "PyTorch, `optimizer.step()` of no gradient": pair(bare_loop, "bare", False),
        "the same with `recorder.log(0.123456789)`": pair(bare_loop, "bare-logged", True),
        "PyTorch, small network, Adam, `StepLR`, under `samestep record`": watched_pair(network_loop, "watched"),
        "PyTorch, `optimizer.step()` of no gradient, `StepLR`, under `samestep record`": watched_pair(
            bare_loop, "bare-watched"
        ),
    }


def in_keras(folder: Path) -> dict[str, Times]:
    """`fit` of the network of the default plan; both are compiled beforehand, and the epochs are long."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np

    import tf_impl
    import tf_impl.watching
    from samestep.experiment.watching import Facts, Notebook

    x = np.random.default_rng(0).normal(size=(32 * _BLOCK, 1)).astype("float32")

    def fits(**compiled: object) -> Callable[..., None]:
        network = keras.Sequential(
            [keras.Input((1,)), *(keras.layers.Dense(10, "tanh") for _ in range(2)), keras.layers.Dense(1)]
        )
        network.compile("adam", "mse", **compiled)

        def fit(*callbacks: keras.callbacks.Callback) -> None:
            network.fit(x, x, batch_size=32, epochs=1, verbose=0, shuffle=False, callbacks=list(callbacks))

        return fit

    def pair(name: str, **compiled: object) -> Times:
        fit = fits(**compiled)
        recorder = tf_impl.Recorder(folder / f"{name}.csv")
        return measured(fit, lambda: fit(recorder), _BLOCK, PAIRS["keras"])

    def watched_pair(name: str) -> Times:
        """Without, and as `samestep record` watches; a network each, since each is compiled once."""
        without = fits()
        watching = tf_impl.watching.watch(Notebook(folder / f"{name}.csv", Facts("tensorflow")))
        watched = fits()
        watching.detach()

        @contextmanager
        def attached() -> Iterator[None]:
            watching.attach()
            yield
            watching.detach()

        def recorded() -> None:
            watched()
            watching.recorder.flush()

        times = measured(without, recorded, _BLOCK, PAIRS["keras"], attached)
        watching.finish()
        return times

    return {
        "Keras, `fit`": pair("fit"),
        "Keras, `fit`, `jit_compile=True`": pair("jit", jit_compile=True),
        "Keras, `fit`, `steps_per_execution=50`": pair("executions", steps_per_execution=50),
        "Keras, `fit`, under `samestep record`": watched_pair("watched"),
    }


def summary(times: Times) -> dict[str, float]:
    """Medians in microseconds per update, on the wall and of the processor's time; those of the pairs' differences."""
    found = {}
    for clock in ("wall", "cpu"):
        pairs = zip(times[clock], times[f"{clock}_recorded"], strict=True)
        found[clock] = statistics.median(times[clock])
        found[f"{clock}_extra"] = statistics.median(recorded - without for without, recorded in pairs)
    return found


def main() -> None:
    """Measure each framework in a process of its own; or one framework, and print its times as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--framework", choices=["torch", "keras"], help="only this one, and as JSON")
    chosen = parser.parse_args().framework
    if chosen:
        with tempfile.TemporaryDirectory() as folder:
            json.dump((in_torch if chosen == "torch" else in_keras)(Path(folder)), sys.stdout)
        return
    costs = {}
    for framework in ("torch", "keras"):
        command = [sys.executable, "-m", "benchmarks.speed.recording", "--framework", framework]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        costs |= {name: summary(times) for name, times in json.loads(told.splitlines()[-1]).items()}
    for name, cost in costs.items():
        print(name, *(f"{each} {value:.2f}" for each, value in cost.items()), sep=", ")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    found = {"costs": costs, "machine": measuring.machine(cores), "versions": measuring.versions()}
    measuring.write_json(RESULTS, found)


if __name__ == "__main__":
    main()
