"""The rates of several runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from samestep.experiment.clock import Clock

from .drawing import Drawing
from .style import STYLE, WIDTH, draw_staircase, line, steps_axis


def lines(runs: Mapping[str, tuple[np.ndarray, np.ndarray]], clock: Clock | None = None) -> Figure:
    """The rate of each run, by its name, against its steps."""
    with rc_context(STYLE):
        figure = Drawing(figsize=(WIDTH, 3.4))
        axes = figure.subplots()
        for place, (name, (steps, lr)) in enumerate(runs.items()):
            draw_staircase(axes, steps, lr, linewidth=1.4, label=name, **line(place))
        axes.set_ylim(bottom=0)
        axes.set_ylabel("learning rate")
        steps_axis(axes, clock)
        if len(runs) > 1:
            figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
