"""Logs of Keras' CSVLogger: one row per epoch."""

from __future__ import annotations

from dataclasses import replace

from .base import Conventions, Log, LrTiming, Options, ReadError
from .names import is_rate, named
from .plain_csv import log_of
from .source import Source
from .table import Table

NAME = "keras"
WHAT = "Keras' CSVLogger"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "epoch mean"
COLUMNS = ("step", "lr", "loss")

HELD = "The rate held for the whole epoch, as LearningRateScheduler and ReduceLROnPlateau set it."


def sniff(source: Source) -> bool:
    """An epoch first, then names in alphabetical order, as CSVLogger writes them: a loss or a rate, but no step."""
    names = source.names
    in_order = names[:1] == ["epoch"] and names[1:] == sorted(names[1:])
    return in_order and "step" not in names and ("loss" in names or any(map(is_rate, names)))


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
    log = log_of(table, (step, [rate], loss), NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), (HELD,))
    return replace(log, counts="epochs")
