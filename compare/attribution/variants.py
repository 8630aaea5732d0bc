"""What is trained for a ladder: one pair of runs for each set of differences that are left in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal, cast

import numpy as np

from samestep.experiment import differences, frameworks
from samestep.experiment.differences import Name
from samestep.experiment.plan import Adam, AdamW, CsvData, Framework, Plan, RMSprop
from samestep.experiment.programs.variants import Variant
from samestep.experiment.trace import Trace, TraceError

from ..workers import runner
from ..workers.runner import OnProgress

Control = Literal["data", "weights", "order", "masks"]
CONTROLS: tuple[Control, ...] = ("data", "weights", "order", "masks")
"""What both frameworks share or make in their own way, in the order in which it is shared."""

DEFAULT_EPSILON = "default epsilon"
EPSILONS: dict[Framework, float] = {"tensorflow": 1e-7, "torch": 1e-8}
"""What each framework's optimizers take for epsilon where nothing is said."""

RATES: Name = "rates in float32"

State = frozenset[str]
"""The differences that are left in a pair of runs, by name."""


@dataclass(frozen=True)
class Experiment:
    """One arm of one plan in each framework.

    plans : one arm and one seed each; they are the same unless somebody asks what two plans do.
    mended : the framework whose optimizer is made to do what the other's does.
    """

    plans: Mapping[Framework, Plan]
    mended: Framework

    @property
    def reference(self) -> Framework:
        """The framework that is left as it is."""
        return "tensorflow" if self.mended == "torch" else "torch"

    @property
    def plan(self) -> Plan:
        """The plan of the mended framework."""
        return self.plans[self.mended]

    def controls(self) -> list[str]:
        """Those that can make a difference, in the order in which they are shared."""
        found: list[str] = list(CONTROLS)
        if any(isinstance(plan.data, CsvData) for plan in self.plans.values()):
            found.remove("data")
        if all(plan.network.dropout == 0 or not plan.network.hidden for plan in self.plans.values()):
            found.remove("masks")
        return found

    def numerical(self) -> list[str]:
        """The differences of the optimizers."""
        names: list[str] = [each.name for each in differences.of(self.plan)]
        chosen = self.plan.optimizer
        if isinstance(chosen, Adam | AdamW | RMSprop) and chosen.epsilon != EPSILONS[self.mended]:
            names.insert(0, DEFAULT_EPSILON)
        return names

    def variant(self, framework: Framework, left: State, folder: Path) -> Variant:
        """What one framework trains where these differences are left."""
        plan = self.plans[framework]
        controls: dict[str, str] = {each: "native" if each in left else "shared" for each in CONTROLS}
        plan = plan.replace(controls=plan.controls.model_copy(update=controls))
        if framework == self.reference:
            return _stored(folder, framework, plan, (), None)
        without = tuple(each.name for each in differences.of(plan) if each.name not in left)
        if DEFAULT_EPSILON in left:
            plan = plan.replace(optimizer=plan.optimizer.model_copy(update={"epsilon": EPSILONS[framework]}))
        rates = self.variant(self.reference, left, folder).out if RATES in without else None
        return _stored(folder, framework, plan, without, rates)


def _stored(folder: Path, framework: Framework, plan: Plan, without: tuple[Name, ...], rates: str | None) -> Variant:
    """A variant whose file is named by all that it depends on, so that one that is there need not be trained again."""
    versions = [version(each) for each in ("samestep", "numpy", *frameworks.BY_NAME[framework].distributions)]
    content = [framework, plan.to_json(), without, rates and Path(rates).name, versions]
    name = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:20]
    controls = [each for each in CONTROLS if getattr(plan.controls, each) == "native"]
    words = f"native {', '.join(controls)}" if controls else "all shared"
    words = f"without {', '.join(without)}" if without else words
    return Variant(plan, without, rates, str(folder / f"{framework}-{name}.npz"), words)


def losses(experiment: Experiment, left: State, folder: Path) -> dict[Framework, np.ndarray]:
    """The batch losses of a pair that was trained: float64, one for each update, by framework."""
    frameworks: tuple[Framework, Framework] = (experiment.reference, experiment.mended)
    traces = {each: Trace.load(experiment.variant(each, left, folder).out) for each in frameworks}
    return {framework: np.asarray(trace.steps["loss"], dtype=np.float64) for framework, trace in traces.items()}


def train(
    experiment: Experiment,
    reference: Iterable[State],
    mended: Iterable[State],
    folder: Path,
    on_progress: OnProgress,
) -> None:
    """Train what is not there yet, both frameworks at once."""
    asked: dict[Framework, Iterable[State]] = {experiment.reference: reference, experiment.mended: mended}
    wanted = {}
    for framework, states in asked.items():
        variants = {(each := experiment.variant(framework, left, folder)).out: each for left in states}
        missing = [each for each in variants.values() if not _is_there(Path(each.out))]
        if missing:
            wanted[framework] = missing
    if wanted:
        runner.train_variants(cast(dict[Framework, Sequence[Variant]], wanted), on_progress)


def _is_there(path: Path) -> bool:
    try:
        Trace.load(path)
    except (TraceError, OSError):
        return False
    return True
