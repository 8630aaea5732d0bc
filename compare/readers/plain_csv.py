"""Any table with named columns: ``step,lr,loss``, separated by ``,`` ``;`` or tab."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, Series
from .names import EPOCH, LOSSES, STEPS, chosen, counts_of, first_of, is_rate, rates_among, step_among
from .source import Source
from .table import Table

NAME = "csv"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the log's author wrote it"
COLUMNS = ("step", "lr", "loss")

Columns = tuple[str, list[str], str | None]
"""The names of the step, of the rates, and of the loss if there is one."""

Sentences = tuple[str, ...]


def sniff(source: Source) -> bool:
    """A header row that names a rate, and a step or an epoch."""
    return first_of((*STEPS, EPOCH), source.names) is not None and any(map(is_rate, source.names))


def read(source: Source, options: Options) -> Log:
    """Each column of rates is a series. Raises ReadError if no column is known or named."""
    table = Table(source)
    names = columns_of(source.names, options)
    log = log_of(table, names, NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND))
    return replace(log, counts=counts_of(names[0]))


def columns_of(names: list[str], options: Options) -> Columns:
    """The columns of the step, of the rates, and of the loss if there is one."""
    step = step_among((*STEPS, EPOCH), names, options)
    rates = rates_among(names, options, "column of rates among")
    return step, list(dict.fromkeys(rates)), chosen("loss", LOSSES, names, options)


def log_of(table: Table, names: Columns, framework: str, conventions: Conventions, assumed: Sentences = ()) -> Log:
    """The log of a table. Rows without a step or a rate are left out, with a note."""
    step, rates, loss = names
    if len({step, *rates, loss}) != len(rates) + 2:
        raise ReadError("one column is named twice. Name different columns for step, lr and loss.")
    columns = table.numbers([step, *rates], [loss] if loss else [])
    series = [series_of(table, columns, step, name, loss) for name in rates]
    without = max(len(columns[step]) - len(each.step) for each in series)
    if without:
        table.notes.append(f"{without} rows without a step or a rate were left out.")
    return log_of_series(table, series, framework, conventions, assumed)


def log_of_series(
    table: Table, series: list[Series], framework: str, conventions: Conventions, assumed: Sentences
) -> Log:
    """The log of some columns of a table, with its notes and the cells as they are written."""
    texts = partial(table.texts, [each.name for each in series])
    return Log(framework, tuple(series), conventions, texts=texts, assumed=assumed, notes=tuple(table.notes))


def series_of(table: Table, columns: dict[str, np.ndarray], step: str, rate: str, loss: str | None = None) -> Series:
    """The rows that have a step and this rate, each with its line in the file."""
    rows = np.flatnonzero(~(np.isnan(columns[step]) | np.isnan(columns[rate])))
    losses = columns[loss][rows] if loss else None
    return Series(rate, columns[step][rows], columns[rate][rows], losses, lambda row: table.place(int(rows[row])))
