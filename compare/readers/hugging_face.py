"""``trainer_state.json`` of Hugging Face's Trainer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .base import Conventions, Log, LrTiming, Options, ReadError, Series, name_list, read_bytes, shown
from .json_lines import number
from .source import Source

NAME = "hugging-face"
STEP_BASE = 1
LR_TIMING: LrTiming = "used"
LOSS_KIND = "mean over the updates since the row before"
COLUMNS = ("step", "lr", "loss")

LARGEST = 1 << 27
"""Bytes of a file. JSON that is read as a whole takes up to thirty times its size in memory."""

USED = (
    "transformers logs the rate that the update used; before pull request 36973 (2025) it logged the next one. The "
    "file has `best_global_step`, as it has from 4.50 on. Give lr_timing=next for a log of 4.50.0 to 4.51.2."
)
NEXT = (
    "The file has no `best_global_step`, so transformers before 4.50 wrote it: its rows hold the next update's rate. "
    "If they hold the rate that was used, give lr_timing=used."
)
ENDS_AT_0 = (
    "The last update's rate is 0.0, which a schedule reaches only after its last update: rows hold the next rate."
)
BEGINS_AT_0 = "The rate of the first update is 0.0, as a warm-up begins: rows hold the rate that was used."


def sniff(source: Source) -> bool:
    """A JSON object with a ``log_history``."""
    return source.is_object and '"log_history"' in (source.text or "")


def read(source: Source, options: Options) -> Log:
    """The entries of ``log_history`` that have a rate. Raises ReadError if there is none, or no such list."""
    if source.size > LARGEST:
        raise ReadError(f"{source.size} bytes of JSON, more than {LARGEST}. Shorten log_history, or log fewer steps.")
    try:
        state = json.loads(read_bytes(source.path))
    except RecursionError:
        raise ReadError("not a trainer state: its JSON is nested too deeply.") from None
    except ValueError as error:
        raise ReadError(
            f"not valid JSON: {shown(str(error))}. The file may be truncated; use an earlier checkpoint's."
        ) from None
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise ReadError("no list of objects under log_history. Give a trainer_state.json.")
    step, lr, loss = ({"step": "step", "lr": "learning_rate", "loss": "loss"} | dict(options.columns)).values()
    rows = []
    for index, entry in enumerate(history):
        place = f"log_history[{index}]"
        at, rate, lost = (number(entry.get(name), name, place) for name in (step, lr, loss))
        if at is not None and rate is not None:
            rows.append((index, at, rate, np.nan if lost is None else lost))
    if not rows:
        names = list(dict.fromkeys(name for entry in history for name in entry))
        raise ReadError(f"no entry of log_history has {shown(lr)}; its entries have {name_list(names) or 'nothing'}.")
    columns = np.array(rows, dtype=np.float64).T
    indices = columns[0].astype(np.int64)
    series = Series(lr, columns[1], columns[2], columns[3], lambda row: f"log_history[{indices[row]}]")
    left = len(history) - len(rows)
    notes = (f"{left} entries without a rate, such as evaluations, were left out.",) if left else ()
    timing, why = _timing(state, series)
    conventions = Conventions(STEP_BASE, timing, LOSS_KIND)
    return Log(
        NAME, (series,), conventions, base_known=True, precision="float64", assumed=(why,) if why else (), notes=notes
    )


def _timing(state: Mapping[str, Any], series: Series) -> tuple[LrTiming, str]:
    """Whether rows hold the used or the next rate, and why. A file that lacks what every version writes leaves it open.

    transformers has written `best_global_step` since 4.50 and logged the used rate since 4.51.3.
    """
    last = state.get("max_steps")
    timing, why = timing_by_rates(series, last if isinstance(last, int) else None)
    if timing is not None:
        return timing, why
    if "best_global_step" in state:
        return LR_TIMING, USED
    return ("next", NEXT) if last is not None else ("unknown", "")


def timing_by_rates(series: Series, last: int | None) -> tuple[LrTiming | None, str]:
    """What a rate of 0.0 says of a log that counts from 1, and why; None if no rate says anything.

    Args:
        last: The number of the run's last update, if it is known.
    """
    step, lr = series.step, series.lr
    if len(lr) > 1 and lr[-1] == 0 and lr[-2] > 0 and step[-1] == last:
        return "next", ENDS_AT_0
    if len(lr) > 1 and lr[0] == 0 and step[0] == 1 and lr[1] > 0:
        return "used", BEGINS_AT_0
    return None, ""
