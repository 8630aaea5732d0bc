"""``samestep why``."""

from __future__ import annotations

from typing import Annotated

import typer

from . import terminal

EXAMPLE = "samestep why counter"


def why(
    causes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CAUSE]...", help="Causes as compare names them; left out: a line for each."),
    ] = None,
) -> None:
    """What a cause looks like, how it comes about, and how to fix it."""
    from ..causes import CAUSES, page

    width = max(len(cause.name) for cause in CAUSES)
    texts = [page(name) for name in causes or ()] or [f"{cause.name:{width}}  {cause.meaning()}" for cause in CAUSES]
    terminal.say(("\n\n" if causes else "\n").join(texts), wrap=False)
