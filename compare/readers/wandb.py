"""Weights & Biases as CSV: a run's history, and a chart's download."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Conventions, Language, Log, LrTiming, Options, ReadError, name_list, refuse_columns
from .names import LOSSES, first_of, is_rate
from .plain_csv import log_of, series_of
from .source import Source, named
from .table import Table, checked

NAME = "wandb"
WHAT = "a CSV export of Weights & Biases"
LANGUAGE: Language | None = None
STEP_BASE = 0
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "as the run logged it"
COLUMNS = ("step", "lr", "loss")

CALLS = "`_step` counts the calls of wandb.log; it was taken as the count of updates."
GLOBAL_STEPS = ("trainer/global_step", "train/global_step", "global_step")


def sniff(source: Source) -> bool:
    """``_step`` beside ``_runtime`` or ``_timestamp``; or ``Step`` first, and columns ending in ``__MIN``."""
    names = source.header.names if source.header else []
    return _is_history(names) or _is_chart(names)


def read(source: Source, options: Options) -> Log:
    """Each rate is a series; in a chart, each run. Raises ReadError if there is none."""
    table = checked(source, source.header)
    return _chart(table, options) if _is_chart(table.header.names) else _history(table, options)


def _is_history(names: list[str]) -> bool:
    return "_step" in names and ("_runtime" in names or "_timestamp" in names)


def _is_chart(names: list[str]) -> bool:
    return bool(names) and names[0] == "Step" and any(name.endswith("__MIN") for name in names)


def _history(table: Table, options: Options) -> Log:
    names, given = table.header.names, options.columns
    step = named(names, given["step"]) if "step" in given else (first_of(GLOBAL_STEPS, names) or named(names, "_step"))
    rates = [named(names, given["lr"])] if "lr" in given else [name for name in names if is_rate(name)]
    if not rates:
        raise ReadError(f"no rate among {name_list(names)}. Name it with column.lr=….")
    loss = named(names, given["loss"]) if "loss" in given else first_of(LOSSES, names)
    log = log_of(table, step, rates, loss, NAME, Conventions(STEP_BASE, LR_TIMING, LOSS_KIND))
    sampled = "`run.history()` gives 500 rows of a longer run unless asked for more; missing updates may be that."
    return replace(
        log,
        assumed=(CALLS,) if step == "_step" else (f"The count of updates was taken from {step}.",),
        notes=(*log.notes, *((sampled,) if len(log.series[0].step) == 500 else ())),
    )


def _chart(table: Table, options: Options) -> Log:
    refuse_columns(options, "wandb, of a chart", ("lr",))
    names, given = table.header.names, options.columns
    metrics = [name for name in names if f"{name}__MIN" in names and f"{name}__MAX" in names]
    rates = [named(names, given["lr"])] if "lr" in given else [name for name in metrics if is_rate(_metric(name))]
    if not rates:
        raise ReadError(f"no rate among {name_list(metrics)}. Name it with column.lr=….")
    lowest = [f"{name}__MIN" for name in rates if f"{name}__MIN" in names]
    columns = table.numbers(["Step", *rates], lowest)
    series, averaged = [], 0
    for name in rates:
        there = ~np.isnan(columns[name]) & ~np.isnan(columns["Step"])
        series.append(series_of(table, name, columns["Step"], columns[name], None, there))
        if f"{name}__MIN" in columns:
            averaged += int((columns[name][there] != columns[f"{name}__MIN"][there]).sum())
    notes = [f"{averaged} rows are means of several updates, as a chart draws them."] if averaged else []
    return Log(
        framework=NAME,
        series=tuple(series),
        conventions=Conventions(STEP_BASE, LR_TIMING, LOSS_KIND),
        texts=lambda: table.texts(rates),
        assumed=("`Step` of the chart was taken as the count of updates.",),
        notes=(*table.notes, *notes),
    )


def _metric(name: str) -> str:
    """``train/lr`` of the column ``my-run - train/lr``."""
    return name.rpartition(" - ")[2]
