"""From the options of `samestep compare` to what is asked of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from compare.runs import CompareError
from compare.sides import Settings, Side, key_values
from experiment.clock import Clock, Stepping

if TYPE_CHECKING:
    from compare.comparison import Request

MOST = 2**40
"""The largest count: of steps more than that no run has made."""


def request(
    a: str,
    b: str,
    *,
    clock: Clock | None,
    ulp: float,
    columns: str | None,
    select: Mapping[str, str | None],
    of_a: list[str],
    of_b: list[str],
    stepping: Stepping | None,
    epochs: int | None,
) -> Request:
    """What to compare. Raises CompareError, with one line, for an option that makes no sense."""
    from compare.comparison import Request

    if not (math.isfinite(ulp) and ulp >= 0):
        raise CompareError(f"--ulp: got {ulp:g}. Write a number from 0 on, like 8.")
    named = {} if columns is None else key_values(columns, "--columns")
    both = Settings({key: value for key, value in select.items() if value is not None}, {}, named)
    return Request(
        a,
        b,
        clock,
        ulp,
        Settings.of(of_a, "a", both),
        Settings.of(of_b, "b", both),
        stepping,
        epochs,
    )


def refuse_idle(request: Request, a: Side, b: Side) -> None:
    """Refuse options that say nothing on these two sides. Raises CompareError, with one line, that says what for."""
    schedules = sum(side.schedule is not None for side in (a, b))
    if request.epochs is not None and schedules < 2:
        raise CompareError(
            "--epochs says how long two schedules are compared; a log is compared as far as its rows go. Leave it out."
        )
    if request.stepping is not None and not schedules:
        raise CompareError("--stepping says how often a schedule's rate is looked up; here are two logs. Leave it out.")
    if schedules == 2:
        both = request.settings_a
        given = [f"--{name}" for name in both.select] + (["--columns"] if both.columns else [])
        if given:
            raise CompareError(f"{given[0]} is about logs; here are two schedules. Leave it out.")


def clock(
    samples: int | None, batch_size: int | None, drop_last: bool, accumulate: int, steps_per_epoch: int | None
) -> Clock | None:
    """The clock that the options give; None where they give none. Raises CompareError where they contradict."""
    _refuse_what_cannot_be_counted(
        {"samples": samples, "batch-size": batch_size, "steps-per-epoch": steps_per_epoch, "accumulate": accumulate}
    )
    if (samples is None) != (batch_size is None):
        raise CompareError("--samples and --batch-size belong together. Write both, or --steps-per-epoch.")
    if samples is None or batch_size is None:
        if steps_per_epoch is None:
            if accumulate != 1 or drop_last:
                raise CompareError("--accumulate and --drop-last need --samples and --batch-size. Write them as well.")
            return None
        if drop_last:
            raise CompareError("--drop-last is about batches; --steps-per-epoch has counted them. Leave it out.")
        return Clock(steps_per_epoch * accumulate, 1, False, accumulate)
    if steps_per_epoch is not None:
        raise CompareError("--steps-per-epoch stands for --samples and --batch-size. Write the one or the others.")
    try:
        return Clock(samples, batch_size, drop_last, accumulate)
    except ValueError as error:
        raise CompareError(str(error)) from None


def _refuse_what_cannot_be_counted(counts: Mapping[str, int | None]) -> None:
    for name, value in counts.items():
        if value is not None and not 1 <= value <= MOST:
            raise CompareError(f"--{name}: got {value}. Write a whole number from 1 to 2**40.")
