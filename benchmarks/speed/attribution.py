"""What is left of the gap between Keras and PyTorch: ``python -m benchmarks.speed.attribution``, about ten minutes.

The default plan, every arm, with each optimizer and in both precisions: the largest relative difference of the batch
losses with everything shared and the optimizers as they come, and with every difference of the optimizers taken away.
Then, with the arm `staircase-steps`, with all but one of them taken away. Writes
`benchmarks/speed/attribution.json`, which the pages of the book read.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.speed import measuring
from samestep._compare.align.losses import ROUNDING, loss_difference
from samestep._compare.workers import runner
from samestep.experiment import differences
from samestep.experiment.differences import NAMES, Name
from samestep.experiment.plan import SGD, Adam, AdamW, Framework, Momentum, Plan, Precision, RMSprop, question
from samestep.experiment.programs.variants import Variant
from samestep.experiment.trace import Trace

RESULTS = Path(__file__).with_name("attribution.json")
ARM = "staircase-steps"
PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
OPTIMIZERS = {
    "Adam": Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False),
    "Adam, amsgrad": Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=True),
    "AdamW": AdamW(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, weight_decay=0.004),
    "SGD": SGD(),
    "momentum": Momentum(momentum=0.9, nesterov=False),
    "Nesterov": Momentum(momentum=0.9, nesterov=True),
    "RMSprop": RMSprop(rho=0.9, epsilon=1e-7),
}
Key = tuple[str, str]
"""Names of an optimizer and of an arm."""


def plans(precision: Precision) -> dict[Key, Plan]:
    """The default plan with each optimizer and each arm alone."""
    plan = question().replace(precision=precision)
    return {
        (name, arm.name): plan.replace(optimizer=optimizer, arms=(arm,))
        for name, optimizer in OPTIMIZERS.items()
        for arm in plan.arms
    }


def measure(precision: Precision, folder: Path) -> dict[str, dict[str, object]]:
    """By optimizer: the largest gap of all arms `native` and `mended`, and `left_alone`, by difference."""
    wanted = plans(precision)
    keras = {key: _variant(plan, folder / f"keras-{number}.npz") for number, (key, plan) in enumerate(wanted.items())}
    ways: dict[tuple[Key, str], Variant] = {}
    for key, plan in wanted.items():
        names = [each.name for each in differences.of(plan)] if key[1] == ARM else []
        without: Mapping[str, tuple[Name, ...]] = {
            "native": (),
            "mended": NAMES,
            **{name: tuple(each for each in NAMES if each != name) for name in names},
        }
        for way, taken in without.items():
            out = folder / f"torch-{len(ways)}.npz"
            ways[key, way] = _variant(plan, out, taken, keras[key].out if taken else None)
    rounds: list[dict[Framework, list[Variant]]] = [
        {"tensorflow": list(keras.values())},
        {"torch": list(ways.values())},
    ]
    for each in rounds:
        runner.train_variants(each, _say)
    gaps = {(key, way): float(_gap(keras[key].out, variant.out)) for (key, way), variant in ways.items()}
    return {
        name: {
            "native": max(gaps[key, "native"] for key in wanted if key[0] == name),
            "mended": max(gaps[key, "mended"] for key in wanted if key[0] == name),
            "left_alone": {
                way: gaps[key, way] for key, way in gaps if key == (name, ARM) and way not in ("native", "mended")
            },
            "mended_arm": gaps[(name, ARM), "mended"],
        }
        for name in OPTIMIZERS
    }


def _variant(plan: Plan, out: Path, without: tuple[Name, ...] = (), rates: str | None = None) -> Variant:
    return Variant(plan, without, rates, str(out), name=f"{plan.optimizer.kind}, {plan.arms[0].name}")


def _gap(a: str, b: str) -> float:
    one, other = (np.asarray(Trace.load(file).steps["loss"], dtype=np.float64) for file in (a, b))
    return float(loss_difference(one, other).max())


def _say(framework: Framework, done: int, total: int, name: str) -> None:
    print(f"{framework}: {done} of {total}, {name}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure, write and print. Returns 1 where a bound is not kept."""
    found = {}
    for precision in PRECISIONS:
        with tempfile.TemporaryDirectory() as folder:
            found[precision] = measure(precision, Path(folder))
    measuring.write_json(RESULTS, {"gaps": found, "bounds": ROUNDING, "versions": measuring.versions()})
    kept = True
    for precision, of_optimizers in found.items():
        for name, gaps in of_optimizers.items():
            kept &= gaps["mended"] <= ROUNDING[precision]
            print(f"{precision} {name}: {gaps['native']:.1e} native, {gaps['mended']:.1e} mended")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
