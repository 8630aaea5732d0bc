"""What may not be meant by a schedule in a run, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import Constant, ExponentialDecay, Linear, Schedule

from ..words import counted, listed

if TYPE_CHECKING:
    from .explain import Explanation


@dataclass(frozen=True)
class Doubt:
    """What may not be meant, and what to write instead."""

    says: str
    advice: str


def of_run(explained: Explanation) -> Iterator[Doubt]:
    """What may not be meant by a schedule in a run."""
    schedule, clock, stepping = explained.schedule, explained.clock, explained.stepping
    yield from short(schedule, clock) if stepping == "step" else _inside_epochs(schedule, clock)
    yield from _ends(explained)
    if clock.accumulate > 1 and stepping == "step" and not isinstance(schedule, Constant):
        counts = [f"{place} is {_batches(duration, clock):,} batches" for place, duration in schedule.durations()]
        yield Doubt(
            f"Keras' gradient_accumulation_steps={clock.accumulate} evaluates its schedule on batches, not on updates: "
            f"there it runs {clock.accumulate} times as fast. It also carries batches that are left at the end of an "
            "epoch into the next, where here they make an update.",
            f"Count batches in Keras: {', '.join(counts)}. PyTorch counts calls of scheduler.step(): call it once per "
            "optimizer.step().",
        )
    if stepping == "step" and explained.epochs * clock.steps_per_epoch > 2**24:
        yield Doubt(
            "Beyond step 16,777,216 Keras' float32 step holds no odd numbers, and changes come at wrong steps.",
            "Keep runs of Keras shorter, or look the rate up once per epoch.",
        )


def _batches(duration: Duration, clock: Clock) -> int:
    """A duration in batches."""
    if duration.unit == "epochs" and duration.count.denominator == 1:
        return int(duration.count) * clock.batches_per_epoch
    return clock.steps(duration) * clock.accumulate


def short(schedule: Schedule, clock: Clock) -> Iterator[Doubt]:
    """Durations in steps that are less than an epoch: perhaps meant in epochs."""
    if getattr(schedule, "factor", None) == 1:  # none has an effect
        return
    fields: dict[str, list[Duration]] = {}
    for place, duration in schedule.durations():
        fields.setdefault(re.sub(r"\[\d+\]$", "", place), []).append(duration)
    for place, found in fields.items():
        owner, field = _at(schedule, place)
        keras, torch = owner.names(field)
        if isinstance(owner, Linear) and owner.initial < owner.end:  # a warm-up may be short
            continue
        long = any(each.unit != "steps" or each.count >= clock.steps_per_epoch for each in found)
        if long or keras is torch is None:
            continue
        one = len(found) == 1 and found[0].count == 1
        texts = [str(each) for each in found]
        meant = [each.removesuffix("s").removesuffix("step") + ("epoch" if one else "epochs") for each in texts]
        steps = [str(int(each.count) * clock.steps_per_epoch) for each in found]
        values = steps[0] if len(steps) == 1 else f"[{', '.join(steps)}]"
        code = [f"{keras}={values} in Keras"] if keras else []
        if isinstance(owner, ExponentialDecay) and not owner.staircase:  # PyTorch has only the factor of one call
            code.append(f"ExponentialLR's gamma={owner.factor!r} ** (1 / {values}) in PyTorch")
        elif torch:
            code.append(f"{torch}={values} in PyTorch")
        yield Doubt(
            f"{place}: {listed(texts)} {'is' if one else 'are'} less than an epoch of "
            f"{counted(clock.steps_per_epoch, 'step')}. A schedule counts optimizer steps: perhaps "
            f"{listed(meant)} {'was' if one else 'were'} meant.",
            f"If so, write {place}={_bracketed(meant)}, that is {values} steps: {', '.join(code)} with the rate looked "
            f"up at every step; or keep {'the number' if len(found) == 1 else 'the numbers'} and look the rate up once "
            "per epoch: LearningRateScheduler in Keras, scheduler.step() after each epoch in PyTorch.",
        )


def _inside_epochs(schedule: Schedule, clock: Clock) -> Iterator[Doubt]:
    """Durations that are no whole epochs, where the rate is looked up once per epoch."""
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


def _ends(explained: Explanation) -> Iterator[Doubt]:
    """The end of the schedule and the end of the run."""
    schedule, clock, epochs = explained.schedule, explained.clock, explained.epochs
    steps, length = epochs * clock.steps_per_epoch, schedule.length(clock)
    last_asked = clock.looked_up(steps - 1, explained.stepping)
    run = f"the run of {counted(epochs, 'epoch')} has {counted(steps, 'step')}"
    if length is not None and length > steps:
        whole = -(-length // clock.steps_per_epoch)
        yield Doubt(
            f"The schedule is {counted(length, 'step')} long and {run}: it is cut off at a rate of "
            f"{explained.final_rate:.6g}.",
            f"Train {counted(whole, 'epoch')}, or make the schedule {counted(epochs, 'epoch')} long.",
        )
    elif length is not None and schedule.after_end == "error" and length < steps:
        yield Doubt(
            f"The schedule may be asked for {counted(length, 'step')} and {run}. PyTorch's OneCycleLR gives one more "
            "rate, extrapolated, and raises at the call after that.",
            f"Make it {counted(epochs, 'epoch')} long, or write after=hold.",
        )
    elif length is not None and schedule.after_end == "rise" and length < last_asked:
        yield Doubt(
            f"The schedule is at its floor at step {length} and climbs again, since {run}.",
            f"Make it {counted(epochs, 'epoch')} long, or write after=hold.",
        )
    elif not explained.changes and not isinstance(schedule, Constant):
        longest = max((clock.steps(each) for _, each in schedule.durations()), default=0)
        yield Doubt(
            f"The rate never changes: {run}.",
            "Write shorter durations, or train longer."
            if longest >= steps
            else "With these values, looked up this often, it stays where it is. Write others, or kind constant.",
        )
    for place, duration in schedule.durations():
        owner, field = _at(schedule, place)
        if clock.steps(duration) >= steps >= (length or 0) and (owner.kind, field) in _BEFORE_ANOTHER:
            yield Doubt(
                f"{place}: {duration} {'is' if duration.count == 1 else 'are'} not over when the run ends: {run}.",
                f"Write less than {counted(epochs, 'epoch')}, or train longer.",
            )


_BEFORE_ANOTHER = (("warmup", "over"), ("sequence", "milestones"))
"""Durations after which another schedule begins."""


def _at(schedule: Schedule, place: str) -> tuple[Any, str]:
    """The schedule that a duration's place belongs to, and its field.

    ``then.over`` of a warm-up is a cosine's ``over``.
    """
    owner: Any = schedule
    *path, field = (part.partition("[") for part in place.split("."))
    for key, _, index in path:
        owner = getattr(owner, key)
        owner = owner[int(index.rstrip("]"))] if index else owner
    return owner, field[0]


def _bracketed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"[{','.join(words)}]"
