"""``log.txt`` of pytorch-classification: a table without a column of epochs, one row for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Conventions, Log, LrTiming, Options, Series
from .names import named
from .plain_csv import log_of_series
from .source import Source
from .table import Table

NAME = "pytorch-classification"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "epoch mean"
COLUMNS = ()

RATE, LOSS = "Learning Rate", "Train Loss"
HELD = "Each row is an epoch, the first one epoch 0. The rate held for the whole epoch."


def sniff(source: Source) -> bool:
    """The rate first, then the losses, and no epoch."""
    return source.names[:2] == [RATE, LOSS] and "Valid Loss" in source.names


def read(source: Source, options: Options) -> Log:
    """The rate of each row."""
    table = Table(source)
    columns = table.numbers([named(source.names, RATE)], [named(source.names, LOSS)])
    lr, loss = columns[RATE], columns[LOSS]
    series = Series(RATE, np.arange(len(lr), dtype=np.float64), lr, loss, table.place)
    conventions = Conventions(STEP_BASE, LR_TIMING, LOSS_KIND, "first")
    return replace(log_of_series(table, [series], NAME, conventions, (HELD,)), counts="epochs")
