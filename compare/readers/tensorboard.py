"""TensorBoard's event files, by Keras, PyTorch and Lightning: every row, without TensorFlow."""

from __future__ import annotations

import importlib
import struct
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import yolo
from .base import MOST_NAME, Conventions, Log, LrTiming, Options, ReadError, name_list, series_of_rows
from .names import LOSSES, chosen, is_monitored, is_rate, rates_among
from .source import Source

NAME = "tensorboard"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the run logged it"
COLUMNS = ("lr", "loss")

EPOCH_RATE = "epoch_learning_rate"
"""The tag under which Keras' callback logs the optimizer's rate at the end of an epoch."""

KERAS = (
    "Keras' callback logs the optimizer's rate at the end of the epoch: that of the next epoch's first update. Under "
    "LearningRateScheduler it is the epoch's own rate: give lr_timing=used."
)
MONITOR = "The rates come from Lightning's LearningRateMonitor, which logs before the update."

_FLOAT, _DOUBLE = 1, 2  # of TensorFlow's DataType
Values = dict[str, list[tuple[int, float]]]


def sniff(source: Source) -> bool:
    """A first record that says ``brain.Event``."""
    return source.head[12:13] == b"\x09" and b"brain.Event:" in source.head[:64]


def read(source: Source, options: Options) -> Log:
    """One event file; see `read_files`."""
    return read_files([source.path], options)


def read_files(paths: Sequence[Path], options: Options) -> Log:
    """Event files of one folder as one log, in the order of their names, which begin with the time.

    Each tag that is a rate is a series. Raises ReadError if there is none, if a file is not TensorBoard's, or if the
    files are of several runs: that of a resumed run begins later than the one before it.
    """
    notes: list[str] = []
    values, exact = _collected(paths, notes)
    names = list(values)
    rates = rates_among(names, options, "rate among the tags", "; if none is a rate, the run did not log it")
    of_yolo = all(map(yolo.is_group, rates))
    per_epoch, monitored = rates == [EPOCH_RATE], all(map(is_monitored, rates))
    loss = chosen("loss", ("epoch_loss",) if per_epoch else LOSSES, names, options)
    losses = np.array(values[loss], dtype=np.float64) if loss else None
    if EPOCH_RATE in rates and not per_epoch:
        raise ReadError(f"rates of epochs and of updates: {name_list(rates)}. Name one with column.lr=….")
    timing: LrTiming = "next" if per_epoch else "used" if monitored else LR_TIMING
    log = Log(
        framework=NAME,
        series=tuple(
            series_of_rows(name, np.array(values[name], dtype=np.float64), losses, f"{name}, event") for name in rates
        ),
        conventions=Conventions(STEP_BASE, timing, "epoch mean" if per_epoch else LOSS_KIND, "first"),
        counts="epochs" if per_epoch else "steps",
        precision="float64" if exact else "float32",
        assumed=(KERAS,) if per_epoch else (MONITOR,) if monitored else (),
        notes=tuple(notes),
    )
    return yolo.of_epochs(log) if of_yolo else log


def _collected(paths: Sequence[Path], notes: list[str]) -> tuple[Values, bool]:
    """The scalars of all files by tag, and whether all rates among them are float64.

    Raises:
        ReadError: If a file after the first begins at the first one's step, or before: it is another run.
    """
    values: Values = {}
    exact = True
    begins: dict[str, int] = {}
    for path in paths:
        of_file: Values = {}
        exact &= _collect(path, of_file, notes)
        if steps := [step for tag, rows in of_file.items() if is_rate(tag) for step, _ in rows]:
            begins[path.name] = min(steps)
        for tag, rows in of_file.items():
            values.setdefault(tag, []).extend(rows)
    first = min(begins.values(), default=0)
    runs = [name for name, step in begins.items() if step == first]
    if len(runs) > 1:
        raise ReadError(f"{len(runs)} runs in this folder, each from step {first}. Give one: {name_list(runs)}.")
    return values, exact


def has_rates(paths: list[Path]) -> bool:
    """Whether any event in these files is a learning rate."""
    return any(is_rate(value.tag) for path in paths for event in _events(path, []) for value in event.summary.value)


def _collect(path: Path, values: Values, notes: list[str]) -> bool:
    """Add a file's scalars by tag. Returns whether all rates among them are float64."""
    exact = True
    for event in _events(path, notes):
        for value in event.summary.value:
            number = _scalar(value)
            if number is None or len(value.tag) > MOST_NAME:
                continue
            if is_rate(value.tag):
                exact &= value.tensor.dtype == _DOUBLE
            values.setdefault(value.tag, []).append((event.step, number))
    return exact


def _scalar(value: Any) -> float | None:
    """A summary's value if it is one number; None for an image, a histogram or a text.

    TensorBoard's `make_ndarray` is not used: it would allocate as many numbers as a hostile shape asks for.
    """
    if value.HasField("simple_value"):
        return float(value.simple_value)
    tensor = value.tensor  # without a type if the summary has none
    kinds = {_FLOAT: ("<f4", tensor.float_val), _DOUBLE: ("<f8", tensor.double_val)}
    if tensor.dtype not in kinds or any(dim.size != 1 for dim in tensor.tensor_shape.dim):
        return None
    kind, listed = kinds[tensor.dtype]
    if len(listed) == 1:
        return float(listed[0])
    if len(tensor.tensor_content) == np.dtype(kind).itemsize:
        return float(np.frombuffer(tensor.tensor_content, kind)[0])
    return None


def _events(path: Path, notes: list[str]) -> Iterator[Any]:
    records = _records(path, notes)
    if not records:
        return
    loader = _loader(path)
    read = 0
    try:
        for event in loader.Load():
            read += 1
            yield event
            if read == records:  # an unfinished record after them may claim any length
                return
    except Exception as error:  # TensorBoard and protobuf raise many kinds of errors for bytes that are not events
        raise ReadError(f"{path.name}: not events that TensorBoard can read ({type(error).__name__}).") from None
    if read < records:  # the loader silently stops at a wrong checksum
        notes.append(f"{path.name} is damaged: {records - read} of its {records} records were left out.")


def _loader(path: Path) -> Any:
    """TensorBoard's own loader of all events, on its own stand-in for TensorFlow.

    `LegacyEventFileLoader` gives each event as it was written; `EventFileLoader`, which wraps it, also converts each
    number to a tensor, which takes half of the time.

    TensorBoard uses the stand-in if a module `tensorboard.compat.notf` exists, and TensorFlow otherwise, if it is
    installed.
    """
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
    try:
        module = importlib.import_module("tensorboard.backend.event_processing.event_file_loader")
    except ImportError:
        raise ReadError(
            "an event file of TensorBoard, which is not installed. Run: pip install 'samestep[tensorboard]'"
        ) from None
    return module.LegacyEventFileLoader(str(path))


def _records(path: Path, notes: list[str]) -> int:
    """Count the complete records before reading any: the loader trusts a record that claims more bytes than exist.

    A file that ends within a record was truncated or is still being written. The records before it are read.
    """
    size = path.stat().st_size
    at = count = 0
    with path.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            end = at + 16 + int(struct.unpack("<Q", file.read(8))[0])
            if end > size:
                break
            at, count = end, count + 1
    if at < size:
        notes.append(
            f"{path.name} ends within a record: it was truncated, or is still being written. "
            "Everything before that was read."
        )
    return count
