"""The cause `counter`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import ClassVar, Literal, Self

import numpy as np

from samestep.experiment.clock import Duration, Stepping
from samestep.experiment.schedules import ExponentialDecay

from ..refute import Claim, Curve, Pair, Prediction, predict
from ..refute.estimate import FAST_AND_SLOW, counters, landmarks, moves
from ..terms import Language, Side
from ..words import multiple
from . import snippets
from .base import Cause
from .code import changes_by_epoch, is_stairs, written
from .scene import Fix, Scene

Reading = Literal["steps-vs-epochs", "gradient-accumulation", "unconverted-rate", "unknown"]

SURELY = 4
"""Units of what is allowed by which a row refutes a slower clock whatever lies between two of its steps."""

MOST_PROCESSES = 64
"""Of one run that each step one scheduler."""

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
    moves_clock: ClassVar = True
    factor: float
    reading: Reading = "unknown"

    @classmethod
    def claims(cls, pair: Pair) -> Iterator[Claim[Self]]:
        """b(n) = a(f n), or the other way round: the slow side from the fast one, and the fast from the slow."""
        for fast, slow in FAST_AND_SLOW if moves(pair) else ():
            factors = counters(pair, fast)
            slowed, quickened = _probed(pair, fast, slow, factors)
            for place, f in enumerate(factors):
                counter = cls(f if fast == "b" else 1 / f)
                slower = predict.slowed(pair.of(fast), f)
                if slowed[place] <= SURELY and (longer := _scheduled_slower(pair, fast, slow, f)):
                    yield Claim(counter, slow, longer, extrapolates=True)
                yield Claim(counter, slow, slower, extrapolates=True, is_refuted=slowed[place] > 1)
                for predicted, excess in quickened:
                    yield Claim(counter, fast, predicted(f), is_refuted=excess[place] > 1)

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
        if times != int(times) or times > MOST_PROCESSES:
            return said
        own, theirs = scene.is_meant(slow), scene.is_meant(fast)
        alike = [] if theirs else [f"{pace} processes that each step the scheduler of {fast}"]
        alike += [] if own else [f"a scheduler of {slow} that is stepped only once in {pace} epochs"]
        alike += [f"gradients accumulated over {pace} batches"] if scene.clock is None else []
        lasting = (
            f"durations of {slow} {pace} times as long" if theirs else f"durations of {fast} {pace} times as short"
        )
        return f"{said} It may be {', '.join(alike)}, or {lasting}: all look the same."

    def fix(self, scene: Scene) -> Fix:
        """Slow the fast side down, by what its pace most likely is, or make the other as fast."""
        fast, _, _ = self._pace
        likely: Side = "b" if self.reading == "unknown" else fast
        side = scene.to_change(likely)
        fix = scene.given(side, self._change, self._stepped(scene, side))
        accumulates = self.reading == "gradient-accumulation" and side == fast
        if not fix.code or accumulates:
            code = self._accumulated(scene) if accumulates else self._slowed(scene) if side == fast else {}
            fix = scene.either(side, self._change, code) if code else fix
        return fix

    def _stepped(self, scene: Scene, side: Side) -> Stepping:
        """After what the scheduler of one side is stepped: after epochs where both, or it, only change with them."""
        own = scene.of(side).schedule
        by_epoch = own is not None and changes_by_epoch(own, scene.steps_per_epoch)
        return "epoch" if by_epoch or (self.reading == "steps-vs-epochs" and side == self._pace[0]) else "step"

    def _change(self, side: Side) -> str:
        """What to do to one side, in words."""
        fast, _, times = self._pace
        pace = multiple(times)
        match self.reading, side == fast:
            case "steps-vs-epochs", True:
                return f"make {side} count epochs of {pace} steps"
            case "steps-vs-epochs", False:
                return f"make {side} count steps"
            case "gradient-accumulation", True:
                return f"make {side} count updates: step it once per update, or make its durations {pace} times as long"
            case "unconverted-rate", True:
                return f"convert the factor of {side} to one step, factor ** (1 / {pace})"
            case _, True:
                return f"step the scheduler of {side} once per update, or make its durations {pace} times as long"
        return f"make the durations of {side} {pace} times as short"

    def _accumulated(self, scene: Scene) -> dict[Language, str]:
        """The slow side's schedule for the fast one, which counts batches in Keras, and in PyTorch updates."""
        fast, slow, times = self._pace
        schedule, batches = scene.of(slow).schedule, int(times)

        def made(language: Language) -> str:
            if language == "PyTorch":
                code = "" if schedule is None else f"{written(schedule, language)}\n"
                return code + snippets.step_per_update(batches)
            if schedule is None:
                return snippets.slower(batches)
            if is_stairs(schedule):
                code = written(schedule, language, lambda duration: f"{duration.count} * accumulate")
                return f"accumulate = {batches}\n{code}"
            return f"{written(schedule, language)}\n\n{snippets.slower(batches)}"  # Keras asks at the last batch

        return scene.following(fast) if scene.of(fast).trainer else scene.coded(fast, made)

    def _slowed(self, scene: Scene) -> dict[Language, str]:
        """The fast side's own schedule, so many times as long, where that of the slow one is not known."""
        fast, _, times = self._pace
        inferred = scene.of(fast).inferred
        longer = (
            None if inferred is None else predict.lengthened(inferred.schedule, Fraction(times).limit_denominator(1000))
        )
        if inferred is not None and longer is not None:
            if self.reading == "unconverted-rate" and isinstance(inferred.schedule, ExponentialDecay):
                longer = inferred.schedule.model_copy(update={"every": Duration.parse(f"{int(times)} steps")})
            return scene.following(fast, self._stepped(scene, fast), replace(inferred, schedule=longer))
        pace = multiple(times)
        return scene.coded(fast, lambda name: snippets.slower(pace) if name == "Keras" else snippets.step_every(pace))


def _probed(
    pair: Pair, fast: Side, slow: Side, factors: list[int]
) -> tuple[list[float], list[tuple[Callable[..., Prediction], list[float]]]]:
    """Every way to be that many times as fast, with how far it lies from the rows that refute most."""
    ways = [partial(predict.quickened, pair.of(slow))]
    for endless in predict.beyond(pair.of(slow)):
        # Keras looks up the last of the batches that make an update
        ways += [partial(predict.quickened, endless), partial(_of_last_batch, endless)]
    slowed = pair.probed(slow, factors, partial(predict.slowed, pair.of(fast)))
    return slowed, [(way, pair.probed(fast, factors, way)) for way in ways]


def _of_last_batch(curve: Curve, factor: int | np.ndarray) -> Prediction:
    return predict.quickened(curve, factor, factor - 1)


def _scheduled_slower(pair: Pair, fast: Side, slow: Side, factor: int) -> Prediction | None:
    """A clock that runs slower, by the schedule where it is known: rows show every f-th step only."""
    base = pair.of(fast)
    longer = None if base.schedule is None else predict.lengthened(base.schedule, Fraction(factor))
    return None if longer is None else predict.scheduled(base, longer, pair.of(slow))


def _reading(pair: Pair, factor: float) -> Reading:
    """What a counter's factor most likely is."""
    whole = round(max(factor, 1 / factor))
    fast, slow = (pair.b, pair.a) if factor > 1 else (pair.a, pair.b)
    if _is_bare_factor(fast) and not (slow.is_stepwise or getattr(slow.schedule, "staircase", False)):
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
