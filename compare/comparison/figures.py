"""Pictures of a comparison. Each function takes the table of one pair and returns a Figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from samestep.experiment.clock import Clock

from ..show.drawing import drawing
from ..show.picture import Picture
from ..show.style import BLUE, INK, LIMIT, draw_staircase, rows_of_largest, steps_axis
from ..words import part

if TYPE_CHECKING:
    from ..refute.claim import Tolerance
    from .result import Comparison

AROUND = 20
"""Rows before and after the first difference that are shown enlarged."""

_LOOKS: dict[str, dict[str, Any]] = {
    "a": {"color": "#56B4E9", "linewidth": 2.8, "linestyle": "-"},
    "b": {"color": "#D55E00", "linewidth": 1.2, "linestyle": (0, (4, 2))},
}
Table = Mapping[str, np.ndarray]


def pictures(comparison: Comparison) -> Mapping[str, Callable[[], Picture]]:
    """What draws each picture of the worst pair."""
    pair, clock = comparison.worst, comparison.clock
    table, first = comparison.columns(pair), pair.diagnosis.first_difference
    step = None if first is None else first.step
    epochs = " Faint vertical lines are epoch boundaries." if clock else ""
    parts = "They never differ beyond the tolerance" if step is None else f"They first differ at step {step:,}"
    drawn = {
        "rates": lambda: Picture(
            "rates",
            rates(table, clock, step),
            f"Learning rate of a and b against step. {parts}.",
            f"The rate that each update used, a as a broad line and b as a dashed one.{epochs}",
        ),
        "differences": lambda: Picture(
            "differences",
            differences(table, clock, allowed(table, pair.diagnosis.tolerance)),
            f"Relative difference of both rates against step, on a logarithmic axis; at most "
            f"{part(pair.diagnosis.max_relative)}.",
            f"How far the rates lie apart, relative to the larger one. No line is drawn where they are equal.{epochs}",
        ),
    }
    if first is not None:
        drawn["first-difference"] = lambda: Picture(
            "first-difference",
            first_difference(table, clock, first.step),
            f"The rates around step {first.step:,}: there a has {first.a:.6g} and b {first.b:.6g}.",
            f"The rows around the first difference, each with a mark.{epochs}",
        )
    return drawn


def allowed(table: Table, tolerance: Tolerance | None) -> np.ndarray:
    """For each row of a table how far both rates may differ, absolute; NaN where they were not compared."""
    found = np.full(len(table["step"]), np.nan)
    if tolerance is not None:
        found[np.searchsorted(table["step"], tolerance.steps)] = tolerance.allowed
    return found


def rates(table: Table, clock: Clock | None, first: int | None) -> Figure:
    """The rates of both against steps, with the first difference marked."""
    with _drawn(3.8, "learning rate", clock, 3) as (figure, axes):
        for name, look in _LOOKS.items():
            there = np.isfinite(table[f"lr_{name}"])
            draw_staircase(axes, table["step"][there], table[f"lr_{name}"][there], label=name, **look)
        if first is not None:
            axes.axvline(first, color=INK, linewidth=1, linestyle=":", label=f"first difference, step {first:,}")
        axes.set_ylim(bottom=0)
    return figure


def differences(table: Table, clock: Clock | None, most: np.ndarray) -> Figure:
    """The relative difference of both rates against steps, and the tolerance; no line where the difference is 0.

    Args:
        table: The rows of a pair.
        clock: Draws epoch boundaries.
        most: From `allowed`. Of each bin that row is drawn that uses most of its tolerance.
    """
    there = np.isfinite(table["lr_relative"]) & np.isfinite(most)
    rows = np.flatnonzero(there)[rows_of_largest(table["lr_absolute"][there] / most[there])]
    steps, apart = table["step"][rows], table["lr_relative"][rows]
    with _drawn(3.4, "relative difference", clock, 2) as (figure, axes):
        if (apart > 0).any():
            shown = np.where(apart > 0, apart, np.nan)
            marker = "." if len(steps) <= 64 else ""
            axes.plot(steps, shown, color=BLUE, linewidth=1.2, marker=marker, label="largest difference")
            axes.set_yscale("log")
        else:
            axes.set_ylim(0, 1)
            said = "no difference at any step" if len(steps) else "no step in common"
            axes.text(0.5, 0.5, said, transform=axes.transAxes, ha="center")
        larger = np.maximum(table["lr_a"], table["lr_b"])[rows]
        positive = larger > 0
        axes.plot(steps[positive], most[rows][positive] / larger[positive], label="tolerance", **LIMIT)
        if len(steps) > 1:  # the whole run, also where nothing is drawn
            margin = 0.02 * float(steps[-1] - steps[0])
            axes.set_xlim(float(steps[0]) - margin, float(steps[-1]) + margin)
    return figure


def first_difference(table: Table, clock: Clock | None, first: int) -> Figure:
    """The rows around the first difference, each with a mark."""
    row = int(np.searchsorted(table["step"], first))
    near = slice(max(row - AROUND, 0), row + AROUND + 1)
    with _drawn(3.4, "learning rate", clock, 3) as (figure, axes):
        for name, look in _LOOKS.items():
            lr = table[f"lr_{name}"][near]
            there = np.isfinite(lr)
            marked = look | {"marker": "o" if name == "a" else "x", "markersize": 4}
            axes.plot(table["step"][near][there], lr[there], drawstyle="steps-post", label=name, **marked)
        axes.axvline(first, color=INK, linewidth=1, linestyle=":", label=f"step {first:,}")
    return figure


@contextmanager
def _drawn(height: float, quantity: str, clock: Clock | None, columns: int) -> Iterator[tuple[Figure, Axes]]:
    """A figure of a quantity against steps, with its legend below once all is drawn."""
    with drawing(height, columns) as figure:
        axes = figure.subplots()
        yield figure, axes
        axes.set_ylabel(quantity)
        steps_axis(axes, clock)
