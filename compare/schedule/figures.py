"""Pictures of one schedule or log: what it does in a run, and what the real schedulers give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import to_short

from ..show.drawing import drawing
from ..show.picture import Picture
from ..show.style import BLUE, FRAMEWORKS, INK, LIMIT, draw_staircase, largest_in_bins, steps_axis
from ..tolerance import ULP32

if TYPE_CHECKING:
    from .explain import Explanation
    from .simulate import Simulation
    from .timeline import Timeline

_FIRST_EPOCHS = 3


def only(draw: Callable[[], Figure], alt: str, caption: str) -> Mapping[str, Callable[[], Picture]]:
    """The pictures of a report that has one."""
    return {"rates": lambda: Picture("rates", draw(), alt, caption)}


def explained(explanation: Explanation) -> Figure:
    """The rate against steps: the whole run, and its beginning, with the first change marked."""
    clock, lr, first = explanation.clock, explanation.rates, explanation.first_change
    steps = np.arange(len(lr))
    few = min(len(lr), _FIRST_EPOCHS * clock.steps_per_epoch)
    change = None if first is None else (first.place.step, first.lr)
    return _beginning_enlarged(to_short(explanation.schedule), steps, lr, few, change, clock)


def timeline(timeline: Timeline) -> Figure:
    """The rate of a log against steps: all of it, and its beginning, with the first change marked."""
    clock, rates, first = timeline.clock, timeline.rates, timeline.first_change
    change = None if first is None else (first.step, first.lr)
    epochs = 0 if clock is None else _FIRST_EPOCHS * clock.steps_per_epoch
    before = int(rates.step[0]) + (epochs or 2 * ((change[0] if change else 0) - int(rates.step[0])))
    few = int(np.searchsorted(rates.step, before)) or len(rates)
    title = timeline.inference.side.given
    return _beginning_enlarged(title, rates.step, rates.lr, few, change, clock)


def _beginning_enlarged(
    title: str, steps: np.ndarray, lr: np.ndarray, few: int, change: tuple[int, float] | None, clock: Clock | None
) -> Figure:
    """All rows, and below them the first few, with the first change marked."""
    with drawing(5.6, legend=0) as figure:
        whole, enlarged = figure.subplots(2)
        draw_staircase(whole, steps, lr, color=BLUE, linewidth=1.6)
        draw_staircase(enlarged, steps[:few], lr[:few], color=BLUE, linewidth=1.6)
        for axes in (whole, enlarged):
            steps_axis(axes, clock)
            axes.set_ylabel("learning rate")
            axes.set_ylim(0, 1.08 * float(lr.max()) or None)
        if change is not None and change[0] <= steps[few - 1]:
            place = None if clock is None else clock.place(change[0])
            within = "" if place is None else f"\n(epoch {place.epoch}, batch {place.batch})"
            enlarged.annotate(
                f"first change: step {change[0]}{within}",
                change,
                xytext=(12, -34),
                textcoords="offset points",
                arrowprops={"arrowstyle": "->", "color": INK},
            )
        whole.set_title(title, wrap=True)
        until = f"The first {int(steps[few - 1] - steps[0]) + 1:,} steps"
        enlarged.set_title(until if clock is None else f"{until}; faint lines are epoch boundaries")
    return figure


def simulated(simulation: Simulation) -> Figure:
    """The rates of both frameworks over the closed form, and how far each lies from it in float32 ULP."""
    rows = simulation.columns()
    with drawing(5.6, legend=0) as figure:
        rates, apart = figure.subplots(2, sharex=True)
        ground: dict[str, Any] = {"color": INK, "linewidth": 4, "alpha": 0.25, "label": "closed form"}
        draw_staircase(rates, rows["step"], rows["lr_closed_form"], **ground)
        for name, look in FRAMEWORKS.items():
            draw_staircase(rates, rows["step"], rows[f"lr_{name}"], linewidth=1.4, **look)
            binned = largest_in_bins(rows["step"], rows[f"ulp32_{name}"])
            apart.plot(*binned, drawstyle="steps-post", linewidth=1.2, **look)
        apart.axhline(ULP32, label=f"{ULP32} ULP, without drift", **LIMIT)
        apart.set_yscale("symlog", linthresh=1)
        apart.set_ylim(bottom=0)
        steps_axis(rates, simulation.clock)
        rates.set(xlabel="", ylabel="learning rate")
        rates.set_title(to_short(simulation.schedule), wrap=True)
        apart.set_title("Distance from the closed form")
        apart.set(xlabel="step (optimizer update)", ylabel="float32 ULP")
        rates.legend()
        apart.legend()
    return figure
