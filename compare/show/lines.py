"""The rates of several runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from samestep.experiment.clock import Clock

from .drawing import drawing
from .style import draw_staircase, line, steps_axis


def lines(runs: Mapping[str, tuple[np.ndarray, np.ndarray]], clock: Clock | None = None) -> Figure:
    """The rate of each run, by its name, against its steps."""
    with drawing(3.4, legend=3 if len(runs) > 1 else 0) as figure:
        axes = figure.subplots()
        for place, (name, (steps, lr)) in enumerate(runs.items()):
            draw_staircase(axes, steps, lr, linewidth=1.4, label=name, **line(place))
        axes.set(ylim=(0, None), ylabel="learning rate")
        steps_axis(axes, clock)
    return figure
