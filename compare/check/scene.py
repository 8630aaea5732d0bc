"""What is known of one run: its rates, and where it was recorded, the facts about its schedulers and their lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import Schedule
from samestep.experiment.watching import Facts, Optimizer, Scheduler, Steps, Writes

from ..causes.code import in_whole_epochs
from ..infer import infer
from ..rates import Rates
from ..runs.run import Run
from ..schedule.timeline import Timeline
from ..terms import LANGUAGES, Language
from .counts import Numbers

Cadence = Literal["update", "epoch", "micro-batch", "several", "other"]
"""What a scheduler is stepped for."""

Role = Literal["made", "stepped", "written"]

NEAR = 0.02
"""Part of a count by which two are taken for one: a last short batch, an epoch that was left out."""

ZERO = 1e-15
"""Part of the peak rate below which a rate is 0: PyTorch's recursions end there instead of at 0."""


CLOSE = 1e-4
"""Part of a rate by which it may lie off a schedule that is asked in float32."""

CALLBACK = "LearningRateScheduler"
"""Keras' callback, whose function may ask a schedule object with anything."""

STEP_BY_THEMSELVES = ("lightning", "transformers", "keras")
"""Trainers that step a scheduler, or ask a schedule, without a line of the user's."""

FEW_NUMBERS = 8
"""Numbers of one argument that a label has at most."""


@dataclass(frozen=True)
class Where:
    """A line of code, and what is there: ``made``, ``stepped`` or ``written``."""

    file: str
    line: int
    role: Role


@dataclass(frozen=True, eq=False)
class Scene:
    """One run.

    Attributes:
        timelines: What was recorded, one for each optimizer and parameter group.
        facts: What was noted beside the rates; None for a log.
        clock: The steps of an epoch; None where they are not known.
        stated: What the user said of a log.
    """

    timelines: tuple[Timeline, ...]
    facts: Facts | None = None
    clock: Clock | None = None
    stated: frozenset[str] = frozenset()

    @property
    def steps_per_epoch(self) -> int:
        """Updates in an epoch; 0 where they are not known."""
        return 0 if self.clock is None else self.clock.steps_per_epoch

    @property
    def language(self) -> Language | None:
        """The framework's name in code; None where it is not known."""
        name = self.facts.framework if self.facts else self.timelines[0].inference.run.key.framework
        return LANGUAGES.get(name)

    @property
    def updates(self) -> int:
        """Updates of the run."""
        if self.facts is not None:
            return max((each.updates for each in self.facts.optimizers), default=0)
        return int(self.timelines[0].rates.step[-1]) + 1

    @property
    def was_cut(self) -> bool:
        """Whether the run may have been meant to go on: it was cut, stopped by an error, or killed."""
        return self.facts is not None and (self.facts.cut_by is not None or self.facts.ended != "returned")

    @property
    def epochs(self) -> int | None:
        """Epochs that the run was meant to have; None where that is not known."""
        if self.facts is None:
            size = self.steps_per_epoch
            return -(-self.updates // size) if size else None
        if self.facts.planned_epochs:
            return self.facts.planned_epochs
        passes = len(self.facts.epochs)
        return passes if passes and not self.was_cut else None

    @property
    def planned_updates(self) -> int | None:
        """Updates that the run was meant to have; None where that is not known."""
        if self.facts is None or (not self.was_cut and not self.facts.planned_epochs):
            return self.updates
        size = self.steps_per_epoch
        return max(self.updates, self.facts.planned_epochs * size) if self.facts.planned_epochs and size else None

    @property
    def accumulation(self) -> int:
        """Micro-batches whose gradients make one update."""
        return (self.facts.accumulation if self.facts else None) or 1

    @cached_property
    def schedulers(self) -> tuple[Watched, ...]:
        """Each scheduler that was made for itself, and not as a part of another."""
        if self.facts is None:
            return ()
        optimizers = {each.id: each for each in self.facts.optimizers}
        return tuple(
            Watched(self, each, optimizers[each.optimizer])
            for each in self.facts.schedulers
            if each.part_of is None and each.optimizer in optimizers and not self._is_probe(each)
        )

    def _is_probe(self, scheduler: Scheduler) -> bool:
        """Whether a scheduler was stepped before the training data was read first alone: to look at its rates."""
        begins = self.facts.epochs[0] if self.facts and self.facts.epochs else 0
        return bool(begins and scheduler.steps) and all(each.last_at <= begins for each in scheduler.steps)

    @property
    def followed(self) -> Iterator[tuple[str, Timeline, Watched | None]]:
        """Each set of rates, by its arm, with the scheduler that gives them where one is known."""
        for timeline in self.timelines:
            arm = timeline.inference.run.key.arm
            yield arm, timeline, next((each for each in self.schedulers if arm in each.optimizer.arms), None)

    def runs(self, optimizer: Optimizer) -> list[Run]:
        """The rates of each parameter group of an optimizer."""
        keyed = {each.inference.run.key.arm: each.inference.run for each in self.timelines}
        return [keyed[arm] for arm in optimizer.arms if arm in keyed]

    def beside(self, watched: Watched) -> list[Watched]:
        """The other schedulers of the same optimizer."""
        return [each for each in self.schedulers if each is not watched and each.optimizer is watched.optimizer]

    def line(self, scheduler: Scheduler) -> tuple[Where, ...]:
        """The line that made a scheduler, or a part of one."""
        place = scheduler.made
        return () if place is None else (Where(place.file, place.line, "made"),)

    def writes(self, optimizer: Optimizer) -> list[Writes]:
        """What else set the rates of an optimizer."""
        return [each for each in self.facts.writes if each.optimizer == optimizer.id] if self.facts else []


@dataclass(frozen=True, eq=False)
class Watched:
    """A scheduler, its optimizer, and how it was stepped."""

    scene: Scene = field(repr=False)
    facts: Scheduler
    optimizer: Optimizer

    @property
    def updates(self) -> int:
        """Updates of its optimizer."""
        return self.optimizer.updates

    @property
    def places(self) -> tuple[Steps, ...]:
        """The places that step it while the run trains; those that only wind it forward before are left out."""
        return tuple(each for each in self.facts.steps if each.count > each.before_first_update)

    @property
    def wound_forward(self) -> int:
        """Calls that came before the first update, at places that never step it afterwards."""
        return sum(each.count for each in self.facts.steps if each.count == each.before_first_update)

    @property
    def calls(self) -> int:
        """Calls that advance it, while the run trains."""
        return sum(each.count for each in self.places)

    @property
    def to_the_end(self) -> bool:
        """Whether it was stepped until the run ended, and was not given up before."""
        total = self.scene.facts.updates if self.scene.facts else 0
        last = max((each.last_at for each in self.places), default=0)
        return last + max(1, self.scene.steps_per_epoch) >= total

    @property
    def reached(self) -> int:
        """The count that it has reached: its calls, and what it had counted before."""
        return self.facts.began_at + self.calls

    @property
    def takes_argument(self) -> bool:
        """Whether it is told where it is, as ``step(epoch + i / n)`` does: calls are no count then."""
        return not self.is_plateau and any(each.with_argument for each in self.places)

    @property
    def is_plateau(self) -> bool:
        """Whether it follows a metric."""
        return self.facts.kind == "ReduceLROnPlateau"

    @property
    def cadence(self) -> Cadence:
        """What it is stepped for, at the place that steps it most."""
        most = max(self.places, key=lambda each: each.count, default=None)
        known: dict[str, Cadence] = {
            "update": "update",
            "epoch": "epoch",
            "micro-batch": "micro-batch",
            "several per update": "several",
        }
        return "other" if most is None else known.get(most.per, "other")

    @cached_property
    def schedule(self) -> Schedule | None:
        """Its schedule, with its calls as steps: as read from the object, or from the rates that it gave."""
        if self.facts.schedule is not None:
            adapter: TypeAdapter[Schedule] = TypeAdapter(Schedule)
            schedule = adapter.validate_python(self.facts.schedule)
            return schedule if self.facts.kind != CALLBACK or self._is_asked_with_epochs(schedule) else None
        if self.facts.asked:
            counts, rates = zip(*self.facts.asked, strict=True)
            asked = infer(Rates.of(counts, rates))
            if asked is not None:
                return asked.schedule
        if self.is_plateau or self.scene.beside(self) or self.takes_argument:
            return None
        timelines = (each for each in self.scene.timelines if each.inference.run.key.arm in self.optimizer.arms)
        found = next((each.inference.inferred for each in timelines), None)
        if found is None or found.stepping != {"update": "step"}.get(self.cadence, self.cadence):
            return None
        return found.schedule if found.stepping == "step" else in_whole_epochs(found.schedule, found.steps_per_epoch)

    @cached_property
    def numbers(self) -> Numbers | None:
        """Its counts, in calls; None where they are not known."""
        if self.schedule is None:
            return None
        numbers = Numbers.of(self.schedule)
        if self.facts.kind == "PiecewiseConstantDecay":  # changes one step after what was written
            return replace(numbers, changes=tuple(each - 1 for each in numbers.changes))
        return numbers

    def _is_asked_with_epochs(self, schedule: Schedule) -> bool:
        """Whether a callback gives the rates that its schedule object has for the number of the epoch."""
        epochs = np.arange(min(self.calls, len(self.scene.facts.epochs) if self.scene.facts else 0))
        for run in self.scene.runs(self.optimizer):
            rows = (
                np.searchsorted(run.rates.step, self.scene.facts.epochs[: len(epochs)]) if self.scene.facts else epochs
            )
            kept = rows < len(run.rates)
            meant = schedule.rate(epochs[kept], Clock.STEPS)
            return bool(
                np.allclose(run.rates.lr[rows[kept]], meant, rtol=CLOSE, atol=CLOSE * float(meant.max(initial=0)))
            )
        return False

    @property
    def calls_per_update(self) -> float:
        """Calls for each update of its optimizer."""
        return self.calls / self.updates if self.updates else 0.0

    @property
    def planned_calls(self) -> int | None:
        """Calls that it would get in the whole run as it was meant; None where that is not known."""
        planned, done = self.scene.planned_updates, self.scene.updates
        if planned is None or not done or self.cadence == "other":
            return None
        if planned == done:
            return self.calls
        if self.cadence == "epoch":
            return self.scene.epochs
        return round(self.calls * planned / done)

    @property
    def made(self) -> tuple[Where, ...]:
        """The line that made it."""
        return self.scene.line(self.facts)

    @property
    def stepped(self) -> tuple[Where, ...]:
        """The lines that step it, the one that does so most first."""
        order = sorted(self.places, key=lambda each: -each.count)
        return tuple(Where(each.file, each.line, "stepped") for each in order)

    @property
    def in_the_loop(self) -> tuple[Where, ...]:
        """The lines for what is wrong with how it is stepped: there, or where it was made if a trainer steps it."""
        trainer = self.scene.facts.trainer if self.scene.facts else None
        return self.made + self.stepped[:1] if trainer in STEP_BY_THEMSELVES else self.stepped[:1] + self.made

    @property
    def label(self) -> str:
        """Its class with the numbers that it was given: ``CosineAnnealingLR(T_max=50)``."""
        numbers = ", ".join(_argument(name, value) for name, value in self._numbers())
        return f"{self.facts.kind}({numbers})" if numbers else self.facts.kind

    def argument(self, count: int) -> str | None:
        """The name of the argument that holds a count; None where none does."""
        for name, value in self.facts.arguments.items():
            if _is_number(value) and value == count and name not in _NO_COUNTS:
                return name
            if isinstance(value, list | tuple) and count in value:
                return name
        return None

    def rates(self) -> list[np.ndarray]:
        """The rates of each parameter group of its optimizer."""
        return [run.rates.lr for run in self.scene.runs(self.optimizer)]

    def _numbers(self) -> Iterator[tuple[str, Any]]:
        for name, value in self.facts.arguments.items():
            if name in _NO_LABEL or value is None or isinstance(value, bool):
                continue
            several = value if isinstance(value, list | tuple) else [value]
            if len(several) <= FEW_NUMBERS and all(map(_is_number, several)):
                yield name, value


_NO_COUNTS = {"gamma", "factor", "eta_min", "last_epoch", "power", "decay_rate", "initial_learning_rate", "alpha"}
_NO_LABEL = {"last_epoch", "initial_learning_rate", "name"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _argument(name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"{name}=[{', '.join(f'{each:g}' for each in value)}]"
    return f"{name}={value:g}"


def near(count: float, other: float, part: float = NEAR) -> bool:
    """Whether two counts are one, but for a few."""
    return abs(count - other) <= max(1.0, part * max(count, other))


def alike(rate: float, other: float) -> bool:
    """Whether two numbers of calls for each update are one, but for a tenth."""
    return abs(rate - other) <= 0.1 * max(rate, other)


def overlap(places: Sequence[Steps]) -> bool:
    """Whether two places take turns, so that neither begins after the other has ended."""
    first = max(each.first_at for each in places)
    last = min(each.last_at for each in places)
    return first < last
