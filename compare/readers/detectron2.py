"""``metrics.json`` of detectron2: one JSON object for each 20 updates."""

from __future__ import annotations

from dataclasses import replace

from .base import Conventions, Log, LrTiming, Options
from .json_lines import first_names, log_of, objects
from .source import Source

NAME = "detectron2"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "median over the 20 updates before"
COLUMNS = ("step", "lr", "loss")

SCHEDULED_AFTER = "detectron2 notes the rate before its LRScheduler steps: it is the one that the update used."


def sniff(source: Source) -> bool:
    """JSON lines with ``iteration`` and ``total_loss``."""
    return {"iteration", "lr", "total_loss"} <= first_names(source)


def read(source: Source, options: Options) -> Log:
    """The lines with a rate. Raises ReadError, naming the line, for a line that is no JSON object."""
    notes: list[str] = []
    log = log_of(
        NAME,
        objects(source, notes),
        options,
        Conventions(STEP_BASE, LR_TIMING, LOSS_KIND),
        notes,
        steps=("iteration",),
        rates=("lr",),
        losses=("total_loss",),
    )
    return replace(log, precision="float64", assumed=(SCHEDULED_AFTER,))
