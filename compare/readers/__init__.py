"""Read the logs that other programs wrote as traces: `read(path)`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from samestep.experiment.trace import Trace

from . import (
    deit,
    detectron2,
    fairseq,
    folder,
    hugging_face,
    json_lines,
    keras_csv,
    lightning,
    llama_factory,
    mlflow_files,
    mlflow_sqlite,
    mmengine,
    own,
    plain_csv,
    pytorch_classification,
    stable_baselines3,
    tensorboard,
    text_lines,
    timm,
    trainer_output,
    wandb,
    yolo,
)
from .base import Log, Options, ReadError, refuse_columns
from .digits import rounding
from .names import is_rate
from .normalise import trace_of
from .source import FIRST, HEAD, Source, is_pointer

__all__ = ["FORMATS", "Options", "ReadError", "read", "rounding"]

FORMATS: dict[str, ModuleType] = {
    module.NAME: module
    for module in (
        tensorboard,
        mlflow_sqlite,
        hugging_face,
        lightning,
        wandb,
        yolo,
        timm,
        stable_baselines3,
        pytorch_classification,
        keras_csv,
        plain_csv,
        mmengine,
        detectron2,
        llama_factory,
        deit,
        fairseq,
        json_lines,
        trainer_output,
        text_lines,
    )
}
"""The readers of files by name, in the order in which they look at a file: the more specific first.

Each declares ``STEP_BASE``, ``LR_TIMING``, ``LOSS_KIND`` and in ``COLUMNS`` which columns may be named,
and has ``sniff(source)`` and ``read(source, options)``.
"""


def read(path: str | Path, options: Options | None = None) -> Trace:
    """Read a log. The content of the file decides which reader reads it, not its name.

    Args:
        path: A file; or a folder that holds one log, like Lightning's ``version_0``, TensorBoard's folder, that of an
            MLflow run, a checkpoint of Hugging Face, or the output of ``samestep run``.
        options: What the user states about the log.

    Returns:
        Trace: Steps from 0, each rate at the update that used it, in the order of the file. Epoch and batch are -1 and
        the loss is NaN if they are unknown. Its manifest has ``format``, ``source``, ``conventions`` (with
        ``precision``), ``assumed``, ``notes``, and ``rounding`` for the function of that name.

    Raises:
        ReadError: If it cannot be read as a log; one line that names the file.
        OSError: If it cannot be opened.
    """
    path, options = Path(path), options or Options()
    try:
        return _read(path, options)
    except ReadError as error:
        raise ReadError(f"{path}: {error}") from None
    except MemoryError:
        raise ReadError(f"{path}: it does not fit into memory. Thin the log, or shorten it.") from None


def _read(path: Path, options: Options) -> Trace:
    if not path.exists():
        raise ReadError("there is no such file. Give a log, or a folder that holds one.")
    if not path.is_dir():
        return _read_file(Source(path), options)
    found = folder.find(path, lambda source: _is_own(source) or _sniffed(source) is not None)
    if found.events:
        return _read_with(tensorboard, tensorboard.read_files, found.events, found.path.name, options)
    if found.path.is_dir():
        return _read_with(mlflow_files, mlflow_files.read_folder, found.path, found.path.name, options)
    return _read_file(Source(found.path), options)


def _read_file(source: Source, options: Options) -> Trace:
    if not source.head:
        raise ReadError("an empty file. Give a log with at least one update.")
    if options.format is None and own.is_npz(source.head):
        return own.read_npz(source.path, options)
    if options.format == own.NAME or (options.format is None and not options.columns and own.sniff(source)):
        return own.read_npz(source.path, options) if own.is_npz(source.head) else own.read(source, options)
    reader = _chosen(source, options)
    return _read_with(reader, reader.read, source, source.path.name, options)


def _read_with(reader: ModuleType, read: Callable[..., Log], what: Any, name: str, options: Options) -> Trace:
    refuse_columns(options, reader.NAME, reader.COLUMNS)
    return trace_of(read(what, options), name, reader.NAME, options)


def _is_own(source: Source) -> bool:
    return own.sniff(source) or (own.is_npz(source.head) and source.path.suffix == ".npz")


def _sniffed(source: Source) -> ModuleType | None:
    return next((module for module in FORMATS.values() if module.sniff(source)), None)


def _chosen(source: Source, options: Options) -> ModuleType:
    """The reader of a file: the one asked for, or the first that knows the file."""
    if options.format in FORMATS:
        return FORMATS[options.format]
    if options.format is not None:
        known = ", ".join([own.NAME, *FORMATS])
        raise ReadError(f"format: {options.format[:60]!r} is not a format. Write one of {known}.")
    found = _sniffed(source)
    if found is None and options.columns:
        found = json_lines if source.is_object else plain_csv if source.header else None
    if found is None and (why := _known_unreadable(source)):
        raise ReadError(why)
    if found is None:
        known = ", ".join([own.NAME, mlflow_files.NAME, *FORMATS])
        raise ReadError(f"not a log that samestep reads, whose formats are: {known}. {_hint(source)}")
    return found


def _known_unreadable(source: Source) -> str | None:
    """What a file is that has no rates to read, and what to do; None if it is none of those that are known."""
    if is_pointer(source):
        return "a pointer of Git LFS and not the file itself. Run: git lfs pull"
    if source.head.startswith(b":W&B"):
        return (
            "the file of a run of Weights & Biases, which only wandb reads. Export the run's history as CSV: "
            "wandb.Api().run(…).history().to_csv(…)."
        )
    if {"epoch", "step"} <= set(source.names) and not any(map(is_rate, source.names)):
        return (
            "a table with steps and no learning rate, as Lightning's metrics.csv without LearningRateMonitor. Train "
            "with callbacks=[LearningRateMonitor()], or name the rate's column with column.lr=…."
        )
    return None


def _hint(source: Source) -> str:
    if source.text is None:
        return "It is not UTF-8 text."
    if len(source.head) == HEAD and b"\n" not in source.head.lstrip():
        read_on = "give format=json-lines" if source.is_object else "break it into lines"
        return f"Its first line is longer than the {HEAD:,} bytes that are read to recognise a format: {read_on}."
    if source.is_object:
        return (
            f"None of its first {FIRST:,} lines, within {HEAD:,} bytes, has a step and a rate under "
            "known names. Name them with column.step=…,column.lr=…, or give format=json-lines if they come later."
        )
    return "Name its columns with column.step=…,column.lr=…, or its format with format=…."
