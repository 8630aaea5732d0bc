"""Turn a log into a trace: steps from 0, each rate at the update that used it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, cast

import numpy as np

from samestep.experiment.trace import EPOCH_COLUMNS, Table, Trace, stack

from ..rates import rounded_to_0
from .base import MOST_NAME, Conventions, EpochLr, Log, LrTiming, Options, ReadError, Series, join
from .digits import written_with

FROM_1 = "The log's first step is 1. If it counts from 1, give step_base=1."
"""The note for a log that begins at 1 and does not say what it counts from: it is one step late, or counts from 1."""

UNKNOWN_TIMING = (
    "The log does not say whether a row's rate is the one that its update used or the next update's; it was taken as "
    "used. Give lr_timing=… to say which."
)

UNKNOWN_EPOCH_LR = (
    "The log does not say which rate of an epoch its row holds; it was taken as that of the first update. Give "
    "epoch_lr=first, last or mean to say which."
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
    if options.step_unit is not None:
        log = replace(log, counts="epochs" if options.step_unit == "epoch" else "steps")
    if options.epoch_lr is not None and log.counts == "steps":
        raise ReadError(
            f"epoch_lr={options.epoch_lr} is about a log with one row per epoch; its steps count updates. Give "
            "step_unit=epoch if they count epochs, or leave it out."
        )
    if log.counts == "epochs" and options.steps_per_epoch is None:
        raise ReadError(
            "it has one row per epoch. Give --samples and --batch-size, or --steps-per-epoch, to place its rows."
        )
    tables = [_rows(each, log, conventions, options.steps_per_epoch) for each in log.series if len(each.step)]
    steps = tables[0] if len(tables) == 1 else stack(tables)
    precision, rule = _digits(log, steps["lr"])
    manifest: dict[str, Any] = {
        "schema": 1,
        "format": form,
        "source": source,
        "conventions": {**_declared(conventions, log), "precision": precision},
        "open": _open(log, conventions, options),
        "assumed": _assumed(log, conventions, options),
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
    """The rates, from 0. Raises ReadError for a rate that is negative or not finite."""
    rates = rounded_to_0(lr)
    wrong = ~(np.isfinite(rates) & (rates >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise ReadError(
            f"{place(row)}: the rate of step {step[row]:g} is {lr[row]:g}. A rate is finite and not negative: "
            "truncate the log before this row, or fix the row."
        )
    return rates


def _conventions(log: Log, options: Options) -> Conventions:
    declared = log.conventions
    base = declared.step_base if options.step_base is None else options.step_base
    timing = cast(LrTiming, options.lr_timing or declared.lr_timing)
    epoch_lr = cast(EpochLr, options.epoch_lr or declared.epoch_lr)
    return Conventions(base, timing, options.loss_kind or declared.loss_kind, epoch_lr)


def _digits(log: Log, lr: np.ndarray) -> tuple[str, dict[str, Any] | None]:
    """How the rates were written: as the format does, else as their digits show."""
    if log.precision:
        return log.precision, None
    if log.decimals is not None:
        return f"{log.decimals} decimals", {"decimals": log.decimals}
    return written_with(lr, log.texts)


def _declared(conventions: Conventions, log: Log) -> dict[str, Any]:
    """The conventions that matter to this log."""
    declared = asdict(conventions)
    if log.counts == "steps":
        del declared["epoch_lr"]
    return declared


def _open(log: Log, conventions: Conventions, options: Options) -> list[str]:
    """The conventions that neither the log nor the user states: what a difference may come from."""
    unknown = log.conventions.lr_timing == "unknown"
    first = min(float(each.step.min()) for each in log.series if len(each.step))
    is_open = {
        "step_base": unknown and not log.base_known and options.step_base is None and first >= 1,
        "lr_timing": unknown and options.lr_timing is None,
        "epoch_lr": log.counts == "epochs" and conventions.epoch_lr == "unknown" and conventions.lr_timing != "next",
    }
    return [name for name, holds in is_open.items() if holds]


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
    again = np.flatnonzero((np.diff(used) == 0) & (np.diff(lr) != 0))
    if log.counts == "epochs" and len(again):
        raise ReadError(
            f"{series.place(int(again[0]) + 1)}: another rate of epoch {int(series.step[again[0]])}. Its rows are not "
            "epochs: name its column of steps with column.step=…."
        )
    if log.counts == "epochs" and steps_per_epoch:
        if (last := int(used.max())) > LARGEST_STEP // steps_per_epoch:
            raise ReadError(f"epoch {last} with {steps_per_epoch} steps each is beyond 2**53 steps.")
        step = used * steps_per_epoch  # the epoch's first update
        if conventions.epoch_lr == "last" and conventions.lr_timing != "next":
            step = step + steps_per_epoch - 1
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


def _assumed(log: Log, conventions: Conventions, options: Options) -> list[str]:
    """What the reader assumed, and what the script chose without saying so: the timing, and what to count from."""
    is_open = _open(log, conventions, options)
    first = min(float(each.step.min()) for each in log.series if len(each.step))
    per_epoch = "epoch_lr" in is_open
    chosen = [UNKNOWN_EPOCH_LR] * per_epoch + [UNKNOWN_TIMING] * ("lr_timing" in is_open and not per_epoch)
    return [*log.assumed, *chosen, *([FROM_1] if "step_base" in is_open and first == 1 else [])]


def _disorder(tables: list[Table]) -> list[str]:
    notes = []
    for table in tables:
        back = np.flatnonzero(np.diff(table["step"]) <= 0)
        if len(back):
            before, after = table["step"][back[0] : back[0] + 2]
            what = f"{table['arm'][0]}: steps repeat or go back {len(back)} times"
            notes.append(f"{what}, first from step {before} to {after}.")
    return notes
