"""Files of samestep: recordings and traces as CSV, traces as ``.npz``, and the folder of ``samestep run``."""

from __future__ import annotations

import json
import math
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from samestep.experiment.trace import EPOCH_COLUMNS, TRACE_COLUMNS, Trace, read_csv

from .base import Options, ReadError, read_bytes, refuse_columns, shown
from .normalise import checked_rates, no_epochs, whole_steps
from .source import Source
from .table import Table

NAME = "samestep"
STEP_BASE = 0
LR_TIMING = "used"
LOSS_KIND = "batch"

_DAMAGED = (EOFError, KeyError, MemoryError, OSError, OverflowError, RuntimeError, TypeError, ValueError)
"""What `zipfile` and NumPy raise for an archive that is damaged or is none of ours."""


def sniff(source: Source) -> bool:
    """All the columns of a trace in the header row."""
    return set(TRACE_COLUMNS) <= set(source.names)


def read(source: Source, options: Options) -> Trace:
    """A CSV with the columns of a trace. Empty cells of epoch and batch become -1, of the loss NaN.

    Raises:
        ReadError: If a cell is invalid; the message names the line.
    """
    if not sniff(source):
        raise ReadError(f"not a trace: columns are missing. A trace has {', '.join(TRACE_COLUMNS)}.")
    table = Table(source)
    columns = table.numbers(["seed", "step", "lr"], ["epoch", "batch", "loss"], whole=True)
    columns |= {name: table.words(name) for name in ("framework", "arm")}
    if len({len(column) for column in columns.values()}) != 1:
        raise ReadError("cells contain line breaks, so its rows are ambiguous. Write it without line breaks.")
    if len(columns["lr"]) and source.last != b"\n":
        columns = {name: column[:-1] for name, column in columns.items()}
        table.notes.append("The last line has no line end, so it was still being written; it was left out.")
    return _trace(columns, table, source.path, options)


def read_npz(path: Path, options: Options) -> Trace:
    """A trace from its arrays, none of them pickled. Raises ReadError for what `Trace.save` did not write."""
    try:
        _check_members(path)
        trace = Trace.load(path)
    except ReadError:
        raise
    except (*_DAMAGED, zipfile.BadZipFile) as error:
        raise ReadError(f"not a trace that samestep wrote ({shown(str(error))}). Write it again.") from None
    kinds = {str: "U", int: "i", float: "f"}
    for table, columns in ((trace.steps, TRACE_COLUMNS), (trace.epochs, EPOCH_COLUMNS)):
        lengths = {table[name].shape for name in columns}
        if len(lengths) != 1 or len(next(iter(lengths))) != 1:
            raise ReadError("not a trace that samestep wrote: its columns differ in length. Write it again.")
        wrong = [name for name, kind in columns.items() if table[name].dtype.kind != kinds[kind]]
        if wrong:
            raise ReadError(f"not a trace that samestep wrote: column {wrong[0]} holds {table[wrong[0]].dtype}.")
    if not isinstance(trace.manifest, dict):
        raise ReadError("not a trace that samestep wrote: its manifest is not a JSON object.")
    steps, epochs = dict(trace.steps), dict(trace.epochs)
    return finished(steps, epochs, trace.manifest, path.name, options, lambda row: f"row {row + 1}")


def is_npz(head: bytes) -> bool:
    """Whether a file begins as a ZIP archive does, which ``.npz`` is."""
    return head.startswith(b"PK\x03\x04")


def _trace(columns: dict[str, Any], table: Table, path: Path, options: Options) -> Trace:
    for name in ("seed", "step", "epoch", "batch", "lr"):
        missing = np.isnan(columns[name])
        if name in ("epoch", "batch"):
            columns[name] = whole_steps(np.where(missing, -1, columns[name]), -1, table.place) - 1
        elif missing.any():
            raise ReadError(f"{table.place(int(missing.argmax()))}: {name} is empty. Fix or delete this line.")
        elif name != "lr":
            columns[name] = whole_steps(columns[name], 0, table.place)
    steps = {name: columns[name] for name in TRACE_COLUMNS}
    manifest, epochs = _beside(path)
    trace = finished(steps, epochs, manifest, path.name, options, table.place)
    trace.manifest["notes"] = [*trace.manifest["notes"], *table.notes]
    return trace


def finished(
    steps: dict[str, Any], epochs: dict[str, Any], manifest: dict[str, Any], source: str, options: Options, place: Any
) -> Trace:
    """A trace with all that a manifest has, its numbers checked. place : where a row stands, for a message."""
    refuse_columns(options, NAME, ())
    if options.step_base not in (None, STEP_BASE):
        raise ReadError(f"step_base={options.step_base}: samestep counts from {STEP_BASE}, always. Leave it out.")
    if not len(steps["lr"]):
        raise ReadError("no rows. Give a trace of at least one update.")
    whole_steps(steps["step"].astype(np.float64), 0, place)
    steps["lr"] = checked_rates(steps["lr"].astype(np.float64), steps["step"], place)
    if options.lr_timing == "next":
        steps["step"] = steps["step"] + 1
    conventions = manifest.get("conventions")
    declared = {"step_base": STEP_BASE, "lr_timing": LR_TIMING, "loss_kind": LOSS_KIND}
    declared |= conventions if isinstance(conventions, dict) else {}
    declared |= {"lr_timing": options.lr_timing} if options.lr_timing else {}
    declared |= {"loss_kind": options.loss_kind} if options.loss_kind else {}
    notes = manifest.get("notes") if isinstance(manifest.get("notes"), list) else []
    added = {"format": NAME, "source": source, "assumed": [], "notes": notes, "rounding": None}
    return Trace(steps, epochs, {"schema": 1} | manifest | added | {"conventions": declared | {"precision": "float64"}})


def _beside(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and the epochs beside a trace, if they exist and can be read."""
    manifest: dict[str, Any] = {}
    for name in (path.with_suffix(".manifest.json"), path.with_name("manifest.json")):
        with suppress(OSError, ValueError, RecursionError):
            if isinstance(content := json.loads(read_bytes(name)), dict):
                manifest = content
                break
    for name in (path.with_suffix(".epochs.csv"), path.with_name("epochs.csv")):
        with suppress(OSError, ValueError, OverflowError):
            return manifest, dict(read_csv(name, EPOCH_COLUMNS))
    return manifest, dict(no_epochs())


def _check_members(path: Path) -> None:
    """Raise ReadError if unpacking would take more memory than the file has bytes.

    `Trace.save` stores without compressing. An array's header may claim any size, and NumPy would believe it.
    """
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                raise ReadError("a compressed archive, which samestep does not write. Save the trace again.")
            with archive.open(member) as file:
                _check_array(file, member.file_size)


def _check_array(file: Any, size: int) -> None:
    version = np.lib.format.read_magic(file)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read_header:
        raise ReadError(f"not a trace that samestep wrote: an array of format {version}.")
    shape, _, dtype = read_header[version](file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > size:
        raise ReadError("not a trace that samestep wrote: an array claims more than the file holds. Write it again.")
