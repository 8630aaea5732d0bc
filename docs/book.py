"""What the pages' cells call: samestep, Keras and PyTorch, each in a process of its own, and what came of it as a page
shows it.

Nothing here imports a framework. A call that fails, or ends with another exit code than its page says, raises, and so
fails the build.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib import rc_context
from matplotlib.figure import Figure
from myst_nb import glue

from samestep._compare.show.style import INK, STYLE, draw_staircase, steps_axis
from samestep._compare.show.svg import inline_svg, svg_text
from samestep.experiment.clock import Clock
from samestep.experiment.plan import Plan, question
from samestep.experiment.trace import EPOCH_COLUMNS, TRACE_COLUMNS, read_csv

ROOT = Path(__file__).parents[1]
RUNS = Path(os.environ.get("SAMESTEP_BOOK_RUNS", Path(tempfile.gettempdir(), "samestep-book")))
"""Where runs lie that several pages use: made by the first page that asks."""

SHELL = Path(tempfile.mkdtemp(prefix="samestep-page-"))
"""The folder in which this page's commands and programs run."""

LOOKS: tuple[dict[str, Any], ...] = (
    {"color": "#56B4E9", "linewidth": 2.8, "linestyle": "-"},
    {"color": "#D55E00", "linewidth": 1.4, "linestyle": (0, (4, 2))},
    {"color": "#009E73", "linewidth": 1.4, "linestyle": "-."},
    {"color": "#CC79A7", "linewidth": 1.4, "linestyle": (0, (1, 1))},
)
WRONG_USE = 2
"""The exit code whose words are on standard error."""

_numbers = itertools.count()


class Shown(str):
    """Text that a page shows as it is, letter by letter."""

    def __repr__(self) -> str:
        return str(self).rstrip("\n")


class Picture:
    """A figure in the page, in its text colour, with words for those who do not see it."""

    def __init__(self, figure: Figure, alt: str) -> None:
        self.figure, self.alt = figure, alt

    def _repr_html_(self) -> str:
        svg = svg_text(self.figure)
        name = f"picture-{hashlib.sha256(svg.encode()).hexdigest()[:8]}-{next(_numbers)}"
        return f'<figure class="picture">{inline_svg(svg, name, self.alt)}</figure>'


def samestep(arguments: str, exits: int = 0, lines: slice = slice(None)) -> Shown:
    """Run ``samestep`` with these arguments, as typed in a shell, in `SHELL`; show the call and what it prints.

    exits : the exit code that it must end with. lines : which lines of the output are shown.
    Raises RuntimeError for another exit code.
    """
    command = [sys.executable, "-P", "-m", "samestep", *shlex.split(arguments)]
    printed = _run(command, exits).splitlines()
    kept = printed[lines]
    if kept != printed:
        kept.append("…")
    return Shown("\n".join([f"$ samestep {arguments}", *kept]))


def keras(file: str | Path) -> Shown:
    """Run a program that imports Keras, `code/FILE` of this page or a whole path, in `SHELL`; return what it prints."""
    return _program(file)


def torch(file: str | Path) -> Shown:
    """Run a program that imports PyTorch, as `keras` does; return what it prints."""
    return _program(file)


def say(**values: Any) -> None:
    """Make values known to the page's text: ``{glue:text}`name``` stands for each there."""
    for name, value in values.items():
        plain = value.item() if isinstance(value, np.generic) else value
        glue(name, Shown(plain) if isinstance(plain, str) else plain, display=False)


def show(picture: Picture | Shown | pd.DataFrame) -> None:
    """Show something in the middle of a cell."""
    display(picture)


def pair(name: str) -> None:
    """Put a recorded pair of runs, one of ``tests/data/pairs``, into `SHELL` as ``a.csv`` and ``b.csv``."""
    for side in ("a.csv", "b.csv"):
        shutil.copy(ROOT / "tests" / "data" / "pairs" / name / side, SHELL / side)


def run(plan: Plan | None = None) -> Path:
    """The folder that `samestep run` writes for a plan, the default one if none is named; made once for all pages."""
    plan = plan or question()
    text = plan.to_json()
    folder = RUNS / f"{plan.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    RUNS.mkdir(parents=True, exist_ok=True)
    with (RUNS / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            (SHELL / "plan.json").write_text(text, encoding="utf-8")
            _run(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "samestep",
                    "run",
                    "--plan",
                    "plan.json",
                    "--out",
                    str(folder),
                ],
                0,
            )
    return folder


def trace(folder: Path, framework: str, arm: str) -> pd.DataFrame:
    """The rows of one run of a folder: the columns of a trace."""
    rows = pd.DataFrame(dict(read_csv(folder / "trace.csv", TRACE_COLUMNS)))
    return rows.query("framework == @framework and arm == @arm").reset_index(drop=True)


def epochs(folder: Path, framework: str, arm: str) -> pd.DataFrame:
    """The losses of each epoch of one run of a folder."""
    rows = pd.DataFrame(dict(read_csv(folder / "epochs.csv", EPOCH_COLUMNS)))
    return rows.query("framework == @framework and arm == @arm").reset_index(drop=True)


def log(file: str) -> pd.DataFrame:
    """A trace in CSV that a program of this page wrote into `SHELL`."""
    return pd.DataFrame(dict(read_csv(SHELL / file, TRACE_COLUMNS)))


def rates(lines: Mapping[str, Any], clock: Clock | None = None, alt: str = "", mark: int | None = None) -> Picture:
    """Learning rates against steps.

    lines : by its name in the legend, each run: a table with `step` and `lr`, or one rate for each step.
    clock : draws epoch boundaries and an axis of epochs. mark : a step that is marked as the first difference.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(6.0, 3.4))
        axes = figure.subplots()
        for (name, line), look in zip(lines.items(), LOOKS, strict=False):
            lr = np.asarray(line["lr"] if isinstance(line, pd.DataFrame) else line, dtype=np.float64)
            steps = np.asarray(line["step"]) if isinstance(line, pd.DataFrame) else np.arange(len(lr))
            draw_staircase(axes, steps, lr, label=name, **look)
        if mark is not None:
            axes.axvline(mark, color=INK, linewidth=1, linestyle=":", label=f"step {mark:,}")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("learning rate")
        steps_axis(axes, clock)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return Picture(figure, alt)


def _program(file: str | Path) -> Shown:
    program = Path.cwd() / "code" / file  # cells run in the folder of their page
    return Shown(_run([sys.executable, "-W", "ignore", str(program)], 0))


def _run(command: list[str], exits: int) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "PYDEVD"))}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
    done = subprocess.run(
        command,
        cwd=SHELL,
        env=environment | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != exits:
        raise RuntimeError(
            f"{shlex.join(command)} ended with {done.returncode}, not {exits}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout + (done.stderr if exits == WRONG_USE else "")


def _leave() -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(SHELL)


__import__("atexit").register(_leave)
