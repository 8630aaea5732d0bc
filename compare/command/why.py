"""``samestep why``."""

from __future__ import annotations

from typing import Annotated

import typer

from compare.command import terminal

EXAMPLE = "samestep why counter"


def why(
    cause: Annotated[
        str | None,
        typer.Argument(metavar="[CAUSE]", help="A cause as `samestep compare` names it; left out, a line for each."),
    ] = None,
) -> None:
    """What a cause looks like, how it comes about, and how to fix it."""
    from compare.causes import CAUSES, page

    width = max(len(each.name) for each in CAUSES)
    text = "\n".join(f"{each.name:{width}}  {each.meaning()}" for each in CAUSES) if cause is None else page(cause)
    terminal.say(text, wrap=False)
