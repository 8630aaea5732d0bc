"""The output folder: made beside its place, moved there when complete, never half written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

MANIFEST = "manifest.json"
_TABLES = ("aligned", "attribution", "comparison", "epochs", "gaps", "summary", "table", "trace")
_VALUES = ("attribution", "comparison", "plan", "plan-tensorflow", "plan-torch", "result", "summary")
FILES = {"figures", "report.html", "report.md", MANIFEST}
FILES |= {f"{name}.csv" for name in _TABLES} | {f"{name}.json" for name in _VALUES}
"""All that samestep writes into an output folder; a folder that holds anything else is never replaced."""


class OutputError(ValueError):
    """An output folder that cannot be used; the message is one line that says what to do."""


@contextmanager
def folder(out: Path, force: bool, option: str = "--out") -> Iterator[Path]:
    """A new folder beside `out`, moved to `out` when all went well and removed when not.

    force : an earlier output of samestep at `out` is replaced, once the new one is complete. Anything else there is
    left alone. option : that names the folder, for a message.
    Raises OutputError where `out` exists and may not be replaced, or cannot be written.
    """
    check(out, force, option)
    if out.parent.exists() and not out.parent.is_dir():
        raise OutputError(f"{out} cannot be written: {out.parent} is not a folder. Name another folder with {option}.")
    made = [each for each in (out.parent, *out.parent.parents) if not each.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = out.with_name(f".{out.name}.{token_hex(4)}.partial")
        beside.mkdir()
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror}. Name another folder with {option}.") from None
    try:
        yield beside
        check(out, force, option)
        _replace(beside, out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        with suppress(OSError):  # one that holds something stays, and those above it
            for each in made:
                each.rmdir()


def _replace(beside: Path, out: Path) -> None:
    earlier = beside.with_suffix(".earlier")
    if out.exists():
        out.rename(earlier)
    try:
        beside.rename(out)
    except OSError:
        if earlier.exists():
            earlier.rename(out)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def check(out: Path, force: bool, option: str = "--out") -> None:
    """Refuse, before any work, an output folder that could not be written after it. Raises OutputError."""
    if not os.path.lexists(out):
        return
    if not force:
        raise OutputError(f"{out} exists. Name another folder with {option}, or replace it with --force.")
    if out.is_symlink() or not out.is_dir():
        raise OutputError(f"{out} is not a folder, and --force replaces folders only. Name another with {option}.")
    if Path.cwd().resolve().is_relative_to(out.resolve()):
        raise OutputError(f"{out} is the current folder, and --force would remove it. Name another with {option}.")
    if any(out.iterdir()) and not _is_ours(out):
        raise OutputError(f"{out} holds no output of samestep, so --force leaves it alone. Name another with {option}.")
    if foreign := sorted({path.name for path in out.iterdir()} - FILES):
        raise OutputError(
            f"{out} holds {foreign[0]}, which samestep did not write, so --force leaves it alone. "
            f"Move it away, or name another folder with {option}."
        )


def _is_ours(out: Path) -> bool:
    try:
        return "samestep" in json.loads((out / MANIFEST).read_text(encoding="utf-8"))["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
