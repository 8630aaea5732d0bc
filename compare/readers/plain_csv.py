"""Any table with named columns: ``step,lr,loss``, separated by ``,`` ``;`` or tab."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Conventions, Language, Log, LrTiming, Options, ReadError, Series, name_list
from .names import LOSSES, STEPS, first_of, is_rate
from .source import Source, named
from .table import Table, checked

NAME = "csv"
WHAT = "a CSV file with a header row"
LANGUAGE: Language | None = None
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the log's author wrote it"
COLUMNS = ("step", "lr", "loss")

EPOCH = "epoch"
"""If this is the only count, each row is an epoch."""


def sniff(source: Source) -> bool:
    """A header row that names a rate, and a step or an epoch."""
    names = source.header.names if source.header else []
    return first_of((*STEPS, EPOCH), names) is not None and any(map(is_rate, names))


def read(source: Source, options: Options) -> Log:
    """Each column of rates is a series. Raises ReadError if no column is known or named."""
    table = checked(source, source.header)
    names = table.header.names
    step, rates, loss = columns_of(names, options)
    log = log_of(table, step, rates, loss, NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND))
    return replace(log, counts="epochs") if step.lower() == EPOCH else log


def columns_of(names: list[str], options: Options) -> tuple[str, list[str], str | None]:
    """The columns of the step, of the rates, and of the loss if there is one."""
    given = options.columns
    step = named(names, given["step"]) if "step" in given else first_of((*STEPS, EPOCH), names)
    if step is None:
        raise ReadError(f"no column of steps among {name_list(names)}. Name it with column.step=….")
    rates = [named(names, given["lr"])] if "lr" in given else [name for name in names if is_rate(name)]
    if not rates:
        raise ReadError(f"no column of rates among {name_list(names)}. Name it with column.lr=….")
    loss = named(names, given["loss"]) if "loss" in given else first_of(LOSSES, names)
    return step, list(dict.fromkeys(rates)), loss


def log_of(
    table: Table, step: str, rates: list[str], loss: str | None, framework: str, conventions: Conventions
) -> Log:
    """The log of a table. Rows without a step or a rate are left out, with a note."""
    if len({step, *rates, loss}) != len(rates) + 2:
        raise ReadError("one column is named twice. Name different columns for step, lr and loss.")
    columns = table.numbers([step, *rates], [loss] if loss else [])
    series, without = [], 0
    for name in rates:
        there = ~(np.isnan(columns[step]) | np.isnan(columns[name]))
        without = max(without, int((~there).sum()))
        series.append(series_of(table, name, columns[step], columns[name], columns[loss] if loss else None, there))
    if without:
        table.notes.append(f"{without} rows without a step or a rate were left out.")
    return Log(
        framework=framework,
        series=tuple(series),
        conventions=conventions,
        texts=lambda: table.texts(rates),
        notes=tuple(table.notes),
    )


def series_of(
    table: Table, name: str, step: np.ndarray, lr: np.ndarray, loss: np.ndarray | None, there: np.ndarray
) -> Series:
    """The rows of one rate that are there, each with its line in the file."""
    rows = np.flatnonzero(there)
    return Series(
        name=name,
        step=step[rows],
        lr=lr[rows],
        loss=None if loss is None else loss[rows],
        place=lambda row: table.place(int(rows[row])),
    )
