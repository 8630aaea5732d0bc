"""Turn a log into a trace: steps from 0, each rate at the update that used it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from samestep.experiment.trace import EPOCH_COLUMNS, Table, Trace, stack

from ..rates import ROUNDED_BELOW_0
from .base import MOST_NAME, Conventions, Log, LrTiming, Options, ReadError, Series, join
from .digits import written_with

FROM_1 = "The log's first step is 1. If it counts from 1, give step_base=1."
"""The note for a log that begins at 1 and does not say what it counts from: it is one step late, or counts from 1."""

UNKNOWN_TIMING = (
    "The log does not say whether a row's rate is the one that its update used or the next update's; it was taken as "
    "used. Give lr_timing=… to say which."
)

LARGEST_STEP = 2**53
"""Many formats store steps as float64, which skips whole numbers beyond this one."""


def trace_of(log: Log, source: str, form: str, options: Options) -> Trace:
    """The trace of a log.

    Args:
        source: The file's name, for the manifest.
        form: The format's name.

    Raises:
        ReadError: If a step is not a whole number from the first one on, if a rate is negative or not finite, or if a
            log of epochs comes without the steps per epoch. The message names the row.
    """
    conventions = _conventions(log, options)
    if not any(len(each.step) for each in log.series):
        raise ReadError("no row has both a step and a rate. Give a log that recorded learning rates.")
    if log.counts == "epochs" and options.steps_per_epoch is None:
        raise ReadError(
            "it has one row per epoch. Give --samples and --batch-size, or --steps-per-epoch, to place its rows."
        )
    tables = [_rows(each, log, conventions, options.steps_per_epoch) for each in log.series if len(each.step)]
    steps = tables[0] if len(tables) == 1 else stack(tables)
    precision, rule = (log.precision, None) if log.precision else written_with(steps["lr"], log.texts)
    manifest: dict[str, Any] = {
        "schema": 1,
        "format": form,
        "source": source,
        "conventions": {**asdict(conventions), "precision": precision},
        "assumed": _assumed(log, options),
        "notes": [*log.notes, *_disorder(tables)],
        "rounding": rule,
    }
    return Trace(steps, no_epochs(), manifest)


def no_epochs() -> Table:
    """An empty table of epochs."""
    return {name: np.array([], dtype=np.int64 if kind is int else kind) for name, kind in EPOCH_COLUMNS.items()}


def whole_steps(step: np.ndarray, base: int, place: Callable[[int], str]) -> np.ndarray:
    """Written steps as steps from 0: int64. Raises ReadError for one that is not whole or is before `base`."""
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(step) <= LARGEST_STEP) | (step != np.floor(step))
    if wrong.any():
        row = int(wrong.argmax())
        raise ReadError(f"{place(row)}: step {_what_is_wrong(float(step[row]))}")
    counted: np.ndarray = step.astype(np.int64) - base
    if (counted < 0).any():
        row = int((counted < 0).argmax())
        what = f"is before the first, {base}" if base else "is negative"
        raise ReadError(f"{place(row)}: step {int(step[row])} {what}. Give step_base=…, the first update's number.")
    return counted


def _what_is_wrong(step: float) -> str:
    if not np.isfinite(step):
        return f"{step:g} is not finite. Fix or delete this row."
    if abs(step) > LARGEST_STEP:
        return f"{step:g} is beyond 2**53, the largest step that is supported. Fix or delete this row."
    return f"{step!r} is not a whole number. Fix this row, or name the column of steps with column.step=…."


def checked_rates(lr: np.ndarray, step: np.ndarray, place: Callable[[int], str]) -> np.ndarray:
    """The rates, without the sign of a zero. Raises ReadError for a rate that is negative or not finite."""
    with np.errstate(invalid="ignore"):
        least = -ROUNDED_BELOW_0 * float(lr[np.isfinite(lr)].max(initial=0.0))
        wrong = ~(np.isfinite(lr) & (lr >= least))  # rounding may take a rate of 0 below 0
    if wrong.any():
        row = int(wrong.argmax())
        raise ReadError(
            f"{place(row)}: the rate of step {step[row]:g} is {lr[row]:g}. A rate is finite and not negative: "
            "truncate the log before this row, or fix the row."
        )
    return lr + 0.0


def _conventions(log: Log, options: Options) -> Conventions:
    declared = log.conventions
    base = declared.step_base if options.step_base is None else options.step_base
    timing = cast(LrTiming, options.lr_timing or declared.lr_timing)
    return Conventions(base, timing, options.loss_kind or declared.loss_kind)


def _rows(series: Series, log: Log, conventions: Conventions, steps_per_epoch: int | None) -> Table:
    if len(series.name) > MOST_NAME:
        raise ReadError(f"a series' name has {len(series.name)} characters. Rename it to at most {MOST_NAME}.")
    lr = checked_rates(series.lr, series.step, series.place)
    count = whole_steps(series.step, conventions.step_base, series.place)
    used = count + 1 if conventions.lr_timing == "next" else count
    loss = np.full(len(lr), np.nan) if series.loss is None else series.loss
    if conventions.lr_timing == "next":
        loss = join(used, count, loss)  # the rate moves to the next update, the loss stays with its own
    step = used
    if log.counts == "epochs" and steps_per_epoch:
        if (last := int(used.max())) > LARGEST_STEP // steps_per_epoch:
            raise ReadError(f"epoch {last} with {steps_per_epoch} steps each is beyond 2**53 steps.")
        step = used * steps_per_epoch  # the epoch's first update
    unknown = np.full(len(lr), -1, dtype=np.int64)
    return {
        "framework": np.broadcast_to(np.array(log.framework), len(lr)),
        "arm": np.broadcast_to(np.array(series.name), len(lr)),
        "seed": np.zeros(len(lr), dtype=np.int64),
        "step": step,
        "epoch": step // steps_per_epoch if steps_per_epoch else unknown,
        "batch": step % steps_per_epoch if steps_per_epoch else unknown,
        "lr": lr,
        "loss": loss,
    }


def _assumed(log: Log, options: Options) -> list[str]:
    """What the reader assumed, and what the script chose without saying so: the timing, and what to count from."""
    if log.conventions.lr_timing != "unknown":
        return list(log.assumed)
    first = min(float(each.step.min()) for each in log.series if len(each.step))
    chosen = [UNKNOWN_TIMING] * (options.lr_timing is None) + [FROM_1] * (options.step_base is None and first == 1)
    return [*log.assumed, *chosen]


def _disorder(tables: list[Table]) -> list[str]:
    notes = []
    for table in tables:
        back = np.flatnonzero(np.diff(table["step"]) <= 0)
        if len(back):
            before, after = table["step"][back[0] : back[0] + 2]
            what = f"{table['arm'][0]}: steps repeat or go back {len(back)} times"
            notes.append(f"{what}, first from step {before} to {after}.")
    return notes
