"""A figure that a notebook shows by itself, whatever matplotlib's backend is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib import rc_context
from matplotlib.figure import Figure

from .style import STYLE, WIDTH
from .svg import on_white, svg_text


class Drawing(Figure):
    """A matplotlib figure without pyplot."""

    def _repr_svg_(self) -> str:
        return on_white(svg_text(self))


@contextmanager
def drawing(height: float, legend: int = 2) -> Iterator[Drawing]:
    """A figure to draw in, of a page's width; below it the legend of its first axes, in so many columns, 0 for none."""
    with rc_context(STYLE):
        figure = Drawing(figsize=(WIDTH, height))
        yield figure
        if legend:
            figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=legend)
