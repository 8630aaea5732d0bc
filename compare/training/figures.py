"""The pictures. Each function takes a table and returns a Figure; Okabe-Ito colours, with line styles as well."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

from compare.align.losses import tolerance as loss_tolerance
from compare.tolerance import relative_difference
from experiment.frameworks import LABELS
from experiment.plan import FRAMEWORKS, Arm, Plan

INK = "#1f2328"
"""Text, axes and the constant arm: what must follow the page where it is dark."""

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_STYLES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (3, 2)))
_WIDTH = 6.0  # inches; at 10 points the text is still readable when a phone shrinks it
_POINTS = 800  # drawn per line at most: more cannot be told apart
_POINTS_IN_ALL = 16_000  # drawn in a figure of noisy losses at most: what keeps a report of many arms small
_FEW = 32  # steps in a run that are drawn with a mark each, lest a lone one be lost
_DOTS = 32  # along a line of rates
_FIRST_EPOCHS = 3

STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "samestep",
}


def rates(aligned: pd.DataFrame, plan: Plan) -> Figure:
    """The rates against steps: the whole run above, the first three epochs enlarged below."""
    table = _first_seed(aligned, plan)
    first = table[table["epoch"] < _FIRST_EPOCHS]
    with rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 6.4))
        whole, enlarged = figure.subplots(2)
        for arm in plan.arms:
            _draw_rates(whole, table[table["arm"] == arm.name], _arm_style(arm, plan))
            _draw_rates(enlarged, first[first["arm"] == arm.name], _arm_style(arm, plan))
        whole.set_title(f"The whole run, {_count(plan.epochs)}: Keras as lines, PyTorch as dots")
        enlarged.set_title(f"Enlarged: the first {_count(min(_FIRST_EPOCHS, plan.epochs))}")
        for axes in (whole, enlarged):
            _epochs_above(axes, plan)
            axes.set_ylabel("learning rate")
            axes.set_xlabel("step (optimizer update)")
        figure.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def losses(aligned: pd.DataFrame, plan: Plan) -> Figure:
    """The batch losses of each arm in both frameworks, one panel an arm."""
    table = _first_seed(aligned, plan)
    points = max(50, min(2 * _POINTS, _POINTS_IN_ALL // (2 * len(plan.arms))))
    with rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 0.9 + 1.25 * len(plan.arms)))
        panels = figure.subplots(len(plan.arms), sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, arm in zip(panels, plan.arms, strict=True):
            rows = table[table["arm"] == arm.name]
            for framework, look in zip(FRAMEWORKS, _OVERLAID, strict=True):
                steps, loss = _binned(rows["step"], rows[f"loss_{framework}"], "mean", points)
                axes.plot(steps, loss, label=LABELS[framework], **look)
            axes.set_title(arm.name)
            _log_axis(axes, rows["loss_torch"])
            _epoch_lines(axes, plan)
        panels[len(panels) // 2].set_ylabel("batch loss (mean squared error)")
        panels[-1].set_xlabel("step (optimizer update)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def loss_differences(aligned: pd.DataFrame, plan: Plan) -> Figure:
    """How far the batch losses of both frameworks lie apart, relatively, in each arm."""
    table = _first_seed(aligned, plan)
    with rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 4.0))
        axes = figure.subplots()
        for arm in plan.arms:
            rows = table[table["arm"] == arm.name]
            steps, largest = _binned(rows["step"], rows["loss_relative"], "max", points=160)
            axes.plot(steps, largest, **_arm_style(arm, plan))
        tolerance = loss_tolerance([plan])
        axes.axhline(tolerance, color=INK, linewidth=1, linestyle=(0, (6, 3)), label=f"tolerance {tolerance:g}")
        _log_axis(axes, table["loss_relative"])
        _epochs_above(axes, plan)
        axes.set_ylabel("relative difference of batch losses")
        axes.set_xlabel("step (optimizer update)")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def question(aligned: pd.DataFrame, epochs: pd.DataFrame, plan: Plan) -> Figure:
    """What was written and what was meant, held against a constant rate: rate, eval loss, and the parting."""
    table = _first_seed(aligned, plan)
    losses = epochs[(epochs["seed"] == plan.seeds[0]) & (epochs["framework"] == "tensorflow")]
    arms = question_arms(plan)
    reference = table[table["arm"] == arms[0].name]
    partings = []
    with rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 7.2))
        rate, loss, parting = figure.subplots(3, sharex=True)
        for arm in arms:
            style = _arm_style(arm, plan)
            rows = table[table["arm"] == arm.name]
            rate.plot(
                *_corners(rows["step"].to_numpy(), rows["lr_tensorflow"].to_numpy()), drawstyle="steps-post", **style
            )
            after = losses[losses["arm"] == arm.name]
            loss.plot((after["epoch"] + 1) * plan.clock.steps_per_epoch - 1, after["eval_loss"], **style)
            if arm is not arms[0]:
                apart = relative_difference(rows["loss_tensorflow"].to_numpy(), reference["loss_tensorflow"].to_numpy())
                steps, largest = _binned(rows["step"], pd.Series(apart), "max", points=320)
                parting.plot(steps, np.where(largest > 0, largest, np.nan), **style)
                partings.append(pd.Series(largest))
        _log_axis(loss, losses["eval_loss"])
        _log_axis(parting, pd.concat(partings) if partings else pd.Series(dtype=float))
        rate.set_ylabel("learning rate")
        loss.set_ylabel("eval loss\n(mean squared error)")
        parting.set_ylabel(f"relative distance\nfrom {arms[0].name}")
        parting.set_xlabel("step (optimizer update)")
        _epochs_above(rate, plan)
        rate.set_title("The rate that each update used")
        loss.set_title("Loss on all data after each epoch, dropout off")
        parting.set_title(f"Batch loss: distance from {arms[0].name} (no line where the bits are equal)")
        figure.legend(*rate.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


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


_OVERLAID: tuple[dict[str, Any], dict[str, Any]] = (
    {"color": "#56B4E9", "linewidth": 2.6},
    {"color": "#D55E00", "linewidth": 0.8, "linestyle": (0, (4, 2))},
)


def _draw_rates(axes: Axes, rows: pd.DataFrame, style: dict[str, Any]) -> None:
    """Keras' rates as a line, PyTorch's as dots along it."""
    steps, lr = _corners(rows["step"].to_numpy(), rows["lr_tensorflow"].to_numpy())
    axes.plot(steps, lr, drawstyle="steps-post", **style)
    some = rows.iloc[:: max(1, len(rows) // _DOTS)]
    axes.plot(some["step"], some["lr_torch"], linestyle="", marker=".", color=style["color"], markersize=4)


def _count(epochs: int) -> str:
    return f"{epochs} epoch{'s' if epochs > 1 else ''}"


def _first_seed(table: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    return table[table["seed"] == plan.seeds[0]]


def _arm_style(arm: Arm, plan: Plan) -> dict[str, Any]:
    others = [each for each in plan.arms if each is not plan.constant_arm]
    if arm is plan.constant_arm:
        return {
            "color": INK,
            "linestyle": "-",
            "linewidth": 1.2,
            "label": arm.name,
            "marker": "." if plan.steps <= _FEW else "",
        }
    place = others.index(arm)
    return {
        "color": _COLOURS[place % len(_COLOURS)],
        "linestyle": _STYLES[(place + place // len(_COLOURS)) % len(_STYLES)],
        "linewidth": 1.6,
        "label": arm.name,
        "marker": "." if plan.steps <= _FEW else "",
    }


def _corners(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows where a staircase changes; where it changes more often than can be seen, evenly spaced rows."""
    corners = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
    if len(corners) > _POINTS:
        corners = np.linspace(0, len(steps) - 1, _POINTS).astype(int)
    rows = np.union1d(corners, len(steps) - 1)
    return steps[rows], values[rows]


def _binned(
    steps: pd.Series, values: pd.Series, combine: Literal["mean", "max"], points: int
) -> tuple[np.ndarray, np.ndarray]:
    """Values combined over equal bins of steps, so that no more than `points` are drawn; NaN where all are."""
    width = -(-len(steps) // points)
    finite = pd.Series(values.to_numpy()).replace([np.inf, -np.inf], np.nan)
    combined = finite.groupby(np.arange(len(steps)) // width).agg(combine)
    return steps.to_numpy()[::width], combined.to_numpy()


def _log_axis(axes: Axes, values: pd.Series) -> None:
    """A logarithmic axis, with 1, 2 and 5 of each decade named where there are few decades."""
    positive = values[(values > 0) & np.isfinite(values)]
    if positive.empty:
        return
    axes.set_yscale("log")
    axes.yaxis.set_minor_formatter(NullFormatter())
    if positive.max() / positive.min() < 10:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    else:
        axes.yaxis.set_major_locator(LogLocator(numticks=6))


def _epoch_lines(axes: Axes, plan: Plan) -> None:
    """Every epoch boundary as a faint line; where that would be a grey wall, every tenth, hundredth …"""
    per_epoch = plan.clock.steps_per_epoch
    low, high = axes.get_xlim()
    stride = 1
    while (high - low) / (per_epoch * stride) > 60:
        stride *= 10
    for boundary in range(0, plan.steps + 1, per_epoch * stride):
        if low <= boundary <= high:
            axes.axvline(boundary, color=INK, alpha=0.16, linewidth=0.7, zorder=0)


def _epochs_above(axes: Axes, plan: Plan) -> None:
    """Epoch boundaries, and a second axis that counts epochs."""
    _epoch_lines(axes, plan)
    per_epoch = plan.clock.steps_per_epoch

    def to_epoch(step: Any) -> Any:
        return step / per_epoch

    def to_step(epoch: Any) -> Any:
        return epoch * per_epoch

    above = axes.secondary_xaxis("top", functions=(to_epoch, to_step))
    above.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    above.set_xlabel("epoch")
