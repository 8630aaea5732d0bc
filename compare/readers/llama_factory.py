"""``trainer_log.jsonl`` of LLaMA-Factory."""

from __future__ import annotations

from dataclasses import replace

from .base import Conventions, Log, LrTiming, Options
from .hugging_face import timing_by_rates
from .json_lines import first_names, log_of, objects
from .source import Source

NAME = "llama-factory"
STEP_BASE = 1
LR_TIMING: LrTiming = "unknown"
LOSS_KIND = "mean over the updates since the row before"
COLUMNS = ("step", "lr", "loss")


def sniff(source: Source) -> bool:
    """JSON lines with ``current_steps`` of ``total_steps``."""
    return {"current_steps", "total_steps"} <= first_names(source)


def read(source: Source, options: Options) -> Log:
    """The lines with a rate; which update's it is, the version of transformers decides."""
    notes: list[str] = []
    log = log_of(
        NAME,
        objects(source, notes),
        options,
        Conventions(STEP_BASE, LR_TIMING, LOSS_KIND),
        notes,
        steps=("current_steps",),
        rates=("lr", "learning_rate"),
        losses=("loss",),
    )
    total = next((value.get("total_steps") for value in source.objects), None)
    timing, why = timing_by_rates(log.series[0], total if isinstance(total, int) else None)
    conventions = Conventions(STEP_BASE, timing or LR_TIMING, LOSS_KIND)
    return replace(log, conventions=conventions, base_known=True, assumed=(why,) if why else ())
