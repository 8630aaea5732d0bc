"""A command that is run unchanged while its processes are watched, and what they left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import samestep.experiment.starting

from ..runs.run import CompareError
from .check import check
from .result import Check

PATH = Path(samestep.experiment.starting.__file__).parent / "path"
VARIABLE = "SAMESTEP_RECORD"


@dataclass(frozen=True)
class Recorded:
    """A command with where it is recorded.

    folder : where its processes leave notes: which Python they are, what they imported, what they recorded.
    """

    command: list[str]
    out: Path
    updates: int | None
    epochs: int | None
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="samestep-record-")))

    @classmethod
    def of(
        cls, command: list[str], out: Path, updates: int | None, epochs: int | None, *, force: bool, append: bool
    ) -> Recorded:
        """What was asked for. Raises CompareError where it cannot be."""
        if not command:
            raise CompareError("There is no command. Write it after --, as in: samestep record -- python train.py.")
        if shutil.which(command[0]) is None:
            raise CompareError(f"{command[0]}: there is no such command. Write one that can be run, or its whole path.")
        if force and append:
            raise CompareError("--force replaces a recording and --append continues it. Give one of them.")
        out = out.absolute()
        if out.suffix != ".csv":
            raise CompareError(f"{out}: a recording ends in .csv. Give --out such a name.")
        if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
            raise CompareError(f"{out}: there is no folder {out.parent} that can be written. Make it, or name another.")
        there = [each for each in (out, *sorted(out.parent.glob(f"{out.stem}-[0-9]*.csv"))) if each.exists()]
        if there and not (force or append):
            raise CompareError(
                f"{there[0]} is there already. Give --force to replace it, --append to continue it, or another --out."
            )
        for each in there if force else ():
            for part in (each, each.with_suffix(".manifest.json"), each.with_suffix(".facts.json")):
                part.unlink(missing_ok=True)
        return cls(command, out, updates, epochs)

    def run(self) -> int:
        """Run the command, with its own input and output. Returns its exit code."""
        asked = {
            "out": str(self.out),
            "folder": str(self.folder),
            "command": self.command,
            "updates": self.updates,
            "epochs": self.epochs,
        }
        path = os.pathsep.join(filter(None, (str(PATH), os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(self.command, env={**os.environ, "PYTHONPATH": path, VARIABLE: json.dumps(asked)})

        def forwarded(number: int, _: Any) -> None:
            with suppress(ProcessLookupError):
                process.send_signal(number)

        before = {number: signal.signal(number, forwarded) for number in (signal.SIGTERM,)}
        before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)  # the terminal sends it to both
        try:
            code = process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return 128 - code if code < 0 else code

    def found(self) -> list[Path]:
        """What was recorded, the first process's first. What was left to say it is taken away."""
        claims = sorted(self.folder.glob("recording-*"), key=lambda each: int(each.name.rpartition("-")[2]))
        paths = [Path(each.read_text(encoding="utf-8")) for each in claims]
        return [each for each in paths if each.exists()]

    def why_nothing(self) -> str:
        """Why there is no recording, and what to do."""
        name = " ".join(self.command)[:200]
        without = next(self.folder.glob("without-*"), None)
        if without is not None:
            python = without.read_text(encoding="utf-8")
            return f"{python} has no samestep, so nothing was recorded. Run: {python} -m pip install samestep."
        if next(self.folder.glob("python-*"), None) is None:
            return f"Nothing was recorded: {name} started no Python that reads PYTHONPATH. Record one that does."
        if next(self.folder.glob("imported-*"), None) is None:
            return f"Nothing was recorded: {name} imported neither torch nor keras. Record a command that trains."
        return f"Nothing was recorded: {name} made no update. Record a command whose optimizer steps."


def checked(path: Path) -> Check:
    """What `check` says of a recording, which is called as it is from here."""
    return check(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
