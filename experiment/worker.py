"""The program that each framework's folder is: read a plan, train every arm, write a trace.

Run as ``python -m tf_impl PLAN OUT`` or ``python -m torch_impl PLAN OUT``. Says how far it is with one line per epoch,
``DONE/TOTAL ARM``; a mistake is one line on standard error and exit code 2.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from experiment.clock import Stepping
from experiment.plan import FRAMEWORKS, Arm, Framework, Plan
from experiment.trace import Trace, TraceError, epoch_rows, run_rows, stack
from experiment.validation import PlanError

Implementation = tuple[ModuleType, ModuleType]
"""The `training` and the `schedules` of one framework."""

WRONG_USE = 2
INTERRUPTED = 130


def main(framework: Framework, load: Callable[[], Implementation], arguments: list[str]) -> int:
    """Run the program and return its exit code.

    framework : the name that its rows carry.
    load : imports the framework; called only when there is a plan to train.
    arguments : the plan's file and the trace's file (`.npz` or `.csv`).
    """
    usage = f"Usage: python -m {'tf_impl' if framework == 'tensorflow' else 'torch_impl'} PLAN OUT"
    if arguments in (["--help"], ["-h"]):
        print(f"{usage}\n\nTrain every arm of PLAN (JSON) with {framework}; write OUT (.npz or .csv).")
        return 0
    try:
        plan_file, out_file = _two_files(arguments, usage)
        plan = Plan.load(plan_file)
        if absent := missing([framework]):
            raise PlanError(absent)
        trace = run(plan, framework, load())
        trace.save(out_file)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # nobody listens any more: whoever started this run has gone
        sys.stdout = None
        return WRONG_USE
    except (PlanError, TraceError) as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except OSError as error:
        print(f"{error.filename}: {error.strerror}. Name files that can be used.", file=sys.stderr)
        return WRONG_USE
    return 0


def run(plan: Plan, framework: Framework, implementation: Implementation) -> Trace:
    """Train every arm with every seed, one after the other."""
    training, schedules = implementation
    training.prepare(plan)
    total = len(plan.seeds) * len(plan.arms) * plan.epochs
    done = 0
    steps, epochs = [], []
    for seed in plan.seeds:
        for arm in plan.arms:

            def say(epoch: int, before: int = done, name: str = arm.name) -> None:
                print(f"{before + epoch + 1}/{total} {name}", flush=True)

            recorded, eval_loss = training.train(plan, arm, seed, say)
            rows = run_rows(framework, arm.name, seed, plan.clock, *recorded)
            steps.append(rows)
            epochs.append(epoch_rows(rows, plan.clock, eval_loss))
            done += plan.epochs
    return Trace(stack(steps), stack(epochs), manifest(plan, framework, training, schedules))


def manifest(plan: Plan, framework: Framework, training: ModuleType, schedules: ModuleType) -> dict[str, Any]:
    """How the trace came about: plan, versions, conventions, and each arm's native schedule and source code."""
    return {
        "schema": 1,
        "framework": framework,
        "plan": plan.model_dump(mode="json", by_alias=True),
        "precision": plan.precision,
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


def _two_files(arguments: list[str], usage: str) -> tuple[Path, Path]:
    if len(arguments) != 2:
        raise PlanError(f"{usage}: two files, got {len(arguments)}.")
    out = Path(arguments[1])
    if out.suffix not in (".npz", ".csv"):
        raise TraceError(f"{out}: a trace ends in .npz or .csv. Give it such a name.")
    if out.is_dir():
        raise TraceError(f"{out} is a folder. Name a file.")
    if not out.parent.is_dir():
        raise TraceError(f"{out}: there is no folder {out.parent}. Make it first.")
    return Path(arguments[0]), out


def missing(frameworks: Sequence[Framework] = FRAMEWORKS) -> str | None:
    """One line that says what to install, or None where every framework is there. Imports none."""
    absent = [framework for framework in frameworks if importlib.util.find_spec(framework) is None]
    if not absent:
        return None
    verb = "is" if len(absent) == 1 else "are"
    return f"{' and '.join(absent)} {verb} not installed. Run: pip install 'samestep[{','.join(absent)}]'"
