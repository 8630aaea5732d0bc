"""MLflow's file store: the folder of a run, with a file of lines ``timestamp value step`` for each metric."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from .base import Conventions, Language, Log, LrTiming, Options, ReadError, Series, join, name_list, shown
from .names import LOSSES, first_of, is_rate
from .source import named

NAME = "mlflow"
WHAT = "a run's folder of MLflow"
LANGUAGE: Language | None = None
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the run logged it"
COLUMNS = ("lr", "loss")

GIVEN = "The step that the run gave to mlflow.log_metric was taken as the count of updates."
_MOST_METRICS = 10_000


def is_run(folder: Path) -> bool:
    """A folder with ``meta.yaml`` and ``metrics``."""
    return (folder / "meta.yaml").is_file() and (folder / "metrics").is_dir()


def read_folder(folder: Path, options: Options) -> Log:
    """Each metric that is a rate is a series. Raises ReadError if there is none, or for a line that is not MLflow's."""
    metrics = folder / "metrics"
    files = {}
    for path in sorted(metrics.rglob("*"))[:_MOST_METRICS]:
        if path.is_file() and not path.is_symlink():
            files[path.relative_to(metrics).as_posix()] = path
    rates, loss = metric_names(list(files), options)
    lost = _rows(files[loss]) if loss else np.empty((0, 2))
    series = []
    for name in rates:
        rows = _rows(files[name])
        joined = join(rows[:, 0], lost[:, 0], lost[:, 1]) if loss else None
        series.append(Series(name, rows[:, 0], rows[:, 1], joined, partial(_place, name)))
    return Log(NAME, tuple(series), Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), assumed=(GIVEN,))


def metric_names(names: list[str], options: Options) -> tuple[list[str], str | None]:
    """The metrics that are rates, and the one that is the loss. Raises ReadError if none is a rate."""
    given = options.columns
    rates = [named(names, given["lr"])] if "lr" in given else [name for name in names if is_rate(name)]
    if not rates:
        raise ReadError(f"no rate among the metrics {name_list(names) or '(none)'}. Name it with column.lr=….")
    return rates, named(names, given["loss"]) if "loss" in given else first_of(LOSSES, names)


def _place(name: str, row: int) -> str:
    return f"{name}, line {row + 1}"


def _rows(path: Path) -> np.ndarray:
    """Step and value of each line: float64, shape (n, 2). Versions before 1.0 wrote no step."""
    rows = []
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            cells = raw.split()
            if not cells:
                continue
            try:
                _, value, step = (float(cell) for cell in (cells if len(cells) == 3 else [*cells, b"nan"]))
            except ValueError:
                raise ReadError(
                    f"{path.name}, line {line}: {shown(raw[:40].decode('utf-8', 'replace').strip())} is not "
                    "`timestamp value step`. Fix or delete this line."
                ) from None
            if len(cells) < 3:
                raise ReadError(f"{path.name}, line {line}: it has no step. Log with mlflow.log_metric(…, step=…).")
            rows.append((step, value))
    return np.array(rows, dtype=np.float64).reshape(-1, 2)
