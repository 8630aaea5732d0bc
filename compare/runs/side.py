"""One side of a comparison: a trace, a log or a schedule, read, selected from and cleaned."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.plan import Plan
from samestep.experiment.schedules import SCHEDULES, Schedule
from samestep.experiment.schedules.text import Parsed, is_schedule, read, to_short
from samestep.experiment.trace import Trace
from samestep.experiment.validation import PlanError

from .. import terms
from ..rates import Rates
from .run import CompareError, Key, Run, cleaned_run, listed_keys, runs_of, writable
from .settings import Settings

Name = terms.Side | Literal["log"]


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison.

    given : as written on the command line, or what kind of value. format : of the log, or ``schedule``.
    runs : what was read and selected; empty for a schedule, which has a rate at any step.
    open : the conventions that neither the log nor the user states.
    """

    name: Name
    given: str
    format: str
    runs: tuple[Run, ...] = ()
    schedule: Schedule | None = None
    conventions: Mapping[str, Any] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    open: tuple[str, ...] = ()


def read_side(given: object, name: Name, settings: Settings, clock: Clock | None, stepping: Stepping = "step") -> Side:
    """Read what is given: a path, a table, rates, a trace, or a schedule as text or object.

    clock : what the options say of it; places the rows of logs that have one per epoch. stepping : how often a
    schedule is looked up; per ``epoch`` a framework's counts in epochs.
    Raises CompareError for what is neither log nor schedule, ReadError for a log that cannot be read.
    """
    if isinstance(given, str | Path) and not str(given).strip():
        raise CompareError(f"{name.upper()} is empty. Name a log, a folder of a run, or a schedule.")
    parsed = None if settings.overrides.get("format") else _schedule(given, stepping, clock)
    if parsed is not None:
        text = " ".join(str(given).split()) if isinstance(given, str | Path) else to_short(parsed.schedule)
        if settings.own:
            raise CompareError(f"--{name}: {text[:60]} is a schedule, with nothing to select. Leave --{name} out.")
        return Side(name, writable(text), "schedule", schedule=parsed.schedule, assumed=parsed.assumed)
    from .. import readers  # and pandas with it
    from .given import trace_of

    try:
        text, trace = trace_of(given, _options(settings, name, clock))
    except readers.ReadError as error:
        raise CompareError(_for(name, str(error))) from None
    runs = tuple(cleaned_run(key, rows, trace) for key, rows in _selected(trace, settings, text))
    manifest = trace.manifest
    told = (manifest.get(key) for key in ("assumed", "notes"))
    assumed, notes = (tuple(map(str, each)) if isinstance(each, list) else () for each in told)
    return Side(
        name,
        writable(text),
        str(manifest.get("format", "unknown")),
        runs,
        None,
        dict(manifest.get("conventions") or {}),
        tuple(_for(name, each) for each in assumed),
        # the reader's word on steps that go back is said here with what was done about them
        tuple(each for each in notes if "steps repeat or go back" not in each),
        manifest,
        tuple(manifest.get("open") or ()),
    )


def schedule_run(side: Side, steps: np.ndarray, clock: Clock | None, stepping: Stepping, means: bool = False) -> Run:
    """What a schedule gives at these steps: rising int64; as far as it may be asked.

    means : give the mean of the epoch that begins at each of them.
    Raises CompareError where it needs a clock, or does not fit it.
    """
    schedule = side.schedule
    assert schedule is not None
    in_epochs = stepping == "epoch" or any(each.unit == "epochs" for _, each in schedule.durations())
    if clock is None and in_epochs:
        raise CompareError(
            f"{side.given[:80]}: it speaks of epochs. Add --samples and --batch-size, or --steps-per-epoch."
        )
    clock = clock or Clock.STEPS
    try:
        schedule.whole_steps(clock)
        length = schedule.length(clock) if schedule.after_end == "error" else None
        at = clock.looked_up(steps, stepping)
        kept = slice(None) if length is None else at < length
        lr = _means(schedule, steps[kept], clock, stepping) if means else schedule.rate(at[kept], clock)
        rates = Rates.of(steps[kept], lr)
    except ValueError as error:
        raise CompareError(f"{side.given[:80]}: {error}") from None
    none = np.full(len(rates), -1, dtype=np.int64)
    return Run(Key("", to_short(schedule), 0), rates, np.full(len(rates), np.nan), none, none)


def _means(schedule: Schedule, steps: np.ndarray, clock: Clock, stepping: Stepping) -> np.ndarray:
    """The mean over the epoch that begins at each step: float64, one epoch at a time, since there may be many."""
    within = np.arange(clock.steps_per_epoch)
    epochs = (clock.looked_up(int(step) + within, stepping) for step in steps)
    return np.array([schedule.rate(at, clock).mean() for at in epochs], dtype=np.float64)


def holds_means(side: Side) -> bool:
    """Whether each row of a log is the mean rate of an epoch."""
    return side.conventions.get("epoch_lr") == "mean"


def clock_of(side: Side) -> Clock | None:
    """The clock that a side speaks of: of its plan, else of its epochs and batches; None where it says none."""
    plan = side.manifest.get("plan")
    if isinstance(plan, dict):
        with suppress(PlanError, ValueError):
            return Plan.model_validate_json(json.dumps(plan)).clock
    found = {size for run in side.runs if (size := _steps_per_epoch(run)) is not None}
    return Clock(found.pop(), 1) if len(found) == 1 else None


def _steps_per_epoch(run: Run) -> int | None:
    """S of ``step = S * epoch + batch``, where every row says the same."""
    known = (run.epoch > 0) & (run.batch >= 0)
    if not known.any():
        return None
    whole = run.rates.step[known] - run.batch[known]
    size = int(whole[0] // run.epoch[known][0])
    fits = size >= 1 and (whole == size * run.epoch[known]).all() and int(run.batch.max()) < size
    return size if fits else None


def _schedule(given: object, stepping: Stepping, clock: Clock | None) -> Parsed | None:
    """The schedule that is given, that a text is or that a file holds; None for a log, a table or rates."""
    if isinstance(given, SCHEDULES):
        return Parsed(cast("Schedule", given))
    if not isinstance(given, str | Path):
        return None
    text = str(given).strip()
    if is_schedule(text):
        return read(text, stepping, clock)
    try:
        if Path(text).exists():
            return None
    except (OSError, ValueError):  # too long a name, or one with a null in it
        pass
    raise CompareError(
        f"{text[:80]!r} is not a file, a folder or a schedule. Name a log, a folder of a run, or a schedule like "
        "'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase'."
    )


def _options(settings: Settings, name: Name, clock: Clock | None) -> Any:
    from ..readers import Options, ReadError

    base = settings.overrides.get("step_base")
    if base is not None and not re.fullmatch(r"-?\d{1,15}", base):
        raise CompareError(f"--{name} step_base: got {base[:60]!r}. Write a whole number, the first update's.")
    try:
        return Options(
            columns=dict(settings.columns),
            step_base=None if base is None else int(base),
            lr_timing=settings.overrides.get("lr_timing"),
            loss_kind=settings.overrides.get("loss_kind"),
            steps_per_epoch=None if clock is None else clock.steps_per_epoch,
            format=settings.overrides.get("format"),
            step_unit=settings.overrides.get("step_unit"),
            epoch_lr=settings.overrides.get("epoch_lr"),
        )
    except ReadError as error:
        raise CompareError(f"--{name} {error}") from None


_OPTION = re.compile(r"(?<![\w.,])(?=(?:step_base|lr_timing|loss_kind|format|step_unit|epoch_lr|column\.\w+)=)")


def _for(name: Name, text: str) -> str:
    """What a reader says of its options, with the side whose log it speaks of."""
    return _OPTION.sub(f"--{name} ", text)


def _selected(trace: Trace, settings: Settings, given: str) -> list[tuple[Key, np.ndarray | slice]]:
    found = runs_of(trace.steps)
    select = settings.select.items()
    kept = [(key, rows) for key, rows in found if all(str(getattr(key, what)) == wanted for what, wanted in select)]
    if not kept:
        asked = ", ".join(f"{what} {wanted!r}" for what, wanted in select)
        raise CompareError(f"{given}: no {asked[:120]}. There is {listed_keys([key for key, _ in found])}.")
    return kept
