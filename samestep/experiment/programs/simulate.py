"""The program that asks one framework's own schedules: ``python -m tf_impl.simulate REQUEST OUT``.

REQUEST is JSON: ``schedule`` (vocabulary) or ``saved`` (a file, and perhaps a class), ``clock``, ``stepping`` and
``updates``; ``-`` reads it from standard input. OUT is `.npz` with the native rates, and what was built as JSON. A
mistake is one line on standard error and exit code 2.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.plan import Framework
from samestep.experiment.programs.process import INTERRUPTED, WRONG_USE, need
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.text import from_json, to_json
from samestep.experiment.trace import moved_into_place

Rates = Callable[[Any, Clock, Stepping, int], np.ndarray]
"""A framework's `simulate.rates`: asked with its `Native`."""

Load = Callable[[Path, str | None, Clock, Stepping], tuple[Schedule, Any, tuple[str, ...]]]
"""A framework's `saved.load`: the schedule that was read, the `Native` that was saved, and notes."""


@dataclass(frozen=True)
class Request:
    """What one framework is asked.

    schedule : in the vocabulary, as JSON; or None, then `saved` is read.
    saved, class_name : a file with a native schedule as its framework saves it, and its class where the file has none.
    updates : how many updates the rates are wanted for; None for the length of the schedule twice over.
    """

    clock: Clock
    stepping: Stepping
    updates: int | None
    schedule: str | None = None
    saved: str | None = None
    class_name: str | None = None

    def to_json(self) -> str:
        """The request as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Read `to_json`'s text."""
        data = json.loads(text)
        return cls(**data | {"clock": Clock(**data["clock"])})


@dataclass(frozen=True)
class Answer:
    """What one framework answers.

    lr : float64, one native rate for each update; shorter where the native scheduler raises after its end.
    schedule : in the vocabulary. native : the class that does the work. exact : whether none of ours stands in.
    note : why it is not the class one would expect. notes : what the vocabulary does not hold of what was read.
    """

    lr: np.ndarray
    schedule: Schedule
    native: str
    exact: bool
    base_lr: float
    source: str
    note: str | None
    notes: tuple[str, ...]

    def save(self, path: Path) -> None:
        """Write `.npz`, beside the target first."""
        told = {name: getattr(self, name) for name in ("native", "exact", "base_lr", "source", "note", "notes")}
        told["schedule"] = to_json(self.schedule)
        with moved_into_place(path) as beside, beside.open("wb") as file:
            np.savez(file, lr=self.lr, told=np.array(json.dumps(told)))

    @classmethod
    def load(cls, path: Path) -> Answer:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as held:
            told = json.loads(str(held["told"]))
            told |= {"schedule": from_json(told["schedule"]), "notes": tuple(told["notes"])}
            return cls(lr=held["lr"], **told)


def main(framework: Framework, rates: Rates, schedules: ModuleType, load: Load, arguments: list[str]) -> int:
    """Run the program and return its exit code.

    schedules : the framework's module of that name.
    """
    if len(arguments) != 2:
        print("Usage: python -m tf_impl.simulate REQUEST OUT, or torch_impl.simulate: two files.", file=sys.stderr)
        return WRONG_USE
    try:
        need([framework])
        asked = sys.stdin.read() if arguments[0] == "-" else Path(arguments[0]).read_text(encoding="utf-8")
        request = Request.from_json(asked)
        answer(request, rates, schedules, load).save(Path(arguments[1]))
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ValueError, OSError) as error:
        print(str(error).replace("\n", " "), file=sys.stderr)
        return WRONG_USE
    return 0


def answer(request: Request, rates: Rates, schedules: ModuleType, load: Load) -> Answer:
    """Build the schedule, ask it, and write its code."""
    notes: tuple[str, ...] = ()
    if request.schedule is not None:
        schedule = from_json(request.schedule)
        native = schedules.build(schedule, request.clock, request.stepping)
    else:
        schedule, native, notes = load(Path(request.saved or ""), request.class_name, request.clock, request.stepping)
    updates = proof_length(schedule, request.clock) if request.updates is None else request.updates
    return Answer(
        lr=rates(native, request.clock, request.stepping, updates),
        schedule=schedule,
        native=native.name,
        exact=native.exact,
        base_lr=schedule_base(native, schedule),
        source=schedules.source(schedule, request.clock, request.stepping),
        note=native.note,
        notes=notes,
    )


def schedule_base(native: Any, schedule: Schedule) -> float:
    """What the optimizer is made with, where that is a number; else the schedule's own base_lr."""
    return float(native.learning_rate) if isinstance(native.learning_rate, int | float) else schedule.base_lr


PROOF_STEPS = 1000
"""Steps that are compared at least, and of a schedule without an end."""

MOST_STEPS = 2_000_000


def proof_length(schedule: Schedule, clock: Clock) -> int:
    """Updates that a proof compares: whole epochs, twice the schedule's length, or its longest duration ten times."""
    longest = max((clock.steps(each) for _, each in schedule.durations()), default=1)
    length = schedule.length(clock)
    if schedule.after_end == "error" and length is not None:
        return length
    wanted = max(PROOF_STEPS, 2 * length if length is not None else 10 * longest)
    steps = int(min(MOST_STEPS, -(-wanted // clock.steps_per_epoch) * clock.steps_per_epoch))
    while steps > 1 and not _can_be_asked(schedule, clock, steps):  # it grows past any number
        steps //= 2
    return steps


def _can_be_asked(schedule: Schedule, clock: Clock, steps: int) -> bool:
    try:
        schedule.rate(steps - 1, clock)
    except ValueError:
        return False
    return True
