"""A figure as a report shows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from matplotlib.figure import Figure

from .svg import svg_text


@dataclass(frozen=True)
class Picture:
    """A figure with its file name, and words for those who do not see it."""

    name: str
    figure: Figure
    alt: str
    caption: str

    @cached_property
    def svg(self) -> str:
        """The figure as an SVG document without a ground, drawn once."""
        return svg_text(self.figure)
