"""The pictures of a run. Each function takes a table and returns a Figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from samestep.experiment.plan import Arm, Plan

from ..align.losses import loss_difference, tolerance
from ..show import style
from ..show.drawing import drawing
from ..words import counted
from .summary import question_arms

_POINTS_IN_ALL = 16_000  # drawn in a figure of noisy losses at most: what keeps a report of many arms small
_FEW = 32  # steps in a run that are drawn with a mark each, lest a lone one be lost
_DOTS = 32  # along a line of rates
_FIRST_EPOCHS = 3


def rates(aligned: pd.DataFrame, plan: Plan) -> Figure:
    """The rates against steps: the whole run above, the first three epochs enlarged below."""
    table = _first_seed(aligned, plan)
    first = table[table["epoch"] < _FIRST_EPOCHS]
    with drawing(6.4) as figure:
        whole, enlarged = figure.subplots(2)
        for arm in plan.arms:
            _draw_rates(whole, table[table["arm"] == arm.name], _arm_look(arm, plan))
            _draw_rates(enlarged, first[first["arm"] == arm.name], _arm_look(arm, plan))
        whole.set_title(f"The whole run, {counted(plan.epochs, 'epoch')}: Keras as lines, PyTorch as dots")
        enlarged.set_title(f"Enlarged: the first {counted(min(_FIRST_EPOCHS, plan.epochs), 'epoch')}")
        for axes in (whole, enlarged):
            style.steps_axis(axes, plan.clock)
            axes.set_ylabel("learning rate")
    return figure


def losses(aligned: pd.DataFrame, plan: Plan) -> Figure:
    """The batch losses of each arm in both frameworks, one panel an arm."""
    table = _first_seed(aligned, plan)
    points = max(50, min(1_600, _POINTS_IN_ALL // (2 * len(plan.arms))))
    with drawing(0.9 + 1.25 * len(plan.arms)) as figure:
        panels = figure.subplots(len(plan.arms), sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, arm in zip(panels, plan.arms, strict=True):
            rows = table[table["arm"] == arm.name]
            for (framework, look), width in zip(style.FRAMEWORKS.items(), (2.6, 0.8), strict=True):
                axes.plot(*_means(rows, f"loss_{framework}", points), linewidth=width, **look)
            axes.set_title(arm.name)
            style.log_axis(axes, "y", rows["loss_torch"].to_numpy())
            style.epoch_lines(axes, plan.clock)
        panels[len(panels) // 2].set_ylabel("batch loss (mean squared error)")
        panels[-1].set_xlabel("step (optimizer update)")
    return figure


def loss_differences(aligned: pd.DataFrame, plan: Plan) -> Figure:
    """The relative difference of both frameworks' batch losses in each arm."""
    table = _first_seed(aligned, plan)
    drawn = []
    with drawing(4.0) as figure:
        axes = figure.subplots()
        for arm in plan.arms:
            rows = table[table["arm"] == arm.name]
            steps, largest = _distances(rows, rows, "torch", 160)
            axes.plot(steps, largest, **_arm_look(arm, plan))
            drawn.append(largest)
        limit = tolerance([plan])
        axes.axhline(limit, label=f"tolerance {limit:g}", **style.LIMIT)
        style.log_axis(axes, "y", np.concatenate(drawn))
        style.steps_axis(axes, plan.clock)
        axes.set_ylabel("relative difference of batch losses")
    return figure


def question(aligned: pd.DataFrame, plan: Plan, epochs: pd.DataFrame) -> Figure:
    """What was written and what was meant, compared with a constant rate: rate, eval loss, distance of the losses."""
    table = _first_seed(aligned, plan)
    evaluated = epochs[(epochs["seed"] == plan.seeds[0]) & (epochs["framework"] == "tensorflow")]
    arms = question_arms(plan)
    reference = table[table["arm"] == arms[0].name]
    distances = [np.zeros(0)]
    with drawing(7.2, legend=3) as figure:
        rate, loss, apart = figure.subplots(3, sharex=True)
        for arm in arms:
            look = _arm_look(arm, plan)
            rows = table[table["arm"] == arm.name]
            style.draw_staircase(rate, rows["step"].to_numpy(), rows["lr_tensorflow"].to_numpy(), **look)
            after = evaluated[evaluated["arm"] == arm.name]
            loss.plot((after["epoch"] + 1) * plan.clock.steps_per_epoch - 1, after["eval_loss"], **look)
            if arm is not arms[0]:
                steps, largest = _distances(rows, reference, "tensorflow", 320)
                apart.plot(steps, np.where(largest > 0, largest, np.nan), **look)
                distances.append(largest)
        style.log_axis(loss, "y", evaluated["eval_loss"].to_numpy())
        style.log_axis(apart, "y", np.concatenate(distances))
        style.steps_axis(rate, plan.clock)
        rate.set(xlabel="", ylabel="learning rate", title="The rate that each update used")
        loss.set(ylabel="eval loss\n(mean squared error)", title="Loss on all data after each epoch, dropout off")
        apart.set(xlabel="step (optimizer update)", ylabel=f"relative distance\nfrom {arms[0].name}")
        apart.set_title(f"Batch loss: distance from {arms[0].name} (no line where the bits are equal)")
    return figure


def _draw_rates(axes: Axes, rows: pd.DataFrame, look: dict[str, Any]) -> None:
    """Keras' rates as a line, PyTorch's as dots along it."""
    style.draw_staircase(axes, rows["step"].to_numpy(), rows["lr_tensorflow"].to_numpy(), **look)
    some = rows.iloc[:: max(1, len(rows) // _DOTS)]
    axes.plot(some["step"], some["lr_torch"], linestyle="", marker=".", color=look["color"], markersize=4)


def _first_seed(table: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    return table[table["seed"] == plan.seeds[0]]


def _arm_look(arm: Arm, plan: Plan) -> dict[str, Any]:
    mark = {"label": arm.name, "marker": "." if plan.steps <= _FEW else ""}
    if arm is plan.constant_arm:
        return {"color": style.INK, "linestyle": "-", "linewidth": 1.2, **mark}
    others = [each for each in plan.arms if each is not plan.constant_arm]
    return {**style.line(others.index(arm)), "linewidth": 1.6, **mark}


def _distances(rows: pd.DataFrame, reference: pd.DataFrame, framework: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The distance of a framework's losses from Keras' in a reference arm, the largest of each bin; NaN for none."""
    apart = loss_difference(reference["loss_tensorflow"].to_numpy(), rows[f"loss_{framework}"].to_numpy())
    return style.largest_in_bins(rows["step"].to_numpy(), np.where(np.isfinite(apart), apart, np.nan), most)


def _means(rows: pd.DataFrame, column: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the finite values in each of at most `most` stretches of rows; NaN where there is none."""
    values = rows[column].to_numpy()
    begins = np.arange(0, len(values), -(-len(values) // most))
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        means = np.add.reduceat(np.where(finite, values, 0.0), begins) / np.add.reduceat(finite.astype(int), begins)
    return rows["step"].to_numpy()[begins], means
