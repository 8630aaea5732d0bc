"""A figure as SVG for a page: part of the page, in its text colour, with words for those who do not see it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from .style import INK, STYLE


def svg_text(figure: Figure) -> str:
    """The figure as an SVG document without a ground; the same figure gives the same text.

    Its layout, which takes as long as drawing it, is kept for whatever else it is drawn as.
    """
    text = io.StringIO()
    with rc_context(STYLE), _without_ground(figure):
        canvas: Any = FigureCanvasSVG(figure)  # `savefig` would draw twice, for a layout that is made either way
        canvas.print_svg(text, metadata={"Date": None, "Creator": None})
    figure.set_layout_engine("none")
    return text.getvalue()


def write_png(figure: Figure, path: Path, dpi: int) -> None:
    """Write the figure as a PNG, with its ground."""
    with rc_context(STYLE):
        figure.set_dpi(dpi)
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(path)


@contextmanager
def _without_ground(figure: Figure) -> Iterator[None]:
    patches = [figure.patch, *(axes.patch for axes in figure.axes)]
    colours = [patch.get_facecolor() for patch in patches]
    for patch in patches:
        patch.set_facecolor("none")
    yield
    for patch, colour in zip(patches, colours, strict=True):
        patch.set_facecolor(colour)


def on_white(svg: str) -> str:
    """An SVG document with a white ground, for whoever shows it on a dark one."""
    return re.sub(r"<svg[^>]*>", r'\g<0>\n <rect width="100%" height="100%" fill="#ffffff"/>', svg, count=1)


def inline_svg(svg: str, name: str, alt: str) -> str:
    """An SVG document as an `svg` element in HTML.

    name : unique on the page; every id begins with it.
    alt : the text for a reader who does not see the figure.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    svg = svg.replace(INK, "currentColor").replace(INK.upper(), "currentColor")
    opening = re.match(r"<svg[^>]*>", svg)
    box = re.search(r'viewBox="[^"]*"', svg)
    assert opening is not None
    assert box is not None
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} role="img" '
        f'aria-labelledby="{name}-alt"><title id="{name}-alt">{escape(alt)}</title>'
    )
    return head + svg[opening.end() :].strip()
