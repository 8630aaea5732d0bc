"""Pictures of a ladder. Each function takes the ladder and returns a Figure."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from ..show import style
from ..show.drawing import drawing
from ..words import number
from .ladder import Ladder, Rung
from .words import verdict

_BINS = 200  # along a line: losses are noisy, and more points of many rungs would be a thicket
_BAR = 0.62  # height of a bar, of the 1 that its row has
_FALLS, _RISES, _ALONE = style.BLUE, style.ORANGE, style.VERMILLION
_RESIDUAL = {"rounding": style.GREEN, "unexplained": style.PURPLE}


def waterfall(ladder: Ladder) -> Figure:
    """What is left of the gap after each rung, on a logarithmic axis: a bar from what was left before to what is.

    Gaps of 0 stand at the left edge, with their number beside them.
    """
    rungs = ladder.rungs
    found = [each for rung in rungs for each in (rung.gap, rung.alone) if each is not None]
    sizes = [ladder.bound, *(each.max_relative for each in found if each.max_relative > 0)]
    low, high = min(sizes) / 10, max(sizes) * 2  # a decade below the smallest, and above the largest
    with drawing(1.5 + 0.34 * (len(rungs) + 1), legend=0) as figure:
        axes = figure.subplots()
        style.log_axis(axes, "x", np.array([low, high]))
        axes.set_xlim(low, high)
        for row, (before, rung) in enumerate(zip((None, *rungs), rungs, strict=False)):
            _bar(axes, row, before, rung, low)
        left = ladder.residual.max_relative
        look: dict[str, Any] = {"color": _RESIDUAL[verdict(ladder)], "label": "residual"}
        axes.barh(len(rungs), max(left, low) - low, left=low, height=_BAR, **look)
        _value(axes, len(rungs), left)
        axes.axvline(ladder.bound, label=_bound(ladder), **style.LIMIT)
        axes.text(1.02, -0.8, "left", transform=axes.get_yaxis_transform(), va="center", fontsize=9, fontstyle="italic")
        alone = [(max(each.alone.max_relative, low), row) for row, each in enumerate(rungs) if each.alone is not None]
        if alone:
            axes.plot(
                *zip(*alone, strict=True), linestyle="", marker="D", markersize=5, markerfacecolor="none",
                color=_ALONE, clip_on=False, label="as the only difference",
            )  # fmt: skip
        axes.set_yticks(range(len(rungs) + 1), [*(each.name for each in rungs), f"residual: {verdict(ladder)}"])
        axes.set(ylim=(len(rungs) + 0.6, -0.6), xlabel="gap: largest relative difference of batch losses")
        axes.tick_params(axis="y", length=0)
        figure.legend(*_once(axes), loc="outside lower center", ncols=2)
    return figure


def gaps(ladder: Ladder) -> Figure:
    """The relative difference of the batch losses against updates, one line for each rung; zeros are not drawn."""
    with drawing(3.6 + 0.11 * len(ladder.rungs), legend=0) as figure:
        axes = figure.subplots()
        for place, rung in enumerate(ladder.rungs):
            _line(axes, place, rung)
        axes.axhline(ladder.bound, label=_bound(ladder), **style.LIMIT)
        if any(rung.gap.max_relative > 0 for rung in ladder.rungs):
            style.log_axis(axes, "y", np.concatenate([rung.gap.curve for rung in ladder.rungs]))
        else:
            axes.set_ylim(0, 1)
            axes.text(0.5, 0.5, "no difference at any step", transform=axes.transAxes, ha="center")
        axes.set_ylabel("relative difference of batch losses")
        margin = 0.02 * max(ladder.updates - 1, 1)
        axes.set_xlim(-margin, ladder.updates - 1 + margin)
        if ladder.until < ladder.updates:
            axes.axvspan(ladder.until, ladder.updates - 1 + margin, color=style.INK, alpha=0.08, linewidth=0)
            diverged = f"diverged, step {ladder.until:,}"
            axes.axvline(ladder.until, color=style.INK, linewidth=1, linestyle=":", label=diverged)
        style.steps_axis(axes, ladder.experiment.plan.clock)
        title: dict[str, Any] = {"title": "what is left after taking away, one after the other", "title_fontsize": 9}
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, **title)
    return figure


def _bar(axes: Axes, row: int, before: Rung | None, rung: Rung, low: float) -> None:
    """One bar, the edge at which the gap now stands, and a line down to the next row."""
    left = max(rung.gap.max_relative, low)
    had = low if before is None else max(before.gap.max_relative, low)
    if before is None:
        look: dict[str, Any] = {"color": style.INK, "alpha": 0.45, "label": "everything native"}
    elif left > had:
        look = {"color": _RISES, "hatch": "////", "edgecolor": style.INK, "linewidth": 0, "label": "grown"}
    else:
        look = {"color": _FALLS, "label": "taken away"}
    axes.barh(row, abs(left - had), left=min(left, had), height=_BAR, **look)
    axes.vlines(left, row - _BAR / 2, row + 1 + _BAR / 2, color=style.INK, linewidth=1)
    _value(axes, row, rung.gap.max_relative)


def _value(axes: Axes, row: int, gap: float) -> None:
    axes.text(1.02, row, number(gap), transform=axes.get_yaxis_transform(), va="center", fontsize=9)


def _line(axes: Axes, place: int, rung: Rung) -> None:
    curve = rung.gap.curve
    steps, apart = style.largest_in_bins(np.arange(len(curve)), curve, _BINS)
    drawn = apart > 0
    # a point whose neighbours are 0 has no line to either, and would be lost without a mark
    near = np.pad(drawn, 1)
    lone = np.flatnonzero(drawn & ~near[:-2] & ~near[2:])
    look = style.line(place)
    label = rung.name if drawn.any() else f"{rung.name} (0 throughout)"
    axes.plot(steps, np.where(drawn, apart, np.nan), **look, linewidth=1.3, label=label)
    axes.plot(steps[lone], apart[lone], color=look["color"], linestyle="", marker=".")


def _bound(ladder: Ladder) -> str:
    return f"rounding makes up to {number(ladder.bound)}"


def _once(axes: Axes) -> tuple[list[Any], list[str]]:
    """Handles and labels of a legend: bars first, then marks and lines, each label once."""
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    order = sorted(found, key=lambda label: not isinstance(found[label], BarContainer))
    return [found[label] for label in order], order
