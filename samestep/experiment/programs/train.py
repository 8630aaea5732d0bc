"""The program that each framework's folder is: read a plan, train every arm, write a trace.

Run as ``python -m tf_impl PLAN OUT [ENGINE [DEVICE]]``, and `torch_impl` likewise. Says how far it is with lines of
``DONE/TOTAL ARM``, in epochs; a mistake is one line on standard error and exit code 2.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from samestep.experiment.clock import Stepping
from samestep.experiment.plan import Arm, Framework, Plan
from samestep.experiment.programs import engines
from samestep.experiment.programs.engines import Device, Engine, Trained
from samestep.experiment.programs.process import exit_code, need
from samestep.experiment.trace import Trace, TraceError, epoch_rows, run_rows, stack
from samestep.experiment.validation import PlanError


class Implementation(NamedTuple):
    """What one framework's folder offers: its modules of these names."""

    training: ModuleType
    fast: ModuleType
    schedules: ModuleType


def main(framework: Framework, load: Callable[[], Implementation], arguments: list[str]) -> int:
    """Run the program and return its exit code.

    framework : the name that its rows carry.
    load : imports the framework; called only when there is a plan to train.
    arguments : the plan's file, the trace's file (`.npz` or `.csv`), and perhaps how updates are made, and where.
    """
    usage = f"Usage: python -m {'tf_impl' if framework == 'tensorflow' else 'torch_impl'} PLAN OUT [ENGINE [DEVICE]]"
    if arguments in (["--help"], ["-h"]):
        print(
            f"{usage}\n\nTrain every arm of PLAN (JSON) with {framework}; write OUT (.npz or .csv).\n"
            f"ENGINE: {', '.join(engines.ENGINES)}; left out: fast.\n"
            f"DEVICE: {', '.join(engines.DEVICES)}; left out: cpu."
        )
        return 0

    def work() -> None:
        plan_file, out_file, engine, device = _arguments(arguments, usage)
        plan = Plan.load(plan_file)
        need([framework])
        run(plan, framework, load(), engine, device).save(out_file)

    return exit_code(work)


def run(
    plan: Plan, framework: Framework, implementation: Implementation, engine: Engine = "fast", device: Device = "cpu"
) -> Trace:
    """Train every arm with every seed.

    Raises PlanError where a GPU is asked for and the framework sees none.
    """
    training, _, schedules = implementation
    training.prepare(plan, device)
    say = _progress(len(plan.seeds) * len(plan.arms) * plan.epochs)
    found = {arm.name: _trained(plan, arm, implementation, engine, partial(say, arm.name)) for arm in plan.arms}
    steps, epochs = [], []
    for number, seed in enumerate(plan.seeds):
        for arm in plan.arms:
            trained = found[arm.name][number]
            steps.append(run_rows(framework, arm.name, seed, plan.clock, trained.lr, trained.loss))
            epochs.append(epoch_rows(steps[-1], plan.clock, trained.eval_loss))
    return Trace(stack(steps), stack(epochs), manifest(plan, framework, training, schedules, engine, device))


def _trained(
    plan: Plan, arm: Arm, implementation: Implementation, engine: Engine, say: Callable[[int], None]
) -> list[Trained]:
    """One arm with every seed: one after the other, or as many side by side as memory has room for."""
    if engine == "plain":
        return [implementation.training.train(plan, arm, seed, lambda epoch: say(1)) for seed in plan.seeds]
    fast = implementation.fast
    return [
        trained
        for seeds in engines.chunks(plan.seeds, fast.bytes_per_seed(plan), fast.free_memory())
        for trained in fast.train(plan, arm, seeds, say, engine)
    ]


def _progress(total: int) -> Callable[[str, int], None]:
    """Says how many epochs are done, of all arms and seeds: called with an arm and its epochs, perhaps several."""
    done = 0

    def say(arm: str, epochs: int) -> None:
        nonlocal done
        done += epochs
        print(f"{done}/{total} {arm}", flush=True)

    return say


def manifest(
    plan: Plan,
    framework: Framework,
    training: ModuleType,
    schedules: ModuleType,
    engine: Engine,
    device: Device = "cpu",
) -> dict[str, Any]:
    """How the trace came about: plan, engine, device, versions, conventions, each arm's native schedule, its code."""
    return {
        "schema": 1,
        "framework": framework,
        "plan": plan.model_dump(mode="json", by_alias=True),
        "precision": plan.precision,
        "engine": engine,
        "device": device,
        "conventions": {"step_base": 0, "lr_timing": "used", "loss_kind": "batch mean, before the update"},
        "versions": {"python": platform.python_version(), "numpy": np.__version__, **training.versions()},
        "arms": {arm.name: _native(plan, arm, schedules) for arm in plan.arms},
    }


def _native(plan: Plan, arm: Arm, schedules: ModuleType) -> dict[str, Any]:
    meant = arm.meant(plan.clock)
    steppings: tuple[Stepping, ...] = ("step", "epoch")
    native = schedules.build(arm.schedule, plan.clock, arm.stepping)
    return {
        "native": native.name,
        "note": native.note,
        "source": schedules.source(arm.schedule, plan.clock, arm.stepping),
        "meant": {each: schedules.source(meant.schedule, plan.clock, each) for each in steppings} if meant else None,
    }


def _arguments(arguments: list[str], usage: str) -> tuple[Path, Path, Engine, Device]:
    if not 2 <= len(arguments) <= 4:
        raise PlanError(f"{usage}: two files, got {len(arguments)}.")
    out = Path(arguments[1])
    if out.suffix not in (".npz", ".csv"):
        raise TraceError(f"{out}: a trace ends in .npz or .csv. Give it such a name.")
    if out.is_dir():
        raise TraceError(f"{out} is a folder. Name a file.")
    if not out.parent.is_dir():
        raise TraceError(f"{out}: there is no folder {out.parent}. Make it first.")
    engine, device = (*arguments[2:], *("fast", "cpu")[len(arguments) - 2 :])
    return Path(arguments[0]), out, engines.parse(engine), engines.parse_device(device)
