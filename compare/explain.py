"""What a schedule does in a run, step by step, from its closed form alone: needs no framework."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from compare.words import at_place, counted, epoch_in_steps, listed
from experiment.clock import Clock, Duration, Place, Stepping
from experiment.schedules import Constant, ExponentialDecay, Schedule
from experiment.schedules.text import to_short
from experiment.validation import PlanError

MOST_STEPS = 100_000_000
"""Steps of a run that is explained at most: its rates lie in memory."""


@dataclass(frozen=True)
class Change:
    """An update whose rate is another than the one before had, and that rate."""

    place: Place
    lr: float


@dataclass(frozen=True)
class Doubt:
    """What may not be meant, and what to write instead."""

    says: str
    advice: str


@dataclass(frozen=True)
class Explanation:
    """A schedule in a run.

    steps : updates in the run, or until the schedule may not be asked any more. changes : how often the rate changes.
    shown : the first changes and the last ones.
    """

    schedule: Schedule
    clock: Clock
    stepping: Stepping
    epochs: int
    steps: int
    changes: int
    shown: tuple[Change, ...]
    first_rate: float
    final_rate: float
    warnings: tuple[Doubt, ...]

    @property
    def first_change(self) -> Change | None:
        """The first update with another rate."""
        return self.shown[0] if self.shown else None


def explain(schedule: Schedule, clock: Clock, stepping: Stepping, epochs: int, show: int = 8) -> Explanation:
    """Ask a schedule for every update of a run.

    show : how many changes are kept, half from the beginning and half from the end.
    Raises PlanError where the schedule does not fit the clock, or the run is too long.
    """
    steps = run_steps(schedule, clock, stepping, epochs)
    rate = closed_form(schedule, clock, stepping, steps)
    changed = np.flatnonzero(rate[1:] != rate[:-1]) + 1
    kept = first_and_last(changed, show)
    return Explanation(
        schedule=schedule,
        clock=clock,
        stepping=stepping,
        epochs=epochs,
        steps=steps,
        changes=len(changed),
        shown=tuple(Change(clock.place(int(step)), float(rate[step])) for step in kept),
        first_rate=float(rate[0]),
        final_rate=float(rate[-1]),
        warnings=tuple(_warnings(schedule, clock, stepping, epochs, len(changed), float(rate[-1]))),
    )


def first_and_last(found: np.ndarray, show: int) -> np.ndarray:
    """As many as are shown: all, or half from the beginning and half from the end."""
    return found if len(found) <= show else np.concatenate([found[: show // 2], found[-(show - show // 2) :]])


def run_steps(schedule: Schedule, clock: Clock, stepping: Stepping, epochs: int) -> int:
    """Updates of a run, as far as the schedule may be asked.

    Raises PlanError where the schedule does not fit the clock, or the run is too long.
    """
    if epochs < 1:
        raise PlanError(f"epochs: got {epochs}. Write a whole number of at least 1.")
    try:
        schedule.whole_steps(clock)
    except ValueError as error:
        raise PlanError(str(error)) from None
    steps = epochs * clock.steps_per_epoch
    if steps > MOST_STEPS:
        raise PlanError(f"{counted(steps, 'step')} are more than {MOST_STEPS:,}. Write fewer epochs.")
    length = schedule.length(clock)
    if schedule.after_end == "error" and length is not None:
        whole = length if stepping == "step" else -(-length // clock.steps_per_epoch) * clock.steps_per_epoch
        steps = min(steps, whole)
    return steps


def closed_form(schedule: Schedule, clock: Clock, stepping: Stepping, steps: int) -> np.ndarray:
    """The rate that each of the first updates should use: float64, shape (steps,).

    Raises PlanError where the schedule grows past any number.
    """
    try:
        return schedule.rate(clock.looked_up(np.arange(steps), stepping), clock)
    except ValueError as error:
        raise PlanError(str(error)) from None


def to_json(explained: Explanation) -> dict[str, Any]:
    """The explanation as JSON values."""
    first = explained.first_change
    return {
        "schema": 1,
        "schedule": explained.schedule.model_dump(mode="json"),
        "clock": asdict(explained.clock),
        "stepping": explained.stepping,
        "epochs": explained.epochs,
        "steps": explained.steps,
        "steps_per_epoch": explained.clock.steps_per_epoch,
        "changes": explained.changes,
        "first_change": None if first is None else asdict(first.place),
        "first_rate": explained.first_rate,
        "final_rate": explained.final_rate,
        "warnings": [each.says for each in explained.warnings],
        "advice": [each.advice for each in explained.warnings],
    }


def sentences(explained: Explanation) -> list[str]:
    """The timeline in words."""
    clock, first = explained.clock, explained.first_change
    looked_up = "before every update" if explained.stepping == "step" else "once, as an epoch begins"
    run = f"{counted(explained.epochs, 'epoch')} {'is' if explained.epochs == 1 else 'are'}"
    said = [
        f"{to_short(explained.schedule)}, looked up {looked_up}.",
        epoch_in_steps(clock),
        f"{run} {counted(explained.epochs * clock.steps_per_epoch, 'step')}.",
    ]
    if first is None:
        return [*said, f"The rate is {explained.first_rate:g} and never changes."]
    at = at_place(first.place)
    if clock.accumulate > 1:
        begins = first.place.batch * clock.accumulate
        within = f"update {first.place.batch} of it, from batch {begins} on"
        at = f"step {first.place.step} (epoch {first.place.epoch}, {within})"
    said.append(
        f"The rate begins at {explained.first_rate:g} and first changes at {at}, to "
        f"{first.lr:.6g}: {counted(explained.changes, 'change')} in {counted(explained.epochs, 'epoch')}. "
        f"The final rate is {explained.final_rate:.6g}."
    )
    return said


def _warnings(
    schedule: Schedule, clock: Clock, stepping: Stepping, epochs: int, changes: int, final: float
) -> Iterator[Doubt]:
    yield from _short(schedule, clock, stepping)
    yield from _inside_epochs(schedule, clock, stepping)
    yield from _ends(schedule, clock, stepping, epochs, changes, final)
    if clock.accumulate > 1 and stepping == "step" and not isinstance(schedule, Constant):
        counts = [f"{place} is {_batches(duration, clock):,} batches" for place, duration in schedule.durations()]
        yield Doubt(
            f"Keras' gradient_accumulation_steps={clock.accumulate} evaluates its schedule on batches, not on updates: "
            f"there it runs {clock.accumulate} times as fast. It also carries batches that are left at the end of an "
            "epoch into the next, where here they make an update.",
            f"Count batches in Keras: {', '.join(counts)}. PyTorch counts calls of scheduler.step(): call it once per "
            "optimizer.step().",
        )
    if stepping == "step" and epochs * clock.steps_per_epoch > 2**24:
        yield Doubt(
            "Beyond step 16,777,216 Keras' float32 step holds no odd numbers, and changes come at wrong steps.",
            "Keep runs of Keras shorter, or look the rate up once per epoch.",
        )


def _batches(duration: Duration, clock: Clock) -> int:
    """A duration in batches."""
    if duration.unit == "epochs" and duration.count.denominator == 1:
        return int(duration.count) * clock.batches_per_epoch
    return clock.steps(duration) * clock.accumulate


def _short(schedule: Schedule, clock: Clock, stepping: Stepping) -> Iterator[Doubt]:
    """Durations in steps that are less than an epoch: perhaps meant in epochs."""
    if stepping == "epoch":
        return
    fields: dict[str, list[Duration]] = {}
    for place, duration in schedule.durations():
        fields.setdefault(re.sub(r"\[\d+\]$", "", place), []).append(duration)
    for place, found in fields.items():
        keras, torch = _at(schedule, place).names(_named(schedule, place)[1])
        if keras is torch is None or _has_no_effect(schedule):
            continue
        if any(each.unit != "steps" or each.count >= clock.steps_per_epoch for each in found):
            continue
        one = len(found) == 1 and found[0].count == 1
        texts = [str(each) for each in found]
        meant = [each.removesuffix("s").removesuffix("step") + ("epoch" if one else "epochs") for each in texts]
        steps = [str(int(each.count) * clock.steps_per_epoch) for each in found]
        values = steps[0] if len(steps) == 1 else f"[{', '.join(steps)}]"
        code = [f"{keras}={values} in Keras"] if keras else []
        code += [f"{_in_torch(schedule, place, torch, values)} in PyTorch"] if torch else []
        yield Doubt(
            f"{place}: {listed(texts)} {'is' if one else 'are'} less than an epoch of "
            f"{counted(clock.steps_per_epoch, 'step')}. A schedule counts optimizer steps: perhaps "
            f"{listed(meant)} {'was' if one else 'were'} meant.",
            f"If so, write {place}={_bracketed(meant)}, that is {values} steps: {', '.join(code)} with the rate looked "
            f"up at every step; or keep {'the number' if len(found) == 1 else 'the numbers'} and look the rate up once "
            "per epoch: LearningRateScheduler in Keras, scheduler.step() after each epoch in PyTorch.",
        )


def _in_torch(schedule: Schedule, place: str, name: str, values: str) -> str:
    """What a duration is called in PyTorch, where a smooth exponential has only the factor of one call."""
    found = _at(schedule, place)
    if isinstance(found, ExponentialDecay) and not found.staircase:
        return f"ExponentialLR's gamma={found.factor!r} ** (1 / {values})"
    return f"{name}={values}"


def _has_no_effect(schedule: Schedule) -> bool:
    return getattr(schedule, "factor", None) == 1


def _inside_epochs(schedule: Schedule, clock: Clock, stepping: Stepping) -> Iterator[Doubt]:
    """Durations that are no whole epochs, where the rate is looked up once per epoch."""
    if stepping == "step":
        return
    per_epoch = clock.steps_per_epoch
    odd = [(place, each) for place, each in schedule.durations() if clock.steps(each) % per_epoch]
    if not odd:
        return
    texts = listed([str(each) for _, each in odd])
    near = [counted(max(1, round(clock.steps(each) / per_epoch)), "epoch") for _, each in odd]
    whole = listed(list(dict.fromkeys(near)))
    ends = "ends" if odd[0][1].count == len(odd) == 1 else "end"
    yield Doubt(
        f"{odd[0][0].partition('[')[0]}: {texts} {ends} inside an epoch of "
        f"{counted(per_epoch, 'step')}, and the rate is looked up only as an epoch begins.",
        f"Write whole epochs, like {whole}, or look the rate up at every step.",
    )


def _ends(
    schedule: Schedule, clock: Clock, stepping: Stepping, epochs: int, changes: int, final: float
) -> Iterator[Doubt]:
    """The end of the schedule and the end of the run."""
    steps, length = epochs * clock.steps_per_epoch, schedule.length(clock)
    run = f"the run of {counted(epochs, 'epoch')} has {counted(steps, 'step')}"
    if length is not None and length > steps:
        whole = -(-length // clock.steps_per_epoch)
        yield Doubt(
            f"The schedule is {counted(length, 'step')} long and {run}: it is cut off at a rate of {final:.6g}.",
            f"Train {counted(whole, 'epoch')}, or make the schedule {counted(epochs, 'epoch')} long.",
        )
    elif length is not None and schedule.after_end == "error" and length < steps:
        yield Doubt(
            f"The schedule may be asked for {counted(length, 'step')} and {run}. PyTorch's OneCycleLR gives one more "
            "rate, extrapolated, and raises at the call after that.",
            f"Make it {counted(epochs, 'epoch')} long, or write after=hold.",
        )
    elif length is not None and schedule.after_end == "rise" and length < int(clock.looked_up(steps - 1, stepping)):
        yield Doubt(
            f"The schedule is at its floor at step {length} and climbs again, since {run}.",
            f"Make it {counted(epochs, 'epoch')} long, or write after=hold.",
        )
    elif not changes and not isinstance(schedule, Constant):
        longest = max((clock.steps(each) for _, each in schedule.durations()), default=0)
        yield Doubt(
            f"The rate never changes: {run}.",
            "Write shorter durations, or train longer."
            if longest >= steps
            else "With these values, looked up this often, it stays where it is. Write others, or kind constant.",
        )
    for place, duration in schedule.durations():
        if clock.steps(duration) >= steps and _named(schedule, place) in _BEFORE_ANOTHER and (length or 0) <= steps:
            yield Doubt(
                f"{place}: {duration} {'is' if duration.count == 1 else 'are'} not over when the run ends: {run}.",
                f"Write less than {counted(epochs, 'epoch')}, or train longer.",
            )


_BEFORE_ANOTHER = (("warmup", "over"), ("sequence", "milestones"))
"""Durations after which another schedule begins."""


def _named(schedule: Schedule, place: str) -> tuple[str, str]:
    """The kind that a duration's place belongs to, and its field: ``then.over`` of a warm-up is a cosine's ``over``."""
    return str(_at(schedule, place).kind), place.rpartition(".")[2].partition("[")[0]


def _at(schedule: Schedule, place: str) -> Any:
    """The schedule that has the duration at a place."""
    found: Any = schedule
    for part in place.split(".")[:-1]:
        key, _, index = part.partition("[")
        found = getattr(found, key)
        found = found[int(index.rstrip("]"))] if index else found
    return found


def _bracketed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"[{','.join(words)}]"
