"""``scalars.json`` of MMEngine, and ``*.log.json`` of the older MMCV, as mmdetection and its sisters write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .base import Conventions, Log, LrTiming, Options, ReadError
from .json_lines import first_names, log_of, objects
from .source import Source

NAME = "mmengine"
STEP_BASE = 1
LR_TIMING: LrTiming = "used"
LOSS_KIND = "mean over the updates since the row before"
COLUMNS = ("step", "lr", "loss")

FROM_1 = (
    "MMEngine counts updates from 1, and notes the rate before its schedulers step. Give step_base=0 if yours does not."
)
ROUNDED = 5
"""Decimals that MMCV rounds every number to."""


def sniff(source: Source) -> bool:
    """JSON lines with ``data_time`` and ``iter``; of MMCV, each with its ``mode``."""
    names = first_names(source)
    return {"lr", "iter", "data_time"} <= names and bool(names & {"step", "mode"})


def read(source: Source, options: Options) -> Log:
    """The lines of training. Raises ReadError, naming the line, for a line that is no JSON object."""
    notes: list[str] = []
    conventions = Conventions(STEP_BASE, LR_TIMING, LOSS_KIND)
    lines = objects(source, notes)
    of_mmcv = "step" not in first_names(source)
    if of_mmcv:
        lines = _counted(lines, options.steps_per_epoch)
    steps = ("iter",) if of_mmcv else ("step", "iter")
    log = log_of(NAME, lines, options, conventions, notes, steps=steps, rates=("lr",), losses=("loss",))
    digits = {"decimals": ROUNDED} if of_mmcv else {"precision": "float64"}
    return replace(log, assumed=(FROM_1,), **digits)


def _counted(lines: Iterator[tuple[int, dict[str, Any]]], steps_per_epoch: int | None) -> Iterator[tuple[int, Any]]:
    """MMCV's lines of training, with ``iter`` over the whole run.

    A runner of epochs counts ``iter`` within its epoch, from 1; a runner of iterations does not.
    """
    before = 0
    within = False
    for line, value in lines:
        if value.get("mode") != "train":
            continue
        count, epoch = value.get("iter"), value.get("epoch")
        if isinstance(count, int) and isinstance(epoch, int):
            within |= count <= before
            if within and steps_per_epoch is None:
                raise ReadError(
                    f"line {line}: iter {count} after {before}, since MMCV counts it within the epoch. Give --samples "
                    "and --batch-size, or --steps-per-epoch."
                )
            before = count
            if steps_per_epoch is not None and count <= steps_per_epoch:
                value = value | {"iter": (epoch - 1) * steps_per_epoch + count}
        yield line, value
