"""What the pages on mistakes share: two traces from real schedulers, what `samestep compare` says of them, its fix."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from book import RUNS, SHELL, Picture, Shown, keras, rates, samestep, say, torch
from book import pair as recorded

from experiment.clock import Clock

SIDES = ("a", "b")
LANGUAGES = {"Keras": "fix_keras", "PyTorch": "fix_torch"}
"""The tool's name of a framework, and the name by which a page shows its fix."""


class Code:
    """Python, as a page shows it."""

    def __init__(self, source: str) -> None:
        self.source = source

    def __repr__(self) -> str:
        return self.source

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source}\n```"


class Mistake:
    """Two traces, `a.csv` and `b.csv`, and the JSON that `samestep compare` writes of them.

    cause : which it must name. options : of the command. pair : of `tests/data/pairs`; else the cause's own, from
    `code/`. exits : the exit code that it must end with.
    Makes `first`, the step of the first difference, `advice`, and the code of the fix known to the page.
    """

    def __init__(self, cause: str, options: str = "", pair: str | None = None, exits: int = 1) -> None:
        self.options, self.exits = options, exits
        if pair:
            recorded(pair)
        else:
            for side in SIDES:
                shutil.copy(_made() / cause / f"{side}.csv", SHELL)
        self.json = told(options, exits)
        self.cause: dict[str, Any] = self.json["cause"]
        assert self.cause["name"] == cause, f"{self.cause['name']} is named, not {cause}"
        self.first = None if self.json["first_difference"] is None else int(self.json["first_difference"]["step"])
        self.clock = _clock(self.json["clock"])
        self.a, self.b = (pd.read_csv(SHELL / f"{side}.csv") for side in SIDES)
        say(advice=self.cause["fix"].splitlines()[0], **({} if self.first is None else {"first": self.first}))
        say(**{LANGUAGES[language]: Code(code) for language, code in self.cause["fix_code"].items()})

    def picture(self, alt: str, a: str, b: str, until: int | None = None, mark: int | None = None) -> Picture:
        """Both rates, with the first difference marked, or the step `mark`.

        a, b : what they are called beside their letter. until : the step up to which they are drawn; None for all.
        A step without a row leaves a hole.
        """
        shown = {}
        for side, name, rows in (("a", a, self.a), ("b", b, self.b)):
            known = rows[rows.step < until] if until else rows
            grid = range(0, int(known.step.max()) + 1, int(known.step.diff().min()))
            shown[f"{side}: {name}"] = known.set_index("step").lr.reindex(grid).rename_axis("step").reset_index()
        picture = rates(shown, None if until else self.clock, alt, mark=self.first if mark is None else mark)
        picture.figure.axes[0].ticklabel_format(axis="y", style="plain")
        return picture

    def says(self) -> Shown:
        """The call, the verdict, the cause and the fix in the command's own words; for what is left out stands …"""
        call, verdict, *others = samestep(f"compare a.csv b.csv {self.options}".rstrip(), self.exits).splitlines()
        start = next(row for row, line in enumerate(others) if line.startswith("Cause: "))
        shown = [call, verdict, "…"]
        for line in others[start:]:
            if line and not line.startswith("  "):
                shown.append(line)
            elif shown[-1] != "…":  # the code, which stands under "The fix"
                shown.append("…")
        return Shown("\n".join(shown))


def told(options: str = "", exits: int = 1) -> dict[str, Any]:
    """The JSON that `samestep compare a.csv b.csv` writes."""
    samestep(f"compare a.csv b.csv {options} --json told.json", exits)
    read: dict[str, Any] = json.loads((SHELL / "told.json").read_text(encoding="utf-8"))
    return read


def _clock(given: dict[str, Any] | None) -> Clock | None:
    if given is None:
        return None
    return Clock(given["samples"], given["batch_size"], given["drop_last"], given["accumulate"])


def _made() -> Path:
    """The folder of the pairs that the programs in `code/` write; made by the first page that asks."""
    programs = sorted((Path(__file__).parent / "code").glob("*.py"))
    text = hashlib.sha256(b"".join(program.read_bytes() for program in programs))
    folder = RUNS / f"mistakes-{text.hexdigest()[:12]}"
    RUNS.mkdir(parents=True, exist_ok=True)
    with (RUNS / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            keras("keras_side.py")
            torch("torch_side.py")
            beside = folder.with_suffix(f".{os.getpid()}")
            shutil.copytree(SHELL, beside)
            beside.rename(folder)
    return folder
