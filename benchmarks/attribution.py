"""What is left of the gap between Keras and PyTorch: ``python -m benchmarks.attribution``.

The default plan, every arm, with each optimizer and in both precisions: the largest relative difference of the batch
losses with everything shared and the optimizers as they come, and with every difference of the optimizers taken away.
Prints the largest of all arms.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from compare import runner
from compare.attribute.ladder import loss_difference
from experiment.differences import NAMES
from experiment.plan import SGD, Adam, AdamW, Framework, Momentum, Plan, Precision, RMSprop, question
from experiment.trace import Trace
from experiment.variants import Variant

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


def plans(precision: Precision) -> dict[tuple[str, str], Plan]:
    """The default plan with each optimizer and each arm alone, by the names of both."""
    plan = question().replace(precision=precision)
    return {
        (name, arm.name): plan.replace(optimizer=optimizer, arms=(arm,))
        for name, optimizer in OPTIMIZERS.items()
        for arm in plan.arms
    }


def gaps(precision: Precision, folder: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """The gap of each pair of trainings, as it comes and with every difference taken away."""
    wanted = plans(precision)
    files = {
        key: [str(folder / f"{number}-{which}.npz") for which in ("keras", "native", "mended")]
        for number, key in enumerate(wanted)
    }

    def variants(which: int) -> list[Variant]:
        mended = which == 2
        return [
            Variant(
                plan, NAMES if mended else (), files[key][0] if mended else None, files[key][which], name=", ".join(key)
            )
            for key, plan in wanted.items()
        ]

    rounds: list[dict[Framework, list[Variant]]] = [
        {"tensorflow": variants(0), "torch": variants(1)},
        {"torch": variants(2)},
    ]
    for each in rounds:
        runner.train_variants(each, lambda *_: None)
    found = {}
    for key in wanted:
        keras, native, mended = (np.asarray(Trace.load(file).steps["loss"], dtype=np.float64) for file in files[key])
        found[key] = float(loss_difference(keras, native).max()), float(loss_difference(keras, mended).max())
    return found


def main() -> None:
    """Measure and print."""
    columns: dict[str, list[str]] = {name: [] for name in OPTIMIZERS}
    for precision in PRECISIONS:
        with tempfile.TemporaryDirectory() as folder:
            found = gaps(precision, Path(folder))
        for name in OPTIMIZERS:
            of_arms = [pair for (optimizer, _), pair in found.items() if optimizer == name]
            columns[name] += [f"{max(pair[which] for pair in of_arms):.1e}" for which in (0, 1)]
    heads = [f"{precision}, {what}" for precision in PRECISIONS for what in ("as they come", "mended")]
    sys.stdout.write(f"| optimizer | {' | '.join(heads)} |\n{'|---' * 5}|\n")
    for name, cells in columns.items():
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
