"""What the aligned traces say: per arm and framework the changes of the rate, per arm the verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from samestep.experiment.clock import Clock, Place
from samestep.experiment.plan import FRAMEWORKS, Arm, Framework, Plan
from samestep.experiment.schedules import ExponentialDecay, float32_error

from ..align.losses import agreement
from ..terms import Verdict, worst
from ..tolerance import ULP32, Applied, allowed, applied, rate_size, relative_difference, ulp32


@dataclass(frozen=True)
class Run:
    """One arm in one framework.

    changes : how often the rate changed. final_lr : the rate of the last update.
    max_relative : largest relative distance from the closed form; verdict : whether it is within tolerance.
    lr_parts, loss_parts : first update that differs from the constant arm, in bits.
    diverged : first update whose loss is no finite number.
    """

    steps: int
    changes: int
    first_change: Place | None
    final_lr: float
    max_relative: float
    verdict: Verdict
    lr_parts: Place | None
    loss_parts: Place | None
    diverged: Place | None


@dataclass(frozen=True)
class Difference(Place):
    """The first update at which both frameworks differ beyond the tolerance, and both values: a Keras, b PyTorch."""

    a: float
    b: float


@dataclass(frozen=True)
class Rates:
    """The rates of both frameworks, held against each other.

    max_ulp32, max_relative : the largest difference. residual_ulp32 : what is left of it, in ULP, when the drift that
    float32 explains is taken off. tolerance_ulp32 and drift_per_decay : what is allowed, the latter relative.
    applied : the tolerance as it was applied, at the step that uses most of it; there, the peak rule and drift count.
    """

    verdict: Verdict
    max_ulp32: float
    max_relative: float
    residual_ulp32: float
    tolerance_ulp32: int
    drift_per_decay: float
    first_difference: Difference | None
    applied: Applied


@dataclass(frozen=True)
class Losses:
    """The batch losses of both frameworks, held against each other: see `compare.align.losses.agreement`."""

    verdict: Verdict
    compared: int
    max_relative: float
    tolerance: float
    first_difference: Difference | None
    note: str | None


_PLACE = ("step", "epoch", "batch")
_FIRSTS = ("lr_parts", "loss_parts", "diverged")
_RATES = ("max_ulp32", "max_relative", "residual_ulp32", "tolerance_ulp32", "drift_per_decay", "verdict")
_LOSSES = ("compared", "max_relative", "tolerance", "verdict")
"""What the table says of an update, of a run, of the rates and of the losses."""


@dataclass(frozen=True)
class ArmSummary:
    """One arm with one seed."""

    arm: str
    seed: int
    frameworks: dict[Framework, Run]
    lr: Rates
    loss: Losses


@dataclass(frozen=True)
class Summary:
    """A whole run: the verdict on the rates, the verdict on the losses, and each arm."""

    verdict: Verdict
    loss_verdict: Verdict
    arms: tuple[ArmSummary, ...]


def summarise(aligned: pd.DataFrame, plan: Plan) -> Summary:
    """Read the verdicts off the aligned table."""
    tables = dict(iter(aligned.groupby(["arm", "seed"], sort=False)))
    constant = plan.constant_arm
    arms = tuple(
        _arm(arm, seed, tables[arm.name, seed], tables[constant.name, seed] if constant else None, plan)
        for seed in plan.seeds
        for arm in plan.arms
    )
    rates = [arm.lr.verdict for arm in arms] + [run.verdict for arm in arms for run in arm.frameworks.values()]
    return Summary(worst(rates), worst(arm.loss.verdict for arm in arms), arms)


def to_json(summary: Summary, plan: Plan) -> dict[str, Any]:
    """The summary as JSON values."""
    clock = {name: getattr(plan.clock, name) for name in ("samples", "batch_size", "drop_last", "steps_per_epoch")}
    clock |= {"epochs": plan.epochs, "steps": plan.steps}
    return {"schema": 1, "plan": plan.name, "clock": clock, **asdict(summary)}


def to_table(summary: Summary) -> pd.DataFrame:
    """The summary as a table, one row per arm, seed and framework."""
    return pd.DataFrame(
        [
            {
                "arm": arm.arm,
                "seed": arm.seed,
                "framework": framework,
                "steps": run.steps,
                "changes": run.changes,
                **{f"first_change_{name}": getattr(run.first_change, name, None) for name in _PLACE},
                "final_lr": run.final_lr,
                "closed_form_max_relative": run.max_relative,
                "closed_form_verdict": run.verdict,
                **{f"{name}_step": getattr(getattr(run, name), "step", None) for name in _FIRSTS},
                **{f"lr_{name}": getattr(arm.lr, name) for name in _RATES},
                **{f"loss_{name}": getattr(arm.loss, name) for name in _LOSSES},
            }
            for arm in summary.arms
            for framework, run in arm.frameworks.items()
        ],
        dtype=object,
    )


def question_arms(plan: Plan) -> list[Arm]:
    """A constant arm, the arm written in steps that was perhaps meant in epochs, and the one in epochs.

    Where the plan has no such arms: three arms, the constant one first if there is one.
    """
    written = next((arm for arm in plan.arms if arm.meant(plan.clock)), None)
    if plan.constant_arm is None or written is None:
        return sorted(plan.arms, key=lambda arm: arm is not plan.constant_arm)[:3]
    meant = written.meant(plan.clock)
    in_epochs = [arm for arm in plan.arms if meant and arm.schedule == meant.schedule]
    return [plan.constant_arm, written, *in_epochs[:1]]


def within_an_epoch(plan: Plan) -> tuple[Arm, int] | None:
    """The first arm whose period was perhaps meant in epochs, and that period in steps."""
    for arm in plan.arms:
        if arm.meant(plan.clock) and isinstance(arm.schedule, ExponentialDecay):
            return arm, int(arm.schedule.every.count)
    return None


def _arm(arm: Arm, seed: int, table: pd.DataFrame, constant: pd.DataFrame | None, plan: Plan) -> ArmSummary:
    steps = table["step"].to_numpy()
    drift = arm.float32_drift(steps, plan.clock)
    closed_form = table["lr_closed_form"].to_numpy()
    size = rate_size(closed_form, arm.float32_scale(steps, plan.clock))
    tolerance = allowed(size, drift)
    runs = {framework: _run(framework, table, constant, tolerance, plan.clock) for framework in FRAMEWORKS}
    return ArmSummary(arm.name, seed, runs, _rates(arm, table, drift, size, plan.clock), _losses(table, runs, plan))


def _run(
    framework: Framework, table: pd.DataFrame, constant: pd.DataFrame | None, tolerance: np.ndarray, clock: Clock
) -> Run:
    lr, loss = table[f"lr_{framework}"].to_numpy(), table[f"loss_{framework}"].to_numpy()
    closed_form = table["lr_closed_form"].to_numpy()
    changed = np.flatnonzero(lr[1:] != lr[:-1]) + 1
    lr_parts = loss_parts = None
    if constant is not None:
        lr_parts = _first(_bits(lr) != _bits(constant[f"lr_{framework}"].to_numpy()), clock)
        loss_parts = _first(_bits(loss) != _bits(constant[f"loss_{framework}"].to_numpy()), clock)
    return Run(
        steps=len(lr),
        changes=len(changed),
        first_change=clock.place(int(changed[0])) if len(changed) else None,
        final_lr=float(lr[-1]),
        max_relative=float(relative_difference(lr, closed_form).max()),
        verdict="same" if bool(np.all(np.abs(lr - closed_form) <= tolerance)) else "differs",
        lr_parts=lr_parts,
        loss_parts=loss_parts,
        diverged=_first(~np.isfinite(loss), clock),
    )


def _rates(arm: Arm, table: pd.DataFrame, drift: np.ndarray, size: np.ndarray, clock: Clock) -> Rates:
    a, b = (table[f"lr_{framework}"].to_numpy() for framework in FRAMEWORKS)
    difference = np.abs(a - b)
    beyond = np.flatnonzero(difference > allowed(size, drift))
    return Rates(
        verdict="differs" if len(beyond) else "same",
        max_ulp32=float(table["lr_ulp32"].max()),
        max_relative=float(table["lr_relative"].max()),
        residual_ulp32=float((np.maximum(difference - drift, 0.0) / ulp32(np.maximum(a, b))).max()),
        tolerance_ulp32=ULP32,
        drift_per_decay=float32_error(arm.schedule.factor) if isinstance(arm.schedule, ExponentialDecay) else 0.0,
        first_difference=_difference(int(beyond[0]), a, b, clock) if len(beyond) else None,
        applied=applied(a, b, size, drift),
    )


def _losses(table: pd.DataFrame, runs: dict[Framework, Run], plan: Plan) -> Losses:
    a, b = (table[f"loss_{framework}"].to_numpy() for framework in FRAMEWORKS)
    found = agreement(a, b, (plan, plan), moving=any(run.changes for run in runs.values()))
    first = None if found.first is None else _difference(found.first, a, b, plan.clock)
    return Losses(found.verdict, found.compared, found.max_relative, found.tolerance, first, found.note)


def _bits(values: np.ndarray) -> np.ndarray:
    return values.view(np.int64)


def _first(found: np.ndarray, clock: Clock) -> Place | None:
    return clock.place(int(found.argmax())) if found.any() else None


def _difference(row: int, a: np.ndarray, b: np.ndarray, clock: Clock) -> Difference:
    return Difference(**asdict(clock.place(row)), a=float(a[row]), b=float(b[row]))
