"""The program that trains one run in several variants: ``python -m tf_impl.variants``.

Standard input is a JSON list of `Variant`s. Each is trained, and its trace written to its `out`; a line on standard
output says how far it is. A mistake is one line on standard error and exit code 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from samestep.experiment.differences import Name
from samestep.experiment.plan import Framework, Plan
from samestep.experiment.programs.process import exit_code, need
from samestep.experiment.programs.train import Implementation, manifest
from samestep.experiment.trace import Trace, epoch_rows, run_rows


@dataclass(frozen=True)
class Variant:
    """One training.

    plan : with one arm and one seed. without : differences to the other framework that are taken away.
    rates : a trace of the other framework, whose rates are used; None for the plan's own.
    out : file of the trace, `.npz`. name : what the progress calls it.
    """

    plan: Plan
    without: tuple[Name, ...]
    rates: str | None
    out: str
    name: str


def to_json(variants: Sequence[Variant]) -> str:
    """Variants as JSON text."""
    return json.dumps([asdict(each) | {"plan": each.plan.to_json()} for each in variants])


def from_json(text: str) -> list[Variant]:
    """Read `to_json`'s text."""
    return [
        Variant(**each | {"plan": Plan.from_json(each["plan"]), "without": tuple(each["without"])})
        for each in json.loads(text)
    ]


def main(framework: Framework, load: Callable[[], Implementation]) -> int:
    """Run the program and return its exit code."""

    def work() -> None:
        variants = from_json(sys.stdin.read())
        need([framework])
        implementation = load()
        for number, variant in enumerate(variants, 1):
            train(variant, framework, implementation).save(variant.out)
            print(f"{number}/{len(variants)} {variant.name}", flush=True)

    return exit_code(work)


def train(variant: Variant, framework: Framework, implementation: Implementation) -> Trace:
    """Train one variant."""
    training, _, schedules = implementation
    plan, (arm,), (seed,) = variant.plan, variant.plan.arms, variant.plan.seeds
    training.prepare(plan)
    rates = None if variant.rates is None else np.asarray(Trace.load(variant.rates).steps["lr"], dtype=np.float64)
    trained = training.train(plan, arm, seed, lambda epoch: None, variant.without, rates)
    rows = run_rows(framework, arm.name, seed, plan.clock, trained.lr, trained.loss)
    told = manifest(plan, framework, training, schedules, "plain") | {"without": list(variant.without)}
    return Trace(rows, epoch_rows(rows, plan.clock, trained.eval_loss), told)
