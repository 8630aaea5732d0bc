"""Rows that Python hands over: a path, a table, the rates of a training loop, a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from samestep.experiment.trace import TRACE_COLUMNS, Trace

from .. import readers
from ..readers import own
from ..readers.base import Conventions, Log, Options, ReadError, Series, name_list
from ..readers.normalise import no_epochs
from ..readers.normalise import trace_of as normalised
from .reading import Reading
from .run import SELECTS, CompareError

LOSS_KIND = "as the table has it"


def trace_of(given: object, options: Options) -> tuple[str, Trace]:
    """What a side is called, and its trace.

    given : a path; a pandas table, or a mapping of columns, with `lr` and perhaps the other columns of a trace; the
    rates of updates 0, 1, 2, ... alone; a `Trace`; or what `samestep.read` gave.
    Raises CompareError for anything else, ReadError for rows that cannot be read.
    """
    if isinstance(given, str | Path):
        return str(given), readers.read(given, options)
    if isinstance(given, Reading):
        return given.given, _as_it_is(given.trace, options)
    if isinstance(given, Trace):
        return "trace", _as_it_is(given, options)
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        table: Any = given
        return "table", _of_table({str(name): np.asarray(table[name]) for name in table}, options)
    rates = _rates(given)
    trace = normalised(_log("rates", np.arange(len(rates)), rates, None), "", "rates", options)
    return "rates", replace(trace, manifest={**trace.manifest, "assumed": []})  # numbers say no more than they are


def _as_it_is(trace: Trace, options: Options) -> Trace:
    """A trace whose numbers mean what its manifest says already."""
    if "format" in trace.manifest:
        if options != Options(steps_per_epoch=options.steps_per_epoch):
            raise ReadError("a trace is read already. Give what its log means where it is read.")
        return trace
    return own.finished(dict(trace.steps), dict(trace.epochs), trace.manifest, "trace", options, "row {}".format)


def _of_table(columns: Mapping[str, np.ndarray], options: Options) -> Trace:
    names = {"step": "step", "lr": "lr", "loss": "loss"} | dict(options.columns)
    for what, name in names.items():
        if name not in columns and (what == "lr" or what in options.columns):
            raise ReadError(f"no column {name!r} among {name_list(list(columns))}. Name it with column.{what}=….")
    rows = {what: columns[name] for what, name in names.items() if name in columns}
    step = rows.get("step", np.arange(len(rows["lr"])))
    lr = _rates(rows["lr"])
    if not set(SELECTS) & set(columns):
        precision = "float64" if rows["lr"].dtype == np.float32 else None
        return normalised(_log("table", step, lr, rows.get("loss"), precision), "", "table", options)
    count = len(lr)
    others: dict[str, Any] = {"framework": "table", "arm": "lr", "seed": 0, "epoch": -1, "batch": -1, "loss": np.nan}
    found = {name: np.broadcast_to(np.asarray(value), (count,)) for name, value in others.items()}
    found |= {name: columns[name] for name in TRACE_COLUMNS if name in columns} | {"step": step, "lr": lr}
    whole: dict[str, Any] = {name: np.asarray(found[name]).astype(kind) for name, kind in TRACE_COLUMNS.items()}
    return own.finished(whole, dict(no_epochs()), {}, "table", Options(lr_timing=options.lr_timing), "row {}".format)


def _log(kind: str, step: np.ndarray, lr: np.ndarray, loss: np.ndarray | None, precision: Any = "float64") -> Log:
    series = Series("lr", step.astype(np.float64), lr, None if loss is None else np.asarray(loss, dtype=np.float64))
    return Log(kind, (series,), Conventions(0, "unknown", LOSS_KIND), precision=precision)


def _rates(given: object) -> np.ndarray:
    try:
        rates = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        rates = np.zeros((0, 0))
    if rates.ndim != 1:
        raise CompareError(
            f"got a value of type {type(given).__name__}. Give a path, a table with a column lr, a list of rates, a "
            "trace or a schedule."
        )
    return rates
