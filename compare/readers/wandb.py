"""Weights & Biases as CSV: a run's history, and a chart's download."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, name_list, refuse_columns
from .names import LOSSES, chosen, is_rate, named, rates_among
from .plain_csv import log_of, log_of_series, series_of
from .source import Source
from .table import Table

NAME = "wandb"
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the run logged it"
COLUMNS = ("step", "lr", "loss")

CALLS = "`_step` counts the calls of wandb.log; it was taken as the count of updates."
CHART = "`Step` of the chart was taken as the count of updates."
GLOBAL_STEPS = ("trainer/global_step", "train/global_step", "global_step")


def sniff(source: Source) -> bool:
    """``_step`` beside ``_runtime`` or ``_timestamp``; or ``Step`` first, and columns ending in ``__MIN``."""
    return _is_history(source.names) or _is_chart(source.names)


def read(source: Source, options: Options) -> Log:
    """Each rate is a series; in a chart, each run. Raises ReadError if there is none."""
    read_kind = _chart if _is_chart(source.names) else _history
    return read_kind(Table(source), source.names, options)


def _is_history(names: list[str]) -> bool:
    return "_step" in names and ("_runtime" in names or "_timestamp" in names)


def _is_chart(names: list[str]) -> bool:
    return bool(names) and names[0] == "Step" and any(name.endswith("__MIN") for name in names)


def _history(table: Table, names: list[str], options: Options) -> Log:
    step = chosen("step", GLOBAL_STEPS, names, options) or named(names, "_step")
    rates, loss = rates_among(names, options), chosen("loss", LOSSES, names, options)
    assumed = CALLS if step == "_step" else f"The count of updates was taken from {step}."
    log = log_of(table, (step, rates, loss), NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), (assumed,))
    sampled = "`run.history()` gives 500 rows of a longer run unless asked for more; missing updates may be that."
    return replace(log, notes=(*log.notes, sampled)) if len(log.series[0].step) == 500 else log


def _chart(table: Table, names: list[str], options: Options) -> Log:
    refuse_columns(options, "wandb, of a chart", ("lr",))
    given = options.columns
    metrics = [name for name in names if f"{name}__MIN" in names and f"{name}__MAX" in names]
    rates = [named(names, given["lr"])] if "lr" in given else [name for name in metrics if is_rate(_metric(name))]
    if not rates:
        raise ReadError(f"no rate among {name_list(metrics)}. Name it with column.lr=….")
    lowest = [f"{name}__MIN" for name in rates if f"{name}__MIN" in names]
    columns = table.numbers(["Step", *rates], lowest)
    there = ~np.isnan(columns["Step"])
    averaged = 0
    for name in lowest:
        rate = columns[name.removesuffix("__MIN")]
        averaged += int((rate != columns[name])[there & ~np.isnan(rate)].sum())
    if averaged:
        table.notes.append(f"{averaged} rows are means of several updates, as a chart draws them.")
    series = [series_of(table, columns, "Step", name) for name in rates]
    return log_of_series(table, series, NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND), (CHART,))


def _metric(name: str) -> str:
    """``train/lr`` of the column ``my-run - train/lr``."""
    return name.rpartition(" - ")[2]
