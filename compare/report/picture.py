"""A figure as a report shows it."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A figure with its file name, and words for those who do not see it."""

    name: str
    figure: Figure
    alt: str
    caption: str
