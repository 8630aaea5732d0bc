"""Values into templates: `report.html`, one file without scripts, and `report.md` beside the figures."""

from __future__ import annotations

from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from compare.report.svg import inline_svg


def html(values: dict[str, Any], template: str = "report/report.html.j2") -> str:
    """A report as one self-contained page."""
    svgs = {name: Markup(inline_svg(picture.svg, name, picture.alt)) for name, picture in values["pictures"].items()}
    css = Markup(resources.files("compare.report").joinpath("report.css").read_text(encoding="utf-8"))
    return _environment(autoescape=True).get_template(template).render(**values, svgs=svgs, css=css)


def markdown(values: dict[str, Any], template: str = "report/report.md.j2") -> str:
    """A report as Markdown that refers to `figures/*.svg`."""
    return _environment(autoescape=False).get_template(template).render(**values)


def _environment(autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("compare", "."),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
