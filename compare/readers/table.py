"""Numbers from a table of text: fast if all cells are numbers, else cell by cell."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from samestep.experiment.trace import unquoted

from .base import MOST_NAME, ReadError, shown
from .source import Source

MISSING = ("", "NA", "N/A", "None", "null", "<NA>")
"""Cells without a value. A NaN is a value: such a row is not a row without a rate."""

NOT_FINITE = ("nan", "NaN", "NAN", "-nan")
_NUMBER = re.compile(
    r"[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan(\(0x[0-9a-f]{1,13}\))?)", re.IGNORECASE | re.ASCII
)
_BLOCK = 1 << 24
_NOT_PANDAS = (ValueError, IndexError, TypeError, OverflowError, Warning)
"""What pandas raises for a table that it cannot convert to numbers; its own errors are ValueErrors."""
SAMPLE = 10_000
"""Rows whose text shows how numbers were written."""


class Table:
    """A table's rows, column by column.

    Raises:
        ReadError: If its first line is not a header row; or, by a method, if a row has more cells than the header or
            ends within a quoted cell: the message names the line.
    """

    def __init__(self, source: Source) -> None:
        if source.header is None:
            raise ReadError(
                "not a table: its first line is not a header row. Give a log whose first line names the columns."
            )
        self.source, self.path, self.header = source, source.path, source.header
        self.notes: list[str] = []

    def numbers(self, required: list[str], optional: list[str], whole: bool = False) -> dict[str, Any]:
        """Columns as float64, each of shape (rows,); NaN for an empty cell.

        Args:
            required: Columns in which a NaN or any other word is an error.
            optional: Columns in which NaN is a value.
            whole: Keep the last row even if its line has no end.

        Raises:
            ReadError: If a cell is not a number; the message names line, column and cell.
        """
        twice = next((name for name in (*required, *optional) if self.header.names.count(name) > 1), None)
        if twice is not None:
            raise ReadError(f"two columns are called {shown(twice)}. Rename one of them.")
        columns = (self._fast(required, optional) if self._regular() else None) or self._slow(required, optional)
        return columns if whole else self._without_cut_row(columns)

    def texts(self, names: list[str]) -> list[str]:
        """Non-empty cells of these columns as text, from the first `SAMPLE` rows."""
        places = [self.header.names.index(name) for name in names]
        rows = (row for _, row in islice(self.rows(), SAMPLE))
        cells = (row[place].strip() for row in rows for place in places if place < len(row))
        return [cell for cell in cells if cell not in MISSING]

    def words(self, name: str) -> np.ndarray:
        """A column of few different texts: shape (rows,). Raises ReadError for a cell of more than `MOST_NAME`."""
        import pandas as pd

        place = self.header.names.index(name)
        options = self._options([place]) | {"dtype": "category", "na_filter": False}
        try:
            column = pd.read_csv(self.path, **options)[place].cat
            names, codes = [str(text) for text in column.categories], column.codes.to_numpy()
        except _NOT_PANDAS:
            found: dict[str, int] = {}
            cells = (row[place] if place < len(row) else "" for _, row in self.rows())
            codes = np.array([found.setdefault(cell, len(found)) for cell in cells], dtype=np.int64)
            names = list(found)
        longest = max(names, key=len, default="")
        if len(longest) > MOST_NAME:
            raise ReadError(
                f"column {name}: {shown(longest)} has {len(longest)} characters. Write at most {MOST_NAME}."
            )
        column_of_texts: np.ndarray = np.array([unquoted(text) for text in names], dtype=np.str_)[codes]
        return column_of_texts

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each non-blank row with the line on which it ends."""
        # a cell may be as long as the file
        csv.field_size_limit(max(csv.field_size_limit(), self.path.stat().st_size + 1))
        before = self.header.lines
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter=self.header.separator, strict=True)
            try:
                for _ in range(before):
                    file.readline()
                for row in rows:
                    if row:
                        yield rows.line_num + before, row
            except csv.Error as error:
                raise ReadError(f"line {rows.line_num + before}: {error}. Fix or delete this line.") from None
            except UnicodeDecodeError as error:
                raise ReadError(
                    f"line {rows.line_num + before + 1} or later: not UTF-8 text ({error.reason}). Save it as UTF-8."
                ) from None

    def place(self, row: int) -> str:
        """The line of a row, for a message."""
        return next((f"line {line}" for line, _ in islice(self.rows(), row, None)), f"row {row + 1}")

    def _regular(self) -> bool:
        """Whether each row has as many cells as the header, judged by the number of separators and lines.

        Pandas silently truncates rows that are longer than the header, so `1,0,001` would read as a rate of 0.
        """
        separators = lines = quotes = 0
        with self.path.open("rb") as file:
            while block := file.read(_BLOCK):
                separators += block.count(self.header.separator.encode())
                lines += block.count(b"\n")
                quotes += block.count(b'"')
        lines += self.source.last != b"\n"
        expected = (lines - self.header.lines + 1) * (len(self.header.names) - 1)
        return separators == expected and quotes % 2 == 0 and len(self.header.names) > 1

    def _fast(self, required: list[str], optional: list[str]) -> dict[str, np.ndarray] | None:
        """The columns by pandas' C parser, which keeps every bit; None if a cell is not a number."""
        import pandas as pd

        places = {name: self.header.names.index(name) for name in (*required, *optional)}
        options = self._options(list(places.values())) | {
            "dtype": dict.fromkeys(places.values(), np.float64),
            "na_values": {places[name]: [*MISSING, *(NOT_FINITE if name in optional else ())] for name in places},
            **_precision(pd.__version__),
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                frame = pd.read_csv(self.path, **options)
        except _NOT_PANDAS:
            return None
        return {name: frame[place].to_numpy() for name, place in places.items()}

    def _options(self, places: list[int]) -> dict[str, Any]:
        """The arguments of `pandas.read_csv` for this table."""
        return {
            "sep": self.header.separator,
            "header": None,
            "skiprows": self.header.lines,
            "names": range(len(self.header.names)),
            "usecols": sorted(set(places)),
            "keep_default_na": False,
            "index_col": False,
            "encoding": "utf-8-sig",
            "engine": "c",
        }

    def _slow(self, required: list[str], optional: list[str]) -> dict[str, np.ndarray]:
        wanted = [(name, self.header.names.index(name), name in required) for name in (*required, *optional)]
        values: dict[str, list[float]] = {name: [] for name, *_ in wanted}
        for line, row in self.rows():
            if len(row) > len(self.header.names):
                raise ReadError(
                    f"line {line}: {len(row)} cells under {len(self.header.names)} columns. "
                    "Fix this line; a decimal point is a point, not a comma."
                )
            for name, place, strict in wanted:
                cell = row[place].strip() if place < len(row) else ""
                values[name].append(_number(cell, name, line, strict))
        return {name: np.array(column, dtype=np.float64) for name, column in values.items()}

    def _without_cut_row(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Leave out the last row if its line has no end and the number in its last cell may have lost digits.

        A program that was killed leaves such a line. If the last cell is not in one of our columns, or equals the cell
        above it, nothing can be lost.
        """
        last_name = self.header.names[-1]
        rows = len(next(iter(columns.values())))
        if rows < 2 or last_name not in columns or self.source.last in (b"\n", b"\r"):
            return columns
        last, before = columns[last_name][-1], columns[last_name][-2]
        if np.isnan(last) or last == before:
            return columns
        self.notes.append(f"The last line has no line end, so its {last_name} may be truncated; the line was left out.")
        return {name: column[:-1] for name, column in columns.items()}


def _number(cell: str, name: str, line: int, strict: bool) -> float:
    if cell in MISSING:
        return float("nan")
    if not _NUMBER.fullmatch(cell):
        raise ReadError(f"line {line}: {name} is {shown(cell)}, not a number. Fix or delete this line.")
    if not cell.lower().lstrip("+-").startswith("nan"):
        return float(cell)
    if strict:
        raise ReadError(f"line {line}: {name} is {shown(cell)}. Truncate the log before this line, or fix the line.")
    return float("nan")


def _precision(version: str) -> dict[str, Any]:
    """Before pandas 3.1 the default parser lost the last bits of a float; later versions have only the exact one."""
    return {} if tuple(int(part) for part in version.split(".")[:2]) >= (3, 1) else {"float_precision": "round_trip"}
