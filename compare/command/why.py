"""``samestep why``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from . import terminal

if TYPE_CHECKING:
    from ..pages import Paged

EXAMPLE = "samestep why counter"


def why(
    causes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Causes as compare names them, findings as check does; left out: a line for each."
        ),
    ] = None,
) -> None:
    """What a cause or a finding looks like, how it comes about, and how to fix it."""
    from ..causes import CAUSES
    from ..check.findings import FINDINGS
    from ..pages import named

    known = (*CAUSES, *FINDINGS)
    width = max(len(each.name) for each in known)
    pages = [named(name, known, "cause or finding").page() for name in causes or ()]
    listed = ["Causes, of compare:", *_listed(CAUSES, width), "", "Findings, of check:", *_listed(FINDINGS, width)]
    terminal.say("\n\n".join(pages) if causes else "\n".join(listed), wrap=False)


def _listed(pages: Sequence[type[Paged]], width: int) -> list[str]:
    return [f"{each.name:{width}}  {each.meaning()}" for each in pages]
