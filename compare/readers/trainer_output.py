"""What Hugging Face's Trainer prints: Python dictionaries with a fraction of an epoch, and no step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, Series
from .hugging_face import timing_by_rates
from .json_lines import log_of
from .source import Source
from .text_lines import Values, first_values, rows, values_of, with_texts

NAME = "trainer-output"
STEP_BASE = 1
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "mean over the updates since the row before"
COLUMNS = ()

EVERY = "The rows were taken as equally far apart, {} updates, which is what their epochs round to."


def sniff(source: Source) -> bool:
    """Dictionaries with a rate and an epoch, and no step."""
    return any({"learning_rate", "epoch"} <= set(values) and "step" not in values for values in first_values(source))


def read(source: Source, options: Options) -> Log:
    """The rate of each line, at the step that its epoch is. Raises ReadError without the updates in an epoch."""
    if options.steps_per_epoch is None:
        raise ReadError(
            "these lines are what Hugging Face's Trainer prints: dictionaries of Python without a step. Give the "
            "trainer_state.json of a checkpoint, which has the steps; or --samples and --batch-size, or "
            "--steps-per-epoch, to place each line by its epoch."
        )
    notes: list[str] = []
    conventions = Conventions(STEP_BASE, LR_TIMING, LOSS_KIND)
    log = log_of(
        NAME,
        rows(source, _with_rate),
        options,
        conventions,
        notes,
        steps=("epoch",),
        rates=("learning_rate",),
        losses=("loss",),
    )
    series, assumed = _placed(log.series[0], options.steps_per_epoch)
    timing, why = timing_by_rates(series, int(series.step[-1]) if len(series.step) else None)
    return replace(
        with_texts(log, source, _with_rate),
        series=(series,),
        conventions=replace(conventions, lr_timing=timing or LR_TIMING),
        counts="steps",
        base_known=True,
        assumed=(*assumed, *([why] if why else [])),
    )


def _with_rate(line: str) -> Values:
    values = values_of(line)
    return values if {"learning_rate", "epoch"} <= set(values) else {}


def _placed(series: Series, steps_per_epoch: int) -> tuple[Series, tuple[str, ...]]:
    """The rows at their steps. An epoch is printed with two decimals or more, and Trainer logs every so many updates.

    Raises:
        ReadError: If no whole number of updates between rows fits all epochs.
    """
    count = np.arange(1, len(series.step) + 1)
    near, slack = series.step * steps_per_epoch, _rounded_by(series.step) * steps_per_epoch + 1e-6
    low, high = (near - slack) / count, (near + slack) / count
    every = int(np.ceil(low.max(initial=0.0)))
    if 1 <= every <= high.min(initial=np.inf) < every + 1:
        return replace(series, step=(count * every).astype(np.float64)), (EVERY.format(every),)
    step = np.round(near)
    if (slack < 0.5).all() and (np.abs(near - step) <= slack).all() and len(np.unique(step)) == len(step):
        return replace(series, step=step), ()
    raise ReadError(
        f"its epochs do not show at which of {steps_per_epoch} steps an epoch each line stands. Give the "
        "trainer_state.json of a checkpoint, which has the steps."
    )


def _rounded_by(epoch: np.ndarray) -> np.ndarray:
    """Half a unit of the last digit of each epoch: of two decimals, or of four digits in newer versions."""
    if (np.abs(epoch * 100 - np.round(epoch * 100)) < 1e-6).all():
        return np.full(len(epoch), 0.005)
    leading = np.floor(np.log10(np.maximum(epoch, 0.1)))
    return np.asarray(np.minimum(0.5 * 10.0 ** (leading - 3), 0.005))
