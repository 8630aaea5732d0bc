"""``samestep record``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import terminal
from .options import Json, check_targets

EXAMPLE = "samestep record --out run.csv -- python train.py"


def record(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- COMMAND", help="What to run, with its arguments.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The recording; other processes get a file beside it.")] = (
        Path("run.csv")
    ),
    updates: Annotated[int | None, typer.Option(min=1, help="End the run after so many updates.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="End the run after so many passes over the data.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Record only; look for no mistakes.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier recording.")] = False,
    append: Annotated[bool, typer.Option("--append", help="Continue a recording, of a resumed run.")] = False,
    json: Json = None,
) -> int:
    """Run a command unchanged, record every update's rate, and check the run.

    Exits as `check` does, or as the command where that fails.
    """
    from ..check.recorded import Recorded, checked

    check_targets([out], json)
    recorded = Recorded.of(command or [], out, updates, epochs, force=force, append=append)
    code = recorded.run()
    found = recorded.found()
    if code:
        if found:
            terminal.tell(f"samestep: the command ended with {code}. The recording is {found[0]}.")
        return code
    if not found:
        return terminal.fail(recorded.why_nothing(), terminal.INCONCLUSIVE)
    for path in found:
        terminal.tell(f"samestep: recorded into {path}.")
    if no_check:
        return terminal.DONE
    results = [checked(path) for path in found]
    for result in results[1:] if json is None else ():
        terminal.finish(result)
    worst = max(results, key=lambda each: terminal.CODES[each.verdict] % terminal.INCONCLUSIVE)
    terminal.finish(worst if len(results) > 1 else results[0], json=json)
    return terminal.CODES[worst.verdict]
