"""Lines the traces of both frameworks up, update by update."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from compare.tolerance import relative_difference, ulp32_difference
from experiment.plan import FRAMEWORKS, Framework, Plan
from experiment.trace import Trace

KEY = ["arm", "seed", "step"]
ALIGNED_COLUMNS = [
    "arm",
    "seed",
    "step",
    "epoch",
    "batch",
    "lr_tensorflow",
    "lr_torch",
    "lr_closed_form",
    "lr_absolute",
    "lr_relative",
    "lr_ulp32",
    "loss_tensorflow",
    "loss_torch",
    "loss_absolute",
    "loss_relative",
    "loss_ulp32",
]


class AlignError(ValueError):
    """Traces that cannot be lined up; the message names the rows at fault."""


def align(traces: Mapping[Framework, Trace], plan: Plan) -> pd.DataFrame:
    """One row per arm, seed and step: both rates, both losses, the closed form, and how far they lie apart.

    traces : the trace of each framework, by its name.
    Returns the columns of `ALIGNED_COLUMNS`, in the order of the plan's arms and seeds.
    Raises AlignError where a key is there twice or is missing.
    """
    expected = expected_keys(plan)
    sides = {}
    for framework in FRAMEWORKS:
        table = pd.DataFrame(dict(traces[framework].steps))
        _refuse_wrong_keys(framework, table, expected)
        sides[framework] = table.set_index(KEY)[["lr", "loss"]].add_suffix(f"_{framework}")
    aligned = expected.set_index(KEY).join(list(sides.values())).reset_index()
    steps = aligned["step"].to_numpy()
    aligned["epoch"] = plan.clock.epoch(steps)
    aligned["batch"] = plan.clock.batch(steps)
    aligned["lr_closed_form"] = np.concatenate(
        [arm.rate(np.arange(plan.steps), plan.clock) for _ in plan.seeds for arm in plan.arms]
    )
    for column in ("lr", "loss"):
        a, b = (aligned[f"{column}_{framework}"].to_numpy() for framework in FRAMEWORKS)
        with np.errstate(invalid="ignore", over="ignore"):
            aligned[f"{column}_absolute"] = np.abs(a - b)
        aligned[f"{column}_relative"] = relative_difference(a, b)
        aligned[f"{column}_ulp32"] = ulp32_difference(a, b)
    return aligned[ALIGNED_COLUMNS]


def expected_keys(plan: Plan) -> pd.DataFrame:
    """Every key that a trace of this plan has, once."""
    index = pd.MultiIndex.from_product(
        [plan.seeds, [arm.name for arm in plan.arms], range(plan.steps)], names=["seed", "arm", "step"]
    )
    return index.to_frame(index=False)[KEY]


def _refuse_wrong_keys(framework: str, table: pd.DataFrame, expected: pd.DataFrame) -> None:
    keys = pd.MultiIndex.from_frame(table[KEY])
    wanted = pd.MultiIndex.from_frame(expected)
    for found, problem in (
        (keys[keys.duplicated()], "has more than once"),
        (wanted.difference(keys, sort=False), "lacks"),
        (keys.difference(wanted, sort=False), "should not have"),
    ):
        if len(found):
            arm, seed, step = found[0]
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise AlignError(
                f"The {framework} trace {problem} arm {arm!r}, seed {seed}, step {step}{more}. Record the run again."
            )
