"""The figures of how cost grows: a panel for what grows, a line for each program, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from samestep._compare.show.style import STYLE
from samestep.experiment.frameworks import KERAS, PYTORCH

_LOOKS: dict[str, dict[str, Any]] = {
    "Keras": {"color": KERAS.colour, "linestyle": "-", "marker": "o"},
    "PyTorch": {"color": PYTORCH.colour, "linestyle": "--", "marker": "s"},
    "align": {"color": "#009E73", "linestyle": "-", "marker": "^"},
    "differences": {"color": "#CC79A7", "linestyle": "-.", "marker": "v"},
    "pandas.merge": {"color": "#E69F00", "linestyle": ":", "marker": "D"},
}
_WORDS = {"seconds": "seconds", "peak_mib": "peak memory (MiB)"}


def write(found: Mapping[str, Any], axes: Mapping[str, str], folder: Path) -> None:
    """Write `benchmarks-time` and `benchmarks-memory`, each as SVG and PNG.

    found : what `growth.json` holds. axes : in words, what grows.
    """
    for name, column in {"benchmarks-time": "seconds", "benchmarks-memory": "peak_mib"}.items():
        figure = grown(found, axes, column)
        with rc_context(STYLE):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None}, facecolor="white")
            figure.savefig(folder / f"{name}.png", dpi=160)


def grown(found: Mapping[str, Any], axes: Mapping[str, str], column: str) -> Figure:
    """One panel for each thing that grows. column : ``seconds`` or ``peak_mib``."""
    with rc_context(STYLE):
        figure = Figure(figsize=(7.5, 6.4))
        panels = figure.subplots(2, 2)
        for panel, (axis, words) in zip(panels.flat, axes.items(), strict=True):
            lines = [line for line in found["lines"] if line["axis"] == axis]
            for line in lines:
                at, values = zip(*((point["at"], point[column]) for point in line["points"]), strict=True)
                panel.plot(at, values, label=line["label"], markersize=4, **_LOOKS[line["label"]])
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_ylim(*_decades([point[column] for line in lines for point in line["points"]]))
            panel.xaxis.set_major_locator(LogLocator(numticks=10))
            for each in (panel.xaxis, panel.yaxis):
                each.set_minor_formatter(NullFormatter())
            panel.grid(True, which="major", alpha=0.25, linewidth=0.7)
            panel.set_xlabel(words)
            panel.set_ylabel(_WORDS[column])
            panel.legend()
    return figure


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Whole decades around all values, so that an axis has at least two numbers on it."""
    return 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values)))
