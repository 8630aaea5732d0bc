"""Values into templates: `report.html`, one file without scripts, and `report.md` beside the figures.

A template is named by its place under `compare/`, without its ending: ``training/report``. Those of HTML extend
`show/base.html.j2`; `show/macros.html.j2` and `show/macros.md.j2` hold what the reports share.
"""

from __future__ import annotations

import warnings
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .svg import inline_svg, on_white, write_png

_PNG_DPI = 160


def html(values: dict[str, Any], template: str) -> str:
    """A report as one self-contained page."""
    svgs = {name: Markup(inline_svg(picture.svg, name, picture.alt)) for name, picture in values["pictures"].items()}
    css = Markup(resources.files("samestep._compare.show").joinpath("report.css").read_text(encoding="utf-8"))
    page = _environment(autoescape=True).get_template(f"{template}.html.j2")
    return page.render(**values, svgs=svgs, css=css)


def markdown(values: dict[str, Any], template: str) -> str:
    """A report as Markdown that refers to `figures/*.svg`."""
    return _environment(autoescape=False).get_template(f"{template}.md.j2").render(**values)


def write(folder: Path, values: dict[str, Any], template: str) -> None:
    """Write both reports, and each of their pictures as SVG and as PNG, into a folder that is there and empty."""
    figures = folder / "figures"
    figures.mkdir()
    with warnings.catch_warnings():
        # a letter that the PNG's font lacks is a box there; in HTML and SVG the reader's own fonts have it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for name, picture in values["pictures"].items():
            (figures / f"{name}.svg").write_text(on_white(picture.svg), encoding="utf-8")
            write_png(picture.figure, figures / f"{name}.png", _PNG_DPI)
        (folder / "report.html").write_text(html(values, template), encoding="utf-8")
    (folder / "report.md").write_text(markdown(values, template), encoding="utf-8")


def _environment(autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("compare", "."),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
