"""Logs of Keras' CSVLogger: one row per epoch."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError
from .digits import MOST_DIGITS
from .names import is_rate, named
from .plain_csv import log_of
from .source import FIRST, Source
from .table import Table

NAME = "keras"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "epoch mean"
COLUMNS = ("step", "lr", "loss")

_FOREIGN = re.compile(r"(train|test|valid)_.*|.*[/ ].*")
"""Names of metrics that Keras never makes."""

HELD = "The rate held for the whole epoch, as LearningRateScheduler and ReduceLROnPlateau set it."


def sniff(source: Source) -> bool:
    """An epoch first, then names in alphabetical order, as CSVLogger writes them: a loss or a rate, but no step.

    A loop of PyTorch may write the same names; it is none of Keras' if anything shows that.
    """
    names = source.names
    in_order = names[:1] == ["epoch"] and names[1:] == sorted(names[1:])
    known = in_order and "step" not in names and ("loss" in names or any(map(is_rate, names)))
    return known and not any(map(_FOREIGN.fullmatch, names)) and _as_keras_writes(source)


def _as_keras_writes(source: Source) -> bool:
    """Epochs from 0, and rates that are float32 numbers, which Keras widens to float64.

    Keras 2 called the rate ``lr``. Other programs do so too, but only Keras adds ``val_`` to the names of its metrics.
    """
    names = source.names
    rows = list(islice(source.rows, FIRST))
    if rows and rows[0][0].strip() not in ("0", "0.0"):
        return False
    rate = next(filter(is_rate, names), None)
    if rate is None:
        return True
    if rate not in ("learning_rate", "lr") or (rate == "lr" and not any(f"val_{name}" in names for name in names)):
        return False
    cells = [row[names.index(rate)].strip() for row in rows if len(row) == len(names)]
    return all(map(_is_single, cells))


def _is_single(cell: str) -> bool:
    """Whether a cell may be a float32: one, or so few digits that it may be its shortest text."""
    try:
        value = float(cell)
    except ValueError:
        return True
    return len(cell.lstrip("0.").partition("e")[0].replace(".", "")) <= MOST_DIGITS or float(np.float32(value)) == value


def read(source: Source, options: Options) -> Log:
    """The log with one row per epoch. Raises ReadError if no callback wrote the rate into the log."""
    table, names, given = Table(source), source.names, options.columns
    rate = named(names, given["lr"]) if "lr" in given else next(filter(is_rate, names), None)
    if rate is None:
        raise ReadError(
            "Keras' CSVLogger wrote no learning rate: the column exists only under LearningRateScheduler or "
            "ReduceLROnPlateau. Record the run with samestep's Recorder."
        )
    step = named(names, given.get("step", "epoch"))
    loss = named(names, given["loss"]) if "loss" in given else ("loss" if "loss" in names else None)
    log = log_of(table, (step, [rate], loss), NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND, "first"), (HELD,))
    return replace(log, counts="epochs")
