"""Shared by the readers: options, errors, the conventions of a log, and its series."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..words import listed

LrTiming = Literal["used", "next", "unknown"]
"""Whether a row's rate is the one that its update used, or the next update's."""

EpochLr = Literal["first", "last", "mean", "unknown"]
"""Which rate a row that stands for an epoch holds: of the epoch's first update, of its last, or the mean over all."""

MOST_NAME = 200
"""Characters of a series' name. Each row repeats the name, so a longer one would let a small file fill the memory."""


class ReadError(ValueError):
    """A file that cannot be read as a log. The message is one line: what is wrong, the value found, what to do."""


_WORDS = {
    "lr_timing": ("used", "next", "unknown"),
    "step_unit": ("step", "epoch"),
    "epoch_lr": ("first", "last", "mean", "unknown"),
}
"""What the options that are words may be."""


@dataclass(frozen=True)
class Options:
    """What the user states about a log. Each option overrides what the reader declares.

    Attributes:
        columns: Names of columns or metrics by what they hold: ``step``, ``lr``, ``loss``; ``run`` picks one of
            several.
        step_base: The number that the log gives to the first update.
        lr_timing: ``used``, ``next`` or ``unknown``.
        loss_kind: What the loss is a mean of, in words, for the manifest.
        steps_per_epoch: Updates in an epoch; logs with one row per epoch cannot be read without it.
        step_unit: ``step`` or ``epoch``: what the log's steps count.
        epoch_lr: ``first``, ``last``, ``mean`` or ``unknown``: which rate the row of an epoch holds.
        format: A reader's name, if the content of the file does not identify it.

    Raises:
        ReadError: If an option is invalid.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    step_base: int | None = None
    lr_timing: str | None = None
    loss_kind: str | None = None
    steps_per_epoch: int | None = None
    format: str | None = None
    step_unit: str | None = None
    epoch_lr: str | None = None

    def __post_init__(self) -> None:
        for name in self.columns:
            if name not in ("step", "lr", "loss", "run"):
                raise ReadError(
                    f"columns: {name!r:.60} is not a column of a trace. Write step=…, lr=…, loss=… or run=…."
                )
        for name, known in _WORDS.items():
            if (word := getattr(self, name)) is not None and word not in known:
                raise ReadError(f"{name}: {word!r:.60}. Write {', '.join(known[:-1])} or {known[-1]}.")
        if self.steps_per_epoch is not None and self.steps_per_epoch < 1:
            raise ReadError(f"steps_per_epoch: {self.steps_per_epoch}. Write a whole number from 1.")


@dataclass(frozen=True)
class Conventions:
    """The meaning of a log's numbers, as the manifest has it.

    Attributes:
        step_base: The number of the first update.
        lr_timing: See `LrTiming`.
        loss_kind: What the loss is a mean of, in words.
        epoch_lr: See `EpochLr`; matters only where a row stands for an epoch.
    """

    step_base: int
    lr_timing: LrTiming
    loss_kind: str
    epoch_lr: EpochLr = "unknown"


@dataclass(frozen=True)
class Series:
    """One rate of a log over its updates, as written.

    Attributes:
        name: Becomes the arm.
        step, lr: float64, shape (n,), in the order of the file.
        loss: float64, shape (n,), NaN if a row has none; None if the log has no losses.
        place: Gives the place of a row in the file for a message, like ``line 17``.
    """

    name: str
    step: np.ndarray
    lr: np.ndarray
    loss: np.ndarray | None = None
    place: Callable[[int], str] = lambda row: f"row {row + 1}"


@dataclass(frozen=True)
class Log:
    """The result of a reader, before `trace_of` normalises it.

    Attributes:
        counts: Whether the steps count updates, or epochs.
        base_known: Whether it is known what the steps count from, although `LrTiming` is not.
        precision: ``float32`` or ``float64`` if the format stores numbers in it; None if their digits decide.
        decimals: How many the format rounds each rate to, if it does.
        texts: Reads the cells of the rate again as text, if the format has text.
        assumed, notes: Sentences for the manifest.
    """

    framework: str
    series: tuple[Series, ...]
    conventions: Conventions
    counts: Literal["steps", "epochs"] = "steps"
    base_known: bool = False
    precision: Literal["float32", "float64"] | None = None
    decimals: int | None = None
    texts: Callable[[], list[str]] | None = None
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def series_of_rows(name: str, rows: np.ndarray, losses: np.ndarray | None, row: str = "row") -> Series:
    """A series from rows of step and value, shape (n, 2), those of its loss joined to it.

    Args:
        row: What a message calls a row of it.
    """
    loss = None if losses is None else join(rows[:, 0], losses[:, 0], losses[:, 1])
    return Series(name, rows[:, 0], rows[:, 1], loss, lambda index: f"{row} {index + 1}")


def join(step: np.ndarray, other_step: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The values of `other` that belong to the rows of `step`: float64, its shape, NaN if there is none.

    The k-th row of a step gets the k-th value of that step, because a resumed log has steps twice.
    """
    found = np.full(len(step), np.nan)
    if not len(other_step):
        return found
    keys, other_keys = _numbered(step), _numbered(other_step)
    order = np.lexsort((other_keys[:, 1], other_keys[:, 0]))
    sorted_keys = other_keys[order]
    low = np.searchsorted(sorted_keys[:, 0], keys[:, 0])
    place = np.minimum(low + keys[:, 1].astype(np.int64), len(order) - 1)
    same = (sorted_keys[place] == keys).all(axis=1)
    found[same] = other[order[place[same]]]
    return found


def _numbered(step: np.ndarray) -> np.ndarray:
    """Each step with how often it was there before: float64, shape (n, 2)."""
    order = np.argsort(step, kind="stable")
    ordered = step[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(starts, len(step)))
    before = np.empty(len(step))
    before[order] = np.arange(len(step)) - np.repeat(starts, lengths)
    return np.stack([step.astype(np.float64), before], axis=1)


def refuse_columns(options: Options, form: str, known: tuple[str, ...]) -> None:
    """Raise ReadError if the user names a column that the format does not have.

    Args:
        form: The format's name.
        known: Those of ``step``, ``lr``, ``loss`` and ``run`` that the user may name.
    """
    idle = [name for name in options.columns if name not in known]
    if idle:
        takes = listed([f"column.{name}" for name in known]) or "none"
        raise ReadError(f"column.{idle[0]}=… has no effect on the format {form}. You may name: {takes}.")


def shown(value: object) -> str:
    """A value for a message: at most 60 characters, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def name_list(names: list[str], most: int = 8) -> str:
    """Names for a message, shortened to fit a line."""
    listed = ", ".join(name if len(name) <= 60 else f"{name[:57]}…" for name in names[:most])
    return f"{listed} and {len(names) - most} more" if len(names) > most else listed


def read_bytes(path: Path, most: int = -1) -> bytes:
    """A regular file, or its first bytes. Raises ReadError for a pipe or device, which may never end."""
    if not path.is_file():
        raise ReadError("not a regular file. Give a file or a folder.")
    with path.open("rb") as file:
        return file.read(most)
