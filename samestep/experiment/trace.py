"""One row per update: the columns, saving, loading.

CSV is for people and other programs, `.npz` without pickle for our own processes. Both keep every bit.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from samestep.experiment.clock import Clock

_RUN_COLUMNS: dict[str, type] = {"framework": str, "arm": str, "seed": int}
TRACE_COLUMNS = _RUN_COLUMNS | {"step": int, "epoch": int, "batch": int, "lr": float, "loss": float}
EPOCH_COLUMNS = _RUN_COLUMNS | {"epoch": int, "train_loss": float, "eval_loss": float}
Numbers = Sequence[float] | np.ndarray
Table = Mapping[str, np.ndarray]


class TraceError(ValueError):
    """A file that is no trace; the message is one line that names it."""


@dataclass(frozen=True)
class Trace:
    """The updates and epochs of one or more runs.

    Attributes:
        steps: one row per update; the columns of `TRACE_COLUMNS`, all of one length.
        epochs: one row per epoch; the columns of `EPOCH_COLUMNS`, all of one length.
        manifest: how the trace came about; JSON values only.

    Example:
        >>> clock = Clock(samples=10, batch_size=4)
        >>> steps = run_rows("torch", "mine", 0, clock, lr=[0.1, 0.1, 0.05], loss=[4.0, 2.0, 1.0])
        >>> trace = Trace(steps, epoch_rows(steps, clock, eval_loss=[0.9]))
        >>> trace.steps["batch"], trace.epochs["train_loss"]
        (array([0, 1, 2]), array([2.6]))
    """

    steps: Table
    epochs: Table
    manifest: dict[str, Any] = field(default_factory=dict)

    def save(self, path: str | Path) -> None:
        """Write the trace.

        Args:
            path: a name that ends in `.npz` takes everything. One that ends in `.csv` takes the updates; the epochs
                and the manifest go beside it as `.epochs.csv` and `.manifest.json`.

        Raises:
            TraceError: the name ends otherwise.
        """
        path = Path(path)
        match path.suffix:
            case ".npz":
                arrays = {f"steps/{name}": _plain(column) for name, column in self.steps.items()}
                arrays |= {f"epochs/{name}": _plain(column) for name, column in self.epochs.items()}
                with moved_into_place(path) as beside, beside.open("wb") as file:
                    # NumPy's stubs take keywords for a flag of savez
                    np.savez(file, manifest=json.dumps(self.manifest), **arrays)  # type: ignore[arg-type]
            case ".csv":
                write_csv(path.with_suffix(".epochs.csv"), self.epochs)
                write_json(path.with_suffix(".manifest.json"), self.manifest)
                write_csv(path, self.steps)
            case _:
                raise TraceError(f"{path}: a trace ends in .npz or .csv. Give it such a name.")

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """Read what `save` wrote.

        Raises:
            TraceError: the file is no trace.
            OSError: the file cannot be read.
        """
        path = Path(path)
        if path.suffix == ".csv":
            manifest = path.with_suffix(".manifest.json").read_text(encoding="utf-8")
            return cls(
                read_csv(path, TRACE_COLUMNS),
                read_csv(path.with_suffix(".epochs.csv"), EPOCH_COLUMNS),
                json.loads(manifest),
            )
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(
                    {name: arrays[f"steps/{name}"] for name in TRACE_COLUMNS},
                    {name: arrays[f"epochs/{name}"] for name in EPOCH_COLUMNS},
                    json.loads(str(arrays["manifest"])),
                )
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise TraceError(f"{path}: not a trace that samestep wrote ({error}).") from None


def run_rows(framework: str, arm: str, seed: int, clock: Clock, lr: Numbers, loss: Numbers) -> Table:
    """The rows of one run, from the rate and the loss of each of its updates."""
    step = np.arange(len(lr), dtype=np.int64)
    return {
        "framework": np.full(len(lr), framework),
        "arm": np.full(len(lr), arm),
        "seed": np.full(len(lr), seed, dtype=np.int64),
        "step": step,
        "epoch": clock.epoch(step),
        "batch": clock.batch(step),
        "lr": np.asarray(lr, dtype=np.float64),
        "loss": np.asarray(loss, dtype=np.float64),
    }


def epoch_rows(steps: Table, clock: Clock, eval_loss: Numbers) -> Table:
    """One row per epoch of one run, from the rows of its updates.

    ``train_loss`` is the mean over samples, as in Keras' history: batch losses weighted with batch sizes.
    """
    epochs = len(eval_loss)
    losses = steps["loss"].reshape(epochs, clock.steps_per_epoch)
    sizes = clock.batch_sizes
    with np.errstate(over="ignore", invalid="ignore"):  # a training that diverges gets there
        train_loss = (losses * sizes).sum(axis=1) / sizes.sum()
    return {
        **{name: steps[name][:epochs] for name in _RUN_COLUMNS},
        "epoch": np.arange(epochs, dtype=np.int64),
        "train_loss": train_loss,
        "eval_loss": np.asarray(eval_loss, dtype=np.float64),
    }


def stack(tables: Sequence[Table]) -> Table:
    """Tables of the same columns, one below the other."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def write_csv(path: str | Path, table: Mapping[str, Any]) -> None:
    """Write a table: a header row, one line per row, floats as the shortest text that reads back to the same bits."""
    with moved_into_place(Path(path)) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(table)
        out.writerows(zip(*(_texts(np.asarray(column)) for column in table.values()), strict=True))


def read_csv(path: str | Path, columns: Mapping[str, type]) -> Table:
    """Read a table of known columns, in any order of columns.

    Raises:
        TraceError: a column is missing or a cell does not fit; the message names the file and the line.
    """
    path = Path(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            header = next(rows, [])
            missing = [name for name in columns if name not in header]
            if missing:
                raise TraceError(f"{path}: no column {missing[0]!r}. A table like this has {', '.join(columns)}.")
            places = [(header.index(name), _reader(kind)) for name, kind in columns.items()]
            cells = [[read(row[place]) for place, read in places] for row in rows if row]
        except (ValueError, IndexError, csv.Error) as error:
            if isinstance(error, TraceError):
                raise
            raise TraceError(f"{path}: line {rows.line_num} does not fit its columns ({error}).") from None
    return tabled(cells, columns)


def tabled(rows: Sequence[Sequence[Any]], columns: Mapping[str, type]) -> Table:
    """Rows as a table of arrays: text, int64 or float64."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    dtypes = {str: np.str_, int: np.int64, float: np.float64}
    kinds = zip(columns.items(), values, strict=True)
    return {name: np.array(column, dtype=dtypes[kind]) for (name, kind), column in kinds}


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON that people can read as well; an infinity or NaN becomes text, since JSON has no such number."""
    with moved_into_place(Path(path)) as beside:
        beside.write_text(json_text(value), encoding="utf-8")


def json_text(value: Any) -> str:
    """Strict JSON: an infinity or NaN becomes the text ``inf``, ``-inf`` or ``nan``.

    Example:
        >>> json_text({"loss": float("inf")})
        '{\\n  "loss": "inf"\\n}\\n'
    """
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@contextmanager
def moved_into_place(path: Path) -> Iterator[Path]:
    """A path beside the target; moved onto the target after the block, removed after an error.

    A pipe or a device is written directly: nothing may replace it.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def float_text(value: float) -> str:
    """The shortest text that `read_float` turns into the same 64 bits.

    A NaN other than the two plain ones carries its payload, as C writes it: ``nan(0x1)``.

    Example:
        >>> float_text(1 / 3), read_float("nan")
        ('0.3333333333333333', nan)
    """
    if not math.isnan(value):
        return repr(value)
    bits = struct.unpack("<Q", struct.pack("<d", value))[0]
    payload = bits & _PAYLOAD
    return ("-" if bits >> 63 else "") + ("nan" if payload == _PLAIN_NAN else f"nan({payload:#x})")


def read_float(text: str) -> float:
    """The number that `float_text` wrote."""
    found = _NAN.fullmatch(text)
    if not found:
        return float(text)
    payload = int(found["payload"], 16) if found["payload"] else _PLAIN_NAN
    bits = (1 << 63 if found["sign"] else 0) | _EXPONENT | (payload & _PAYLOAD)
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


_PAYLOAD = (1 << 52) - 1
_PLAIN_NAN = 1 << 51
_EXPONENT = 0x7FF << 52
_NAN = re.compile(r"(?P<sign>-?)nan(?:\((?P<payload>0x[0-9a-f]{1,13})\))?")


_FORMULA = re.compile(r"'*[=+\-@]")


def quoted(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before a leading ``=``, ``+``, ``-`` or ``@``.

    Example:
        >>> quoted("=1+1"), quoted("Adam")
        ("'=1+1", 'Adam')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unquoted(text: str) -> str:
    """The text that `quoted` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _texts(column: np.ndarray) -> list[Any]:
    values: list[Any] = column.tolist()
    match column.dtype.kind:
        case "f":
            return [float_text(value) for value in values]
        case "U" | "O":
            return [quoted(value) if isinstance(value, str) else value for value in values]
        case _:
            return values


def _reader(kind: type) -> Any:
    return {float: read_float, str: unquoted}.get(kind, kind)


def _plain(column: np.ndarray) -> np.ndarray:
    """Text as fixed-width characters, so that no pickle is needed."""
    return column.astype(np.str_) if column.dtype.kind in "OT" else column


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case np.generic():
            return _finite(value.item())
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value
