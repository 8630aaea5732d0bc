"""MLflow's SQLite store, ``mlflow.db``, opened read-only."""

from __future__ import annotations

import contextlib
import sqlite3

import numpy as np

from .base import Log, LrTiming, Options, ReadError, name_list, shown
from .mlflow_files import log_of
from .source import Source

NAME = "mlflow-sqlite"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the run logged it"
COLUMNS = ("lr", "loss", "run")

_TABLES = ("metrics", "runs")
_MOST_WORK = 200
"""Instructions of SQLite's virtual machine per byte of the file; reading all metrics takes less than one."""


def sniff(source: Source) -> bool:
    """The first bytes of any SQLite database."""
    return source.head.startswith(b"SQLite format 3\x00")


def read(source: Source, options: Options) -> Log:
    """The metrics of the only run that has rates, or of the one named by ``columns["run"]``, by name or id.

    Raises:
        ReadError: If there are several runs or none, or if the database is not MLflow's.
    """
    try:
        with contextlib.closing(_connected(source)) as connection:
            _check_schema(connection)
            return _read(connection, options)
    except sqlite3.Error as error:
        raise ReadError(f"not a database that MLflow wrote, or a damaged one ({shown(str(error))}).") from None
    except UnicodeDecodeError:
        raise ReadError("not a database that MLflow wrote: a text in it is not UTF-8.") from None


def _connected(source: Source) -> sqlite3.Connection:
    # with a write-ahead log the file may change; without one, immutable keeps SQLite from creating files
    still = "" if source.path.with_name(source.path.name + "-wal").exists() else "&immutable=1"
    connection = sqlite3.connect(f"{source.path.resolve().as_uri()}?mode=ro{still}", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(source.size, 1 << 16))
    ticks = iter(range(max(source.size * _MOST_WORK // 10_000, 1_000)))
    connection.set_progress_handler(lambda: next(ticks, None) is None, 10_000)
    return connection


def _check_schema(connection: sqlite3.Connection) -> None:
    """Raise ReadError unless both are plain tables: reading a view or a computed column could run any code."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name IN (?, ?) AND length(sql) < 100000"
    made = dict(connection.execute(query, _TABLES).fetchall())
    for table in _TABLES:
        sql = made.get(table)
        if sql is None:
            raise ReadError(f"a database without a table {table!r}: not MLflow's. Give mlflow.db.")
        if not sql.startswith("CREATE TABLE") or " AS (" in sql.upper():
            raise ReadError(f"a database whose {table!r} is not a plain table: not MLflow's. Give mlflow.db.")


def _read(connection: sqlite3.Connection, options: Options) -> Log:
    run = _run(connection, options)
    keys = connection.execute("SELECT DISTINCT key FROM metrics WHERE run_uuid = ? ORDER BY key", (run,))
    names = [name for (name,) in keys if isinstance(name, str)]
    return log_of(names, lambda name: _rows(connection, run, name), "row", options)


def _run(connection: sqlite3.Connection, options: Options) -> str:
    found = connection.execute("SELECT run_uuid, name FROM runs LIMIT 10000").fetchall()
    runs = {str(run): str(name) for run, name in found}
    wanted = options.columns.get("run")
    chosen = [run for run, name in runs.items() if wanted is None or wanted in (run, name)]
    if len(chosen) == 1:
        return chosen[0]
    listed = name_list([f"{runs[run]} ({run})" for run in (chosen or runs)])
    what = f"no run {shown(wanted)}" if wanted and not chosen else f"{len(chosen)} runs"
    raise ReadError(f"{what}. Name one with column.run=…: {listed or 'there is none'}.")


def _rows(connection: sqlite3.Connection, run: str, name: str) -> np.ndarray:
    """Step and value of each row, as written: float64, shape (n, 2)."""
    value = "CASE WHEN is_nan THEN NULL ELSE value END"
    query = f"SELECT step, {value} FROM metrics WHERE run_uuid = ? AND key = ? ORDER BY rowid"
    rows = connection.execute(query, (run, name)).fetchall()
    for number, (step, value) in enumerate(rows, start=1):
        if not isinstance(step, int | float) or not isinstance(value, int | float | None):
            raise ReadError(
                f"{name}, row {number}: {shown((step, value))} is not a step and a value. Fix the database."
            )
    return np.array(rows, dtype=np.float64).reshape(-1, 2)
