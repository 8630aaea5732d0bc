"""``results.csv`` of Ultralytics and YOLOv5: one row for each epoch."""

from __future__ import annotations

import re
from dataclasses import replace

from .base import Conventions, Log, LrTiming, Options, ReadError, name_list
from .names import chosen, named, rates_among
from .plain_csv import log_of
from .source import Source
from .table import Table

NAME = "yolo"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "epoch mean"
COLUMNS = ("step", "lr", "loss")

LAST = "Ultralytics and YOLOv5 note a rate for each epoch, that of its last update, for each group of parameters."

_RATE = re.compile(r"x/lr\d+|lr/pg\d+")


def sniff(source: Source) -> bool:
    """A header row with an epoch and the rate of a group, ``x/lr0`` or ``lr/pg0``."""
    return "epoch" in source.names and any(map(is_group, source.names))


def is_group(name: str) -> bool:
    """Whether a column or tag is the rate of a group."""
    return bool(_RATE.fullmatch(name))


def read(source: Source, options: Options) -> Log:
    """Each group is a series."""
    table, names = Table(source), source.names
    rates = rates_among(names, options) if "lr" in options.columns else list(filter(is_group, names))
    if not rates:
        raise ReadError(
            f"no rate of a group, like x/lr0 or lr/pg0, among {name_list(names)}. Name it with column.lr=…."
        )
    step = named(names, options.columns.get("step", "epoch"))
    loss = chosen("loss", ("train/box_loss",), names, options)
    log = log_of(table, (step, rates, loss), NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND, "last"))
    return of_epochs(log)


def of_epochs(log: Log) -> Log:
    """A log whose rows are epochs, counted from 0 or, as newer versions do, from 1."""
    first = min((each.step.min() for each in log.series if len(each.step)), default=STEP_BASE)
    conventions = Conventions(int(first == 1), LR_TIMING, LOSS_KIND, "last")
    return replace(log, counts="epochs", conventions=conventions, assumed=(LAST,))
