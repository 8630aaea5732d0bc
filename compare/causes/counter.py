"""The cause `counter`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Literal, Self

import numpy as np

from samestep.experiment.clock import Duration
from samestep.experiment.schedules import ExponentialDecay, Schedule

from ..refute import Claim, Curve, Pair, Prediction, predict
from ..refute.estimate import FAST_AND_SLOW, counters, landmarks, moves
from ..terms import Language, Side
from ..words import multiple
from . import snippets
from .base import Cause
from .code import written
from .scene import Fix, Scene, Seen

Reading = Literal["steps-vs-epochs", "gradient-accumulation", "unconverted-rate", "unknown"]

READINGS: dict[Reading, str] = {
    "steps-vs-epochs": "one counts steps, the other epochs",
    "gradient-accumulation": "one counts batches, the other updates made of several batches",
    "unconverted-rate": "a factor for a longer period is applied at every step",
    "unknown": "none of these fits",
}
"""What makes one clock run faster than the other."""


class Counter(Cause):
    """One runs through its schedule several times as fast as the other.

    Attributes:
        factor: b's pace in units of a's.
        reading: why, most likely: `steps-vs-epochs`, `gradient-accumulation`, `unconverted-rate` or `unknown`.

    What you see:
        Both rates fall by the same stairs, but b's come 32 times as early: the first one at step 25, where a has it at
        step 800.

    How it comes about:
        Keras looks a schedule up by the count of batches: `ExponentialDecay(decay_steps=25)` is 25 updates, and with
        `gradient_accumulation_steps=k` it is 25 / k. In PyTorch a scheduler counts the calls of `scheduler.step()`:
        `StepLR(step_size=25)` counts epochs below the inner loop, and batches within it. `ExponentialLR(gamma=0.95)`
        multiplies at every call, so a factor for 25 steps must be converted first.

        Without `--samples` and `--batch-size` the steps of an epoch are not known, and the reading is `unknown`.

    The fix:
        In Keras multiply the duration by the steps of an epoch; in PyTorch move the call to where epochs are counted.

    See also:
        Lesson 1 on this very run; lesson 2 on the three counts; lesson 4 on PyTorch; lesson 10 on accumulation.
    """

    alike: ClassVar = {
        "period": "a clock that runs twice as fast makes a period half as long",
        "factor": "smooth decays by r in E steps and by r**2 in 2 E are one",
    }
    factor: float
    reading: Reading = "unknown"

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """b(n) = a(f n), or the other way round: the slow side from the fast one, and the fast from the slow."""
        for fast, slow in FAST_AND_SLOW if moves(pair) else ():
            for f in counters(pair, fast):
                counter = cls(f if fast == "b" else 1 / f)
                for slower in filter(None, (_scheduled_slower(pair, fast, slow, f), predict.slowed(pair.of(fast), f))):
                    yield Claim(counter, slow, slower, extrapolates=True)
                yield Claim(counter, fast, predict.quickened(pair.of(slow), f))
                for endless in predict.beyond(pair.of(slow)):
                    yield Claim(counter, fast, predict.quickened(endless, f))
                    # Keras looks up the last of the batches that make an update
                    yield Claim(counter, fast, predict.quickened(endless, f, late=f - 1))

    @classmethod
    def offhand(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """By an epoch, by powers of two, by where both have their landmarks."""
        for fast, slow in FAST_AND_SLOW:
            if not np.ptp(pair.of(slow).rates.lr):
                continue
            factors = [2, 4, 8, 16, 32]
            if pair.clock is not None:
                factors.insert(0, pair.clock.steps_per_epoch)
            for quick, late in zip(landmarks(pair.of(fast)), landmarks(pair.of(slow)), strict=True):
                if quick > 0 and late >= 2 * quick:
                    factors.insert(0, round(late / quick))
            for f in dict.fromkeys(factors):
                if f >= 2:
                    slower = _scheduled_slower(pair, fast, slow, f) or predict.slowed(pair.of(fast), f)
                    yield Claim(cls(f if fast == "b" else 1 / f), slow, slower, extrapolates=True)

    def settled(self, pair: Pair) -> Self:
        """With the reading."""
        return replace(self, reading=_reading(pair, self.factor))

    @property
    def title(self) -> str:
        """With the reading."""
        return f"{self.name}, {self.reading}"

    @property
    def _pace(self) -> tuple[Side, Side, float]:
        """The fast side, the slow one, and how many times as fast."""
        factor = float(self.factor)
        return ("b", "a", factor) if factor >= 1 else ("a", "b", round(1 / factor, 9))

    def sentence(self, scene: Scene) -> str:
        """Which side is how many times as fast, and what that most likely is."""
        fast, slow, times = self._pace
        pace = multiple(times)
        match self.reading:
            case "steps-vs-epochs":
                batches = scene.clock is not None and times != scene.steps_per_epoch
                unit = "batches" if batches else "steps"
                return (
                    f"{fast} counts {unit}, {slow} counts epochs. An epoch is {pace} {unit}, so {fast} runs through "
                    f"its schedule {pace} times as fast."
                )
            case "gradient-accumulation":
                return (
                    f"{fast} counts batches, {slow} counts updates. If the gradients of {pace} batches are accumulated "
                    f"for one update, {fast} runs through its schedule {pace} times as fast."
                )
            case "unconverted-rate":
                schedule = scene.of(fast).schedule
                by = f"{schedule.factor:.9g}" if isinstance(schedule, ExponentialDecay) else "the same factor"
                return (
                    f"{fast} multiplies its rate by {by} at every step, {slow} only once in {pace} steps. The factor "
                    f"for {pace} steps was not converted to one step, so {fast} decays {pace} times as fast."
                )
        said = (
            f"{fast} runs through its schedule {pace} times as fast as {slow}: its rate at step n is {slow}'s rate at "
            f"step {pace} · n."
        )
        if times in (2, 4, 8, 16, 32, 64):
            said += (
                f" Gradient accumulation over {pace} batches, {pace} processes that each step the scheduler, and "
                f"durations {pace} times as short all look like this."
            )
        return said

    def fix(self, scene: Scene) -> Fix:
        """Slow the fast side down, by what its pace most likely is."""
        fast, slow, times = self._pace
        pace, quick, counted = multiple(times), scene.of(fast), scene.of(slow)
        match self.reading:
            case "steps-vs-epochs":
                advice = f"If epochs were meant, make {fast} count epochs: an epoch is {pace} steps."
                return Fix(advice, scene.coded(fast, lambda name: _counting_epochs(name, quick, counted, int(times))))
            case "gradient-accumulation":
                advice = (
                    f"Make {fast} count updates: make its durations {pace} times as long, or step it once per update."
                )
                return Fix(advice, scene.coded(fast, lambda name: _counting_updates(name, counted, int(times))))
            case "unconverted-rate":
                advice = (
                    f"Convert {fast}'s factor to one step, factor ** (1 / {pace}), or give it a period of {pace} steps."
                )
                return Fix(advice, scene.coded(fast, lambda name: _converted(name, quick.schedule, int(times))))
        advice = f"If {slow} is right, make every duration of {fast} {pace} times as long."
        return Fix(advice, scene.coded(fast, lambda name: _longer(name, quick.schedule, pace)))


def _scheduled_slower(pair: Pair, fast: Side, slow: Side, factor: int) -> Prediction | None:
    """A clock that runs slower, by the schedule where it is known: rows show every f-th step only."""
    base = pair.of(fast)
    longer = None if base.schedule is None else predict.lengthened(base.schedule, Fraction(factor))
    return None if longer is None else predict.scheduled(base, longer, pair.of(slow))


def _reading(pair: Pair, factor: float) -> Reading:
    """What a counter's factor most likely is."""
    whole = round(max(factor, 1 / factor))
    fast, slow = (pair.b, pair.a) if factor > 1 else (pair.a, pair.b)
    if _is_bare_factor(fast) and not slow.is_stepwise:
        return "unconverted-rate"
    if pair.clock is None:
        return "unknown"
    if whole == pair.clock.accumulate > 1:
        return "gradient-accumulation"
    if whole in (pair.clock.steps_per_epoch, pair.clock.batches_per_epoch):
        return "steps-vs-epochs"
    return "unknown"


def _is_bare_factor(curve: Curve) -> bool:
    """Whether a smooth decay multiplies at every step by a number that somebody wrote for a longer period."""
    decay = curve.schedule
    return isinstance(decay, ExponentialDecay) and not curve.is_stepwise and int(decay.every.count) == 1


def _counting_epochs(language: Language, fast: Seen, slow: Seen, times: int) -> str:
    schedule = fast.schedule
    if language == "PyTorch" and (schedule is None or not _is_smooth(slow)):
        made = "" if schedule is None else f"{written(schedule, language)}\n"
        return made + snippets.STEP_PER_EPOCH
    if schedule is None:
        return snippets.slower(times)
    return f"steps_per_epoch = {times}\n" + written(schedule, language, _times("steps_per_epoch"))


def _is_smooth(seen: Seen) -> bool:
    """Whether a side changes its rate at every step, so that stepping its scheduler once per epoch is not the same."""
    inferred = seen.inferred
    if inferred is None or inferred.stepping == "epoch":
        return False
    return not (getattr(inferred.schedule, "staircase", False) or inferred.schedule.kind == "piecewise-constant")


def _counting_updates(language: Language, slow: Seen, times: int) -> str:
    if language == "PyTorch":
        return snippets.step_per_update(times)
    if slow.schedule is None:
        return snippets.slower(times)
    return f"accumulate = {times}\n" + written(slow.schedule, language, _times("accumulate"))


def _converted(language: Language, schedule: Schedule | None, times: int) -> str:
    if not isinstance(schedule, ExponentialDecay):
        return _longer(language, schedule, str(times))
    return written(schedule.model_copy(update={"every": Duration.parse(f"{times} steps")}), language)


def _longer(language: Language, schedule: Schedule | None, pace: str) -> str:
    if schedule is not None and "." not in pace and "e" not in pace:
        return written(schedule, language, _times(pace))
    return snippets.slower(pace) if language == "Keras" else snippets.step_every(pace)


def _times(name: str) -> Callable[[Duration], str]:
    return lambda duration: f"{duration.count} * {name}"
