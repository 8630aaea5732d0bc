"""MLflow's file store: the folder of a run, with a file of lines ``timestamp value step`` for each metric."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, series_of_rows, shown
from .names import LOSSES, chosen, rates_among

NAME = "mlflow"
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
    files = {
        path.relative_to(metrics).as_posix(): path
        for path in sorted(metrics.rglob("*"))[:_MOST_METRICS]
        if path.is_file() and not path.is_symlink()
    }
    return log_of(list(files), lambda name: _rows(files[name]), "{}, line", options)


def log_of(names: list[str], rows_of: Callable[[str], np.ndarray], row: str, options: Options) -> Log:
    """The log of a run's metrics. Raises ReadError if none is a rate.

    Args:
        rows_of: Gives a metric's rows of step and value: float64, shape (n, 2).
        row: What a message calls a row, ``{}`` the metric.
    """
    hint = '; if none is a rate, the run did not log it: mlflow.log_metric("lr", rate, step=step)'
    rates = rates_among(names, options, "rate among the metrics", hint)
    loss = chosen("loss", LOSSES, names, options)
    losses = rows_of(loss) if loss else None
    series = tuple(series_of_rows(name, rows_of(name), losses, row.format(name)) for name in rates)
    return Log(NAME, series, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), assumed=(GIVEN,))


def _rows(path: Path) -> np.ndarray:
    """Step and value of each line: float64, shape (n, 2). Versions before 1.0 wrote no step."""
    rows = []
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            cells = raw.split()
            if not cells:
                continue
            try:
                _, value, step = map(float, cells if len(cells) == 3 else [*cells, b"nan"])
            except ValueError:
                raise ReadError(
                    f"{path.name}, line {line}: {shown(raw[:40].decode('utf-8', 'replace').strip())} is not "
                    "`timestamp value step`. Fix or delete this line."
                ) from None
            if len(cells) < 3:
                raise ReadError(f"{path.name}, line {line}: it has no step. Log with mlflow.log_metric(…, step=…).")
            rows.append((step, value))
    return np.array(rows, dtype=np.float64).reshape(-1, 2)
