"""How every figure looks: its ink and colours, how lines are thinned, and the axis of steps."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

from samestep.experiment.clock import Clock
from samestep.experiment.frameworks import BY_NAME

INK = "#1f2328"
"""Text, axes and references: what must follow the page where it is dark."""

WIDTH = 6.0
"""Of a figure, in inches: at 10 points the text is still readable when a phone shrinks it."""

POINTS = 1_000
"""Drawn per line at most, however many rows there are: more cannot be distinguished."""

STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("axes.formatter.useoffset", "axes.spines.top", "axes.spines.right", "legend.frameon"), False),
    "legend.fontsize": 9,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "samestep",
}

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
"""Okabe and Ito's colours, which everybody can distinguish."""

_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
_LINES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (3, 2)))

FRAMEWORKS: dict[str, dict[str, Any]] = {
    name: {"color": each.colour, "linestyle": each.line, "label": each.label} for name, each in BY_NAME.items()
}
"""The look of each framework's line: the same in every figure."""

LIMIT: dict[str, Any] = {"color": INK, "linewidth": 1, "linestyle": (0, (6, 3))}
"""The look of a tolerance."""


def line(place: int) -> dict[str, Any]:
    """Colour and line style of one of several lines, no two of the first 36 alike."""
    colours = len(_COLOURS)
    return {"color": _COLOURS[place % colours], "linestyle": _LINES[(place + place // colours) % len(_LINES)]}


def corners(steps: np.ndarray, values: np.ndarray, most: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The rows at which a staircase changes, and the last one; where these are too many, evenly spaced rows."""
    rows = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    if len(rows) >= most:
        rows = np.linspace(0, len(steps) - 1, most - 1).astype(np.int64)
    rows = np.union1d(rows, [len(steps) - 1])
    return steps[rows], values[rows]


def draw_staircase(axes: Axes, steps: np.ndarray, values: np.ndarray, **look: Any) -> None:
    """A line that holds each value to the next step, thinned by `corners`."""
    axes.plot(*corners(steps, values), drawstyle="steps-post", **look)


def largest_in_bins(steps: np.ndarray, values: np.ndarray, most: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The largest value of each of at most `most` stretches of rows, and the first step of each."""
    if len(steps) <= most:
        return steps, values
    begins = np.arange(0, len(steps), -(-len(steps) // most))
    return steps[begins], np.fmax.reduceat(values, begins)


def rows_of_largest(values: np.ndarray, most: int = POINTS) -> np.ndarray:
    """The row with the largest value in each of at most `most` stretches of rows: int64, rising."""
    width = max(1, -(-len(values) // most))
    begins = np.arange(0, len(values), width)
    known = np.pad(np.where(np.isnan(values), -np.inf, values), (0, -len(values) % width), constant_values=-np.inf)
    return np.asarray(begins + known.reshape(-1, width).argmax(axis=1))


def log_axis(axes: Axes, which: Literal["x", "y"], values: np.ndarray) -> None:
    """Make an axis logarithmic for what is positive; where there are few decades, name 1, 2 and 5 of each."""
    positive = values[(values > 0) & np.isfinite(values)]
    if not len(positive):
        return
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    few = float(positive.max()) < 10 * float(positive.min())
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if few else LogLocator(numticks=7))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())


def epoch_lines(axes: Axes, clock: Clock) -> None:
    """Epoch boundaries as faint lines; where they would be a grey wall, every tenth, hundredth …"""
    size = clock.steps_per_epoch
    low, high = axes.get_xlim()
    while high - low > 60 * size:
        size *= 10
    first = int(-(-max(low, 0.0) // size)) * size
    for boundary in range(first, int(high) + 1, size):
        axes.axvline(boundary, color=INK, alpha=0.16, linewidth=0.7, zorder=0)
    axes.set_xlim(low, high)


def steps_axis(axes: Axes, clock: Clock | None) -> None:
    """The axis of steps, with epoch boundaries and a second axis that counts epochs."""
    axes.set_xlabel("step (optimizer update)")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    if clock is None:
        return
    epoch_lines(axes, clock)
    size = clock.steps_per_epoch
    low, high = axes.get_xlim()
    there_and_back: Any = (lambda step: step / size, lambda epoch: epoch * size)
    above = axes.secondary_xaxis("top", functions=there_and_back)
    above.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=high - low > 2 * size))
    above.set_xlabel("epoch")
