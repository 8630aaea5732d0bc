"""How cost grows: ``python -m benchmarks growth``, about ten minutes.

Each point is a process of its own, which tells its seconds and the most memory that it had in use. Imports are not
counted in the seconds; they are in the memory. Writes `benchmarks/speed/growth.json` and figures in `docs/pictures`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed import measuring
from benchmarks.speed.ratios import EPOCH

GROWTH = Path(__file__).with_name("growth.json")
PICTURES = measuring.ROOT / "docs" / "pictures"


@dataclass(frozen=True)
class Line:
    """One line of a figure.

    axis : what grows. work : what is done, as `main` of this file takes it. at : the values on the axis.
    """

    axis: str
    label: str
    work: str
    at: tuple[int, ...]


DECADES = tuple(10**power for power in range(8))
AXES = {
    "updates": "updates of one training",
    "seeds": "seeds side by side, 50 epochs each",
    "width": "width of both hidden layers, 10 epochs",
    "rows": "rows of each trace",
}
WHOLE_EPOCHS = (128, 1_024, 10_016, 100_000, 1_000_000)
WIDTHS = (10, 32, 100, 316, 1_000)
LINES = (
    Line("updates", "Keras", "updates-keras", WHOLE_EPOCHS),
    Line("updates", "PyTorch", "updates-torch", WHOLE_EPOCHS),
    Line("seeds", "Keras", "seeds-keras", DECADES[:4]),
    Line("seeds", "PyTorch", "seeds-torch", DECADES[:4]),
    Line("width", "Keras", "width-keras", WIDTHS),
    Line("width", "PyTorch", "width-torch", WIDTHS),
    Line("rows", "align", "rows-align", DECADES[3:]),
    Line("rows", "differences", "rows-differences", DECADES[3:]),
    Line("rows", "pandas.merge", "rows-merge", DECADES[3:]),
)


def main() -> None:
    """Measure every point, write the figures of numbers and those for the eye."""
    cores = measuring.pin()
    lines = []
    for line in LINES:
        points = []
        for at in line.at:
            told = json.loads(measuring.run(("-m", "benchmarks.speed.growth", line.work, str(at))).splitlines()[-1])
            points.append({"at": at, **told})
            print(
                f"{line.axis} {at:>10,} {line.label:14} {told['seconds']:9.4f} s {told['peak_mib']:8.0f} MiB",
                flush=True,
            )
        lines.append({"axis": line.axis, "label": line.label, "points": points})
    found = {"lines": lines, "machine": measuring.machine(cores), "versions": measuring.versions()}
    measuring.write_json(GROWTH, found)
    draw(found)


def draw(found: dict[str, Any]) -> None:
    """Draw the figures from what `growth.json` holds."""
    from benchmarks.speed import growth_figures

    growth_figures.write(found, AXES, PICTURES)


def point(work: str, at: int) -> dict[str, float]:
    """Do one piece of work in this process: its seconds, and the most memory the process had in use, in MiB."""
    axis, _, kind = work.partition("-")
    do = {"rows": _compared, "updates": _trained, "seeds": _trained, "width": _trained}[axis](axis, kind, at)
    began = time.perf_counter()
    do()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
    return {"seconds": seconds, "peak_mib": peak / (2**20 if sys.platform == "darwin" else 2**10)}


def _trained(axis: str, kind: str, at: int) -> Callable[[], object]:
    from importlib import import_module

    from benchmarks.speed import ours

    of = {
        "updates": lambda: ours.plan(at // EPOCH, 1),
        "seeds": lambda: ours.plan(50, at),
        "width": lambda: ours.plan(10, 1, network=_wide(at)),
    }[axis]()
    import_module(f"{ours.PACKAGES[kind]}.fast")
    return lambda: ours.train(kind, [of])


def _wide(width: int) -> Any:
    from samestep.experiment.plan import question

    return question().network.model_copy(update={"hidden": (width, width)})


def _compared(axis: str, kind: str, at: int) -> Callable[[], object]:
    import pandas as pd

    from benchmarks.speed import tables
    from samestep._compare.align import rows as align

    of = tables.plan(at)
    a, b = (tables.trace(framework, of, seed) for seed, framework in enumerate(("tensorflow", "torch")))
    if kind == "align":
        return lambda: align.align({"tensorflow": a, "torch": b}, of)
    if kind == "differences":
        return lambda: align.differences(a, b)
    from benchmarks.speed.others import pandas_merge

    frames = [pd.DataFrame(dict(each.steps))[["arm", "seed", "step", "lr", "loss"]] for each in (a, b)]
    return lambda: pandas_merge.differences(*frames)


if __name__ == "__main__":
    print(json.dumps(point(sys.argv[1], int(sys.argv[2]))))
