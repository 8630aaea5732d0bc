"""Pictures of one schedule: what it does in a run, and what the real schedulers give."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from compare.figures import INK, STYLE
from compare.runner import LABELS
from compare.schedule.explain import Explanation
from compare.schedule.simulate import Simulation
from compare.show.drawing import Drawing
from compare.tolerance import ULP32
from experiment.clock import Clock
from experiment.schedules.text import to_short

_WIDTH = 7.0
_POINTS = 4000  # more cannot be told apart
_FIRST_EPOCHS = 3
_COLOURS = {"tensorflow": "#E69F00", "torch": "#0072B2"}
_STYLES: dict[str, Any] = {"tensorflow": "-", "torch": (0, (4, 2))}


def explained(explanation: Explanation) -> Figure:
    """The rate against steps: the whole run, and its beginning, with the first change marked."""
    clock = explanation.clock
    lr = explanation.rates
    steps = np.arange(len(lr))
    few = min(len(lr), _FIRST_EPOCHS * clock.steps_per_epoch)
    with rc_context(STYLE):
        figure = Drawing(figsize=(_WIDTH, 5.6))
        whole, enlarged = figure.subplots(2)
        _line(whole, steps, lr, color="#0072B2", linewidth=1.6)
        _line(enlarged, steps[:few], lr[:few], color="#0072B2", linewidth=1.6)
        for axes, upto in ((whole, len(lr)), (enlarged, few)):
            _epochs(axes, clock, upto)
            axes.set_ylabel("learning rate")
            axes.set_ylim(0, 1.08 * float(lr.max()))
        first = explanation.first_change
        if first is not None and first.place.step < few:
            place = first.place
            enlarged.annotate(
                f"first change: step {place.step}\n(epoch {place.epoch}, batch {place.batch})",
                (place.step, first.lr),
                xytext=(12, -34),
                textcoords="offset points",
                arrowprops={"arrowstyle": "->", "color": INK},
            )
        whole.set_title(to_short(explanation.schedule), wrap=True)
        enlarged.set_title(f"The first {few:,} steps; dotted lines are epoch boundaries")
        enlarged.set_xlabel("step (optimizer update)")
    return figure


def simulated(simulation: Simulation) -> Figure:
    """The rates of both frameworks over the closed form, and how far each lies from it in float32 ULP."""
    rows = simulation.columns()
    with rc_context(STYLE):
        figure = Drawing(figsize=(_WIDTH, 5.6))
        rates, apart = figure.subplots(2, sharex=True)
        _line(rates, rows["step"], rows["lr_closed_form"], color=INK, linewidth=4, alpha=0.25, label="closed form")
        for name, label in LABELS.items():
            style = {"color": _COLOURS[name], "linestyle": _STYLES[name], "label": label}
            _line(rates, rows["step"], rows[f"lr_{name}"], linewidth=1.4, **style)
            bins = np.array_split(rows[f"ulp32_{name}"], min(len(rows["step"]), _POINTS // 4))
            begins = np.cumsum([0, *(len(each) for each in bins[:-1])])
            apart.plot(begins, [each.max() for each in bins], drawstyle="steps-post", linewidth=1.2, **style)
        apart.axhline(ULP32, color=INK, linewidth=1, linestyle=(0, (6, 3)), label=f"{ULP32} ULP, without drift")
        apart.set_yscale("symlog", linthresh=1)
        apart.set_ylim(bottom=0)
        for axes in (rates, apart):
            _epochs(axes, simulation.clock, len(rows["step"]))
        rates.set_title(to_short(simulation.schedule), wrap=True)
        apart.set_title("Distance from the closed form")
        rates.set_ylabel("learning rate")
        apart.set_ylabel("float32 ULP")
        apart.set_xlabel("step (optimizer update)")
        rates.legend()
        apart.legend()
    return figure


def _line(axes: Axes, steps: np.ndarray, lr: np.ndarray, **style: Any) -> None:
    """A line through every change, or through evenly spaced steps where there are more than can be seen."""
    corners = np.flatnonzero(np.diff(lr, prepend=np.nan) != 0)
    if len(corners) > _POINTS:
        corners = np.linspace(0, len(lr) - 1, _POINTS).astype(int)
    kept = np.union1d(corners, len(lr) - 1)
    axes.plot(steps[kept], lr[kept], drawstyle="steps-post", **style)


def _epochs(axes: Axes, clock: Clock, steps: int) -> None:
    """Epoch boundaries as dotted lines, as many as can be told apart."""
    every = clock.steps_per_epoch * max(1, -(-steps // (clock.steps_per_epoch * 50)))
    for step in range(every, steps, every):
        axes.axvline(step, color=INK, linewidth=0.5, linestyle=":", alpha=0.5)
