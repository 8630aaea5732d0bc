"""Lightning's ``metrics.csv``: the rates of LearningRateMonitor, and losses in separate rows."""

from __future__ import annotations

import numpy as np

from .base import Conventions, Language, Log, LrTiming, Options, join
from .names import is_monitored
from .plain_csv import columns_of, series_of
from .source import Source
from .table import checked

NAME = "lightning"
WHAT = "Lightning's metrics.csv"
LANGUAGE: Language | None = "PyTorch"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "batch mean, before the update, as self.log was given it"
COLUMNS = ("step", "lr", "loss")


def sniff(source: Source) -> bool:
    """A header row with a step and a name that LearningRateMonitor gives, like ``lr-Adam``."""
    header = source.header
    return header is not None and "step" in header.names and any(map(is_monitored, header.names))


def read(source: Source, options: Options) -> Log:
    """Each ``lr-…`` column is a series; a loss of the same step, which has a separate row, is joined to it."""
    table = checked(source, source.header)
    step, rates, loss = columns_of(table.header.names, options)
    columns = table.numbers([step, *rates], [loss] if loss else [])
    series = []
    for name in rates:
        there = ~(np.isnan(columns[step]) | np.isnan(columns[name]))
        own = series_of(table, name, columns[step], columns[name], None, there)
        joined = None
        if loss:
            logged = ~np.isnan(columns[loss])
            joined = join(own.step, columns[step][logged], columns[loss][logged])
        series.append(type(own)(own.name, own.step, own.lr, joined, own.place))
    monitored = all(map(is_monitored, rates))
    return Log(
        framework=NAME,
        series=tuple(series),
        conventions=Conventions(STEP_BASE, LR_TIMING if monitored else "unknown", LOSS_KIND),
        texts=lambda: table.texts(rates),
        assumed=("The rates come from LearningRateMonitor, which logs before the update.",) if monitored else (),
        notes=tuple(table.notes),
    )
