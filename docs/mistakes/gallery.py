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
from book import RUNS, SHELL, Picture, Shown, keras, rates, samestep, torch
from book import pair as recorded
from IPython.display import Markdown
from mistakes.pages import EXAMPLES

from samestep._compare.causes import named
from samestep.experiment.clock import Clock

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
    """The example of a cause, `a.csv` and `b.csv`, and the JSON that `samestep compare` writes of it.

    Raises AssertionError where the command names another cause, or other parameters.
    """

    def __init__(self, name: str) -> None:
        self.example = example = EXAMPLES[named(name)]
        if example.pair:
            recorded(example.pair)
        else:
            for side in SIDES:
                shutil.copy(_made() / name / f"{side}.csv", SHELL)
        self.json = told(example.options, example.exits)
        self.cause: dict[str, Any] = self.json["cause"]
        expected = {"name": name, **example.cause.parameters}
        assert {key: self.cause.get(key) for key in expected} == expected, self.cause
        first = self.json["first_difference"]
        self.first = None if first is None else int(first["step"])
        assert example.first in (None, self.first), self.first
        assert bool(self.cause["fix_code"]) == example.has_fix
        self.clock = _clock(self.json["clock"])
        self.a, self.b = (pd.read_csv(SHELL / f"{side}.csv") for side in SIDES)

    def fixes(self) -> dict[str, Code]:
        """The code of the fix, by the name that a page shows it by."""
        return {LANGUAGES[language]: Code(code) for language, code in self.cause["fix_code"].items()}

    def picture(self) -> Picture:
        """Both rates, with the first difference marked. A step without a row leaves a hole."""
        shown, example = {}, self.example
        for side, name, rows in (("a", example.a, self.a), ("b", example.b, self.b)):
            known = rows[rows.step < example.until] if example.until else rows
            grid = range(0, int(known.step.max()) + 1, int(known.step.diff().min()))
            shown[f"{side}: {name}"] = known.set_index("step").lr.reindex(grid).rename_axis("step").reset_index()
        mark = self.first if example.mark is None else example.mark
        picture = rates(shown, None if example.until else self.clock, example.alt, mark=mark)
        axes = picture.figure.axes[0]
        axes.ticklabel_format(axis="y", style="plain")
        axes.set_ylim(bottom=example.bottom)
        return picture

    def others(self) -> Markdown:
        """What the command says of more recorded pairs with this cause, as a list."""
        said = []
        for name, options in self.example.others:
            recorded(name)
            cause = told(options)["cause"]
            assert cause["name"] == self.cause["name"]
            reading = f"`{cause['reading']}`: " if cause["reading"] else ""
            said.append(f"- {reading}{cause['sentence']}")
        return Markdown("\n".join(said))

    def says(self) -> Shown:
        """The call, the verdict, the cause and the fix in the command's own words; for what is left out stands …"""
        call = f"compare a.csv b.csv {self.example.options}".rstrip()
        call, verdict, *others = samestep(call, self.example.exits).splitlines()
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
            keras(programs[0])
            torch(programs[1])
            beside = folder.with_suffix(f".{os.getpid()}")
            shutil.copytree(SHELL, beside)
            beside.rename(folder)
    return folder
