"""Lightning's ``metrics.csv``: the rates of LearningRateMonitor, and losses in separate rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Conventions, Log, LrTiming, Options, join
from .names import is_monitored
from .plain_csv import columns_of, log_of_series, series_of
from .source import Source
from .table import Table

NAME = "lightning"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "batch mean, before the update, as self.log was given it"
COLUMNS = ("step", "lr", "loss")


def sniff(source: Source) -> bool:
    """A header row with a step and a name that LearningRateMonitor gives, like ``lr-Adam``."""
    return "step" in source.names and any(map(is_monitored, source.names))


def read(source: Source, options: Options) -> Log:
    """Each ``lr-…`` column is a series; a loss of the same step, which has a separate row, is joined to it."""
    table = Table(source)
    step, rates, loss = columns_of(source.names, options)
    columns = table.numbers([step, *rates], [loss] if loss else [])
    series = [series_of(table, columns, step, name) for name in rates]
    if loss:
        logged = ~np.isnan(columns[loss])
        at, losses = columns[step][logged], columns[loss][logged]
        series = [replace(each, loss=join(each.step, at, losses)) for each in series]
    monitored = all(map(is_monitored, rates))
    assumed = ("The rates come from LearningRateMonitor, which logs before the update.",) if monitored else ()
    conventions = Conventions(STEP_BASE, LR_TIMING if monitored else "unknown", LOSS_KIND)
    log = log_of_series(table, series, NAME, conventions, assumed)
    return replace(log, precision="float64") if monitored else log  # its CSVLogger writes all digits
