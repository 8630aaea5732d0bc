"""How a subcommand ends: what was asked for is written, and the result is shown. Nothing else in `compare` prints."""

from __future__ import annotations

import io
import re
import shutil
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..show.result import Result

DONE, DIFFERS, WRONG_USE, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 130
CODES = {"same": DONE, "clean": DONE, "differs": DIFFERS, "findings": DIFFERS, "inconclusive": INCONCLUSIVE}


def finish(
    result: Result,
    *,
    json: str | None = None,
    report: Path | None = None,
    force: bool = False,
    csv: Path | None = None,
    plot: Path | None = None,
    written: Path | None = None,
) -> None:
    """Write what was asked for, and show the result, unless JSON goes to standard output.

    written : the folder in which the report lies already.
    """
    from samestep.experiment.trace import json_text, moved_into_place, write_csv

    if report is not None:
        from ..show import folder as output

        with output.folder(report, force, "--report") as beside:
            result.write(beside)
    if csv is not None:
        write_csv(csv, {str(name): column.to_numpy() for name, column in result.table.items()})
    if plot is not None:
        drawn = io.BytesIO()  # a pipe can only be written in one go
        result.figure().savefig(drawn, format=plot.suffix[1:], dpi=150)
        with moved_into_place(plot.resolve()) as beside:
            beside.write_bytes(drawn.getvalue())
    if json is not None:
        write(json, json_text(result.to_json()))
    if json != "-":
        for indent, text in result.lines():
            say(text, "" if indent == "|" else indent, wrap=indent != "|" and bool(text))
        if (folder := report or written) is not None:
            say(f"Report: {folder / 'report.html'}", wrap=False)


def write(target: str, text: str) -> None:
    """Write a text into a file, or to standard output for ``-``."""
    from samestep.experiment.trace import moved_into_place

    if target == "-":
        sys.stdout.write(text)
        return
    with moved_into_place(Path(target).resolve()) as beside:  # through a link, not in its place
        beside.write_text(text, encoding="utf-8")


def say(text: str, indent: str = "", wrap: bool = True) -> None:
    """One paragraph, wrapped on a terminal.

    Without Rich, whose import and first print take a fifth of the time that a quick command may take.
    """
    from ..show.result import printable

    width = shutil.get_terminal_size().columns if wrap and sys.stdout.isatty() else 10**6
    filled = textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    print(printable(filled if wrap else f"{indent}{text}"))


def tell(text: str) -> None:
    """A line of progress; a reader that has left does not end the run."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def fail(message: str, code: int) -> int:
    """Say on standard error what went wrong; the exit code."""
    from rich.console import Console

    from ..show.result import printable

    with suppress(OSError):  # nobody can be told; the exit code still says it
        Console(stderr=True, soft_wrap=True).print(
            printable(message), style="bold" if code != INTERRUPTED else None, markup=False, highlight=False
        )
    return code


def in_two_lines(error: Exception) -> str:
    """An error as a user reads it."""
    if isinstance(error, OSError):
        name = re.sub(r"\.([^/]+)\.\d+\.partial$", r"\1", str(error.filename or "What was to be written"))
        return f"{name}: {error.strerror or error}. Name a place that can be used."
    if isinstance(error, (ValueError, RuntimeError)) and type(error).__module__.startswith("samestep."):
        return str(error)
    said = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
    return f"{said}\nThis is a mistake in samestep. Run it again as samestep --traceback … and report what it shows."
