"""A figure as SVG for a page: part of the page, in its text colour, with words for those who do not see it."""

from __future__ import annotations

import io
import re
from html import escape

from matplotlib import rc_context
from matplotlib.figure import Figure

from compare.figures import INK, STYLE


def svg_text(figure: Figure, transparent: bool = False) -> str:
    """The figure as an SVG document; the same figure gives the same text."""
    text = io.StringIO()
    with rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=transparent)
    return text.getvalue()


def inline_svg(figure: Figure, name: str, alt: str) -> str:
    """The figure as an `svg` element that stands in HTML.

    name : unique on the page; every id begins with it.
    alt : what a reader who does not see the figure is told.
    """
    svg = svg_text(figure, transparent=True)
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
