"""What the user says of a comparison beside its two inputs: the clock, and what the log of a side means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from samestep.experiment.clock import Clock, Stepping

from .run import SELECTS, CompareError

OVERRIDES = ("step_base", "lr_timing", "loss_kind", "format", "step_unit", "epoch_lr")
MOST = 2**40
"""Upper limit for counts; no real run is longer."""


@dataclass(frozen=True)
class Settings:
    """What the user says of one side.

    select : framework, arm and seed, as text. overrides : of the reader. columns : the names of columns.
    own : whether anything is said of this side alone, and not of both.
    """

    select: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    own: bool = False

    @classmethod
    def of(cls, values: Mapping[str, object] | None, name: str, both: Settings) -> Settings:
        """From keys and values, over what is said of both sides. Raises CompareError for a key that is none."""
        select, overrides, columns = dict(both.select), dict(both.overrides), dict(both.columns)
        for key, value in (values or {}).items():
            if key in SELECTS:
                select[key] = str(value)
            elif key in OVERRIDES:
                overrides[key] = str(value)
            elif key.startswith("column."):
                columns[key.removeprefix("column.")] = str(value)
            else:
                known = ", ".join([*SELECTS, *OVERRIDES, "column.step", "column.lr", "column.loss", "column.run"])
                raise CompareError(f"--{name}: {key[:60]!r} is not a setting. Write one of {known}.")
        return cls(select, overrides, columns, bool(values))


def key_values(texts: str | list[str], option: str) -> dict[str, str]:
    """``a=1,b=2`` as a dictionary; a comma parts only where another ``key=`` follows. Raises CompareError."""
    found = {}
    for text in [texts] if isinstance(texts, str) else texts:
        for part in re.split(r",(?=[\w.]+=)", text):
            key, equals, value = part.partition("=")
            if not equals or not key.strip() or not value.strip():
                raise CompareError(f"{option}: got {part[:60]!r}. Write KEY=VALUE, several with commas between.")
            found[key.strip()] = value.strip()
    return found


def clock(
    samples: int | None,
    batch_size: int | None,
    drop_last: bool = False,
    accumulate: int = 1,
    steps_per_epoch: int | None = None,
) -> Clock | None:
    """The clock that the options give; None where they give none. Raises CompareError where they contradict."""
    counts = {"samples": samples, "batch-size": batch_size, "steps-per-epoch": steps_per_epoch}
    for name, value in {**counts, "accumulate": accumulate}.items():
        if value is not None and not 1 <= value <= MOST:
            raise CompareError(f"--{name}: got {value}. Write a whole number from 1 to 2**40.")
    if (samples is None) != (batch_size is None):
        raise CompareError("--samples and --batch-size belong together. Write both.")
    if samples is None or batch_size is None:
        if steps_per_epoch is None:
            if accumulate != 1 or drop_last:
                raise CompareError("--accumulate and --drop-last need --samples and --batch-size. Write them as well.")
            return None
        if drop_last:
            raise CompareError("--drop-last is about batches; --steps-per-epoch has counted them. Leave it out.")
        return Clock(steps_per_epoch * accumulate, 1, False, accumulate)
    if steps_per_epoch is not None:
        raise CompareError("--steps-per-epoch replaces --samples and --batch-size. Write one or the other.")
    try:
        return Clock(samples, batch_size, drop_last, accumulate)
    except ValueError as error:
        raise CompareError(str(error)) from None


def stepping(text: str) -> Stepping:
    """How often the rate is looked up. Raises CompareError for any other word than step and epoch."""
    if text not in ("step", "epoch"):
        raise CompareError(f"--stepping: got {text!r}. Write step or epoch.")
    return cast("Stepping", text)
