"""``samestep why``."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from compare.command import terminal

EXAMPLE = "samestep why counter"


def why(
    cause: Annotated[
        str, typer.Argument(metavar="CAUSE", help="A cause as `samestep compare` names it, like counter or shift.")
    ],
) -> None:
    """What a cause looks like, how it comes about, and how to fix it."""
    terminal.say(import_module("compare.causes").page(cause), wrap=False)
