"""A schedule as an expression of the step, for kinds that a framework has no class for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from samestep.experiment.clock import Clock, Duration
from samestep.experiment.schedules import (
    Clip,
    Constant,
    CosineCycles,
    CosineDecay,
    ExponentialDecay,
    InverseSqrt,
    Linear,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    Power,
    Schedule,
    Shift,
    Warmup,
)
from samestep.experiment.schedules import Sequence as SequenceSchedule

from ..terms import Language

Count = Callable[[Duration], str]
"""How a duration is written."""


class NoFormulaError(ValueError):
    """A kind of schedule that has no expression here."""


@dataclass(frozen=True)
class _Words:
    """What a language calls a function; `choice` has a place for a condition, and for either case."""

    cos: str
    log: str
    least: str
    most: str
    floor: str
    choice: str


WORDS: dict[Language, _Words] = {
    "PyTorch": _Words("math.cos", "math.log", "min", "max", "math.floor", "({1} if {0}\n            else {2})"),
    "Keras": _Words(
        "keras.ops.cos", "keras.ops.log", "keras.ops.minimum", "keras.ops.maximum", "keras.ops.floor",
        "keras.ops.where({0}, {1},\n            {2})",
    ),
}  # fmt: skip


def formula(schedule: Schedule, language: Language, count: Count, n: str = "n") -> str:
    """The rate at step `n`. Raises NoFormulaError for a kind that has none."""
    return _Formula(WORDS[language], count).of(schedule, n)


@dataclass(frozen=True)
class _Formula:
    words: _Words
    count: Count

    def of(self, schedule: Schedule, n: str) -> str:
        match schedule:
            case Clip():
                return f"{self.words.most}({self.of(schedule.of, n)}, {schedule.lowest!r})"
            case Shift():
                if schedule.early is not None:
                    return self.of(schedule.of, f"({n} + {self.count(schedule.early)})")
                late = "" if schedule.late is None else self.count(schedule.late)
                return self.of(schedule.of, f"{self.words.most}({n} - {late}, 0)")
            case Warmup():
                then = n if schedule.overlaps else self._late(n, schedule.over)
                return self._in_turn([schedule.over], [self._way_up(schedule, n), self.of(schedule.then, then)], n)
            case SequenceSchedule():
                starts = [n, *(self._late(n, start) for start in schedule.milestones)]
                parts = [self.of(part, start) for part, start in zip(schedule.schedules, starts, strict=True)]
                return self._in_turn(schedule.milestones, parts, n)
            case OneCycle():
                return self._one_cycle(schedule, n)
        return self._simple(schedule, n)

    def _simple(self, schedule: Schedule, n: str) -> str:
        match schedule:
            case Constant():
                return repr(schedule.initial)
            case Linear():
                return self._between(schedule.initial, schedule.end, self._part(schedule.over, n))
            case PolynomialDecay(cycle=False):
                left = f"(1 - {self._part(schedule.over, n)}) ** {schedule.power!r}"
                return self._between(schedule.end, schedule.initial, left)
            case Power():
                part = f"{self._part(schedule.over, n)} ** {schedule.power!r}"
                return self._between(schedule.initial, schedule.end, part)
            case CosineDecay():
                part = (
                    self._part(schedule.over, n) if schedule.after == "hold" else f"{n} / {self._count(schedule.over)}"
                )
                return self._between(schedule.floor, schedule.initial, self._half_cosine(part))
            case CosineCycles():
                over = self._count(schedule.over)
                cosine = self._half_cosine(f"({schedule.cycles!r} * {n} / {over} % 1)")
                rate = self._between(schedule.floor, schedule.initial, cosine)
                return self._chosen([f"{n} < {over}"], [rate, repr(schedule.floor)])
            case ExponentialDecay():
                part = f"{n} / {self._count(schedule.every)}"
                part = f"{self.words.floor}({part})" if schedule.staircase else f"({part})"
                return f"{schedule.initial!r} * {schedule.factor!r} ** {part}"
            case InverseSqrt():
                over = self._count(schedule.timescale)
                return f"{schedule.initial!r} * ({over} / ({n} + {over})) ** {schedule.power!r}"
            case PiecewiseConstant():
                return self._in_turn(schedule.boundaries, [repr(value) for value in schedule.values], n)
        raise NoFormulaError(schedule.kind)

    def _way_up(self, schedule: Warmup, n: str) -> str:
        part = f"{n} / {self._count(schedule.over)}"
        if schedule.curve == "logarithm":
            part = f"{self.words.log}({n} + 1) / math.log({self.count(schedule.over)})"
        elif schedule.curve == "cosine":
            part = f"(1 - {self.words.cos}(math.pi * {part})) / 2"
        return self._between(schedule.initial, schedule.target(Clock.STEPS), part)

    def _one_cycle(self, schedule: OneCycle, n: str) -> str:
        phases = schedule.phases(Clock.STEPS)
        parts = []
        for begin, (end, low, high) in zip([0.0, *(end for end, _, _ in phases)], phases, strict=False):
            part = f"{self.words.least}(({n} - {begin:.12g}) / {end - begin:.12g}, 1)" if begin else f"{n} / {end:.12g}"
            part = part if schedule.anneal_strategy == "linear" else f"(1 - {self.words.cos}(math.pi * {part})) / 2"
            parts.append(self._between(low, high, part))
        return self._chosen([f"{n} <= {end:.12g}" for end, _, _ in phases[:-1]], parts)

    def _between(self, low: float, high: float, part: str) -> str:
        """From one rate to another; `part` is of the way."""
        if not low:
            return f"{high!r} * {part}"
        if not high:
            return f"{low!r} * (1 - {part})"
        return f"{low!r} + ({high!r} - {low!r}) * {part}"

    def _half_cosine(self, part: str) -> str:
        return f"(1 + {self.words.cos}(math.pi * {part})) / 2"

    def _part(self, over: Duration, n: str) -> str:
        return f"{self.words.least}({n} / {self._count(over)}, 1.0)"

    def _count(self, duration: Duration) -> str:
        """A duration to divide by."""
        code = self.count(duration)
        return code if code.isdigit() else f"({code})"

    def _late(self, n: str, start: Duration) -> str:
        return f"({n} - {self.count(start)})"

    def _in_turn(self, starts: Sequence[Duration], parts: list[str], n: str) -> str:
        return self._chosen([f"{n} < {self.count(start)}" for start in starts], parts)

    def _chosen(self, conditions: list[str], parts: list[str]) -> str:
        *before, chosen = parts
        for condition, part in zip(reversed(conditions), reversed(before), strict=True):
            chosen = self.words.choice.format(condition, part, chosen)
        return chosen


def in_torch(schedule: Schedule, count: Count, step: str = "n") -> str:
    """`LambdaLR` over the expression, at `step` of its calls n. Raises NoFormulaError for a kind that has none."""
    rate, base_lr = formula(schedule, "PyTorch", count), schedule.base_lr
    needed = "import math\n\n" if "math." in rate else ""
    return (
        f"{needed}def rate(n):\n    return {rate}\n\n"
        f"scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: rate({step}) / {base_lr!r})"
    )


def in_keras(name: str, schedule: Schedule, count: Count) -> str:
    """A schedule of Keras that looks the expression up. Raises NoFormulaError for a kind that has none."""
    rate = formula(schedule, "Keras", count)
    needed = "import math\n\n" if "math." in rate else ""
    kind = name.title().replace("_", "")
    return (
        f"{needed}class {kind}(keras.optimizers.schedules.LearningRateSchedule):\n    def __call__(self, step):\n"
        f'        n = keras.ops.cast(step, "float32")\n        return {rate}\n\n{name} = {kind}()'
    )
