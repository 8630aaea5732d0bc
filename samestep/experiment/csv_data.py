"""A user's own rows: a CSV file whose columns are all numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from samestep.experiment.validation import PlanError


def read(path: str | Path, target: str) -> tuple[np.ndarray, np.ndarray]:
    """The columns of a CSV file: all but `target` as x, `target` as y.

    Returns:
        x of shape (samples, features) and y of shape (samples, 1), float64.

    Raises:
        PlanError: the file cannot be read, lacks `target`, or has a cell that is no number; the message is one line.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            _check_header(path, header, target)
            table = [_numbers(path, header, rows.line_num, row) for row in rows if row]
    except OSError as error:
        raise PlanError(f"data: {path}: {error.strerror or error}. Name a CSV file that can be read.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise PlanError(f"data: {path} is not CSV in UTF-8: {error}. Save it as such.") from None
    if not table:
        raise PlanError(f"data: {path} has a header and no rows. Add rows.")
    values = np.array(table)
    column = header.index(target)
    return np.delete(values, column, axis=1), values[:, [column]]


def _check_header(path: Path, header: list[str], target: str) -> None:
    columns = ", ".join(header)[:200] or "none"
    if target not in header:
        raise PlanError(f"data: {path} has no column {target!r}. Name one of its columns as target: {columns}.")
    if len(set(header)) < len(header) or len(header) < 2:
        raise PlanError(f"data: {path} has the columns {columns}. Give it two or more, each with its own name.")


def _numbers(path: Path, header: list[str], line: int, row: list[str]) -> list[float]:
    if len(row) != len(header):
        raise PlanError(f"data: {path} line {line} has {len(row)} cells, its header {len(header)}. Make them as many.")
    numbers = []
    for column, cell in zip(header, row, strict=True):
        try:
            number = float(cell) if "_" not in cell else np.nan  # Python takes 1_000 for a number, others do not
        except ValueError:
            number = np.nan
        if not np.isfinite(number):
            raise PlanError(
                f"data: {path} line {line}, column {column!r}: {cell[:40]!r} is not a finite number. "
                "Write a number or leave the column out."
            )
        numbers.append(number)
    return numbers
