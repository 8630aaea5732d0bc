"""A figure that a notebook shows by itself, whatever matplotlib's backend is."""

from __future__ import annotations

from matplotlib.figure import Figure

from .svg import on_white, svg_text


class Drawing(Figure):
    """A matplotlib figure without pyplot."""

    def _repr_svg_(self) -> str:
        return on_white(svg_text(self))
