"""``summary.csv`` of timm's training script: one row for each epoch."""

from __future__ import annotations

from dataclasses import replace

from .base import Conventions, Log, LrTiming, Options
from .names import chosen, named
from .plain_csv import log_of
from .source import Source
from .table import Table

NAME = "timm"
STEP_BASE = 0
LR_TIMING: LrTiming = "used"
LOSS_KIND = "epoch mean"
COLUMNS = ("step", "lr", "loss")

END = (
    "timm notes the rate at the end of each epoch, before its scheduler goes on to the next: that of the last update. "
    "With --sched-on-updates it is the next epoch's first: give lr_timing=next."
)


def sniff(source: Source) -> bool:
    """An epoch first, then losses of training and evaluation, and ``lr``."""
    return source.names[:2] == ["epoch", "train_loss"] and {"eval_loss", "lr"} <= set(source.names)


def read(source: Source, options: Options) -> Log:
    """The mean rate of the groups, epoch by epoch."""
    names = source.names
    step = named(names, options.columns.get("step", "epoch"))
    rate = named(names, options.columns.get("lr", "lr"))
    loss = chosen("loss", ("train_loss",), names, options)
    conventions = Conventions(STEP_BASE, LR_TIMING, LOSS_KIND, "last")
    log = log_of(Table(source), (step, [rate], loss), NAME, conventions, (END,))
    return replace(log, counts="epochs")
