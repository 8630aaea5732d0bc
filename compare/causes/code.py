"""A schedule in a line or two of either framework, to be pasted: what a fix is made of.

`samestep translate` writes whole programs, with proof, in a process of the framework. This writes what the framework's
documentation would: a constructor. A schedule that has none is left to `translate`, and the lines say so.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from samestep.experiment.clock import Clock, Duration, Stepping
from samestep.experiment.schedules import Constant, PiecewiseConstant, Schedule, Warmup
from samestep.experiment.schedules.calls import Call, Calls, Expression, grouped, torch_call
from samestep.experiment.schedules.text import to_short

from ..infer import Inferred
from ..refute import predict
from ..refute.estimate import is_plain
from ..terms import Language
from . import snippets
from .formula import NoFormulaError, in_keras, in_torch

MOST_BOUNDARIES = 8
"""Boundaries of a schedule that one or two lines hold."""

UNNAMED = ("initial_learning_rate", "boundaries", "values", "schedulers", "lr_lambda")
"""Arguments that a person writes without their names."""

UNDERSTOOD = {
    "three_phase": False,
    "anneal_strategy": "cos",
    "staircase": False,
    "cycle": False,
    "power": 1.0,
    "end_factor": 1.0,
    "total_iters": 0,
}
"""Arguments that say what would be so without them."""

WARMUP = """class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, first, steps, then):
        self.first, self.steps, self.then = first, steps, then

    def __call__(self, step):
        step = keras.ops.cast(step, "float32")
        line = self.first + (self.then(0) - self.first) * step / self.steps
        return keras.ops.where(step < self.steps, line, self.then(keras.ops.maximum(step - self.steps, 0.0)))"""

Writer = Callable[[Duration], str]
"""How a duration is written as a count: ``25 * steps_per_epoch``."""


def plain(duration: Duration) -> str:
    """The number of steps alone."""
    return str(duration.count)


def in_epochs(steps_per_epoch: int) -> Writer:
    """Whole epochs as a product with `steps_per_epoch`, other durations as they are."""

    def count(duration: Duration) -> str:
        epochs, rest = divmod(int(duration.count), steps_per_epoch) if steps_per_epoch > 1 else (0, 1)
        return f"{epochs} * steps_per_epoch" if epochs and not rest else str(duration.count)

    return count


def written(schedule: Schedule, language: Language, count: Writer = plain, stepped: str = "") -> str:
    """The code of a schedule: defines `learning_rate` for Keras, `scheduler` for PyTorch.

    count : writes its durations. stepped : after what PyTorch's scheduler is stepped, for a comment.
    """
    counts = _Counts(Clock(1, 1), "step", count)
    code = _keras("learning_rate", schedule, counts) if language == "Keras" else _torch(schedule, counts, stepped)
    return code or _left_to_translate(schedule, language)


def followed(inferred: Inferred, language: Language, steps_per_epoch: int, in_loop: Stepping | None = None) -> str:
    """The code of what a run follows, looked up as often as it is.

    steps_per_epoch : 0 where it is not known. in_loop : after what PyTorch's scheduler is stepped, to be shown; epochs
    where the schedule may be counted in them.
    """
    schedule = inferred.schedule
    if inferred.stepping == "epoch":
        return _per_epoch(schedule, language, inferred.steps_per_epoch)
    shown = in_loop is not None and language == "PyTorch" and not isinstance(schedule, Constant)
    if shown and in_loop == "epoch" and changes_by_epoch(schedule, steps_per_epoch):
        return _per_epoch(schedule, language, steps_per_epoch)
    code = written(schedule, language, in_epochs(steps_per_epoch), "" if shown else "update")
    code = f"{code}\n{snippets.STEP_PER_UPDATE}" if shown and defines(code) else code
    return f"steps_per_epoch = {steps_per_epoch}\n{code}" if "steps_per_epoch" in code else code


def in_whole_epochs(schedule: Schedule, steps_per_epoch: int) -> Schedule | None:
    """The same with its durations in epochs, as a scheduler that is stepped after each counts; None where it cannot."""
    return predict.lengthened(schedule, Fraction(1, steps_per_epoch)) if schedule.stretches else None


def is_stairs(schedule: Schedule) -> bool:
    """Whether a schedule only changes at its durations."""
    return isinstance(schedule, PiecewiseConstant) or bool(getattr(schedule, "staircase", False))


def changes_by_epoch(schedule: Schedule, steps_per_epoch: int) -> bool:
    """Whether a schedule only changes where epochs begin, so that a scheduler stepped after each gives its rates."""
    return steps_per_epoch > 1 and is_stairs(schedule) and in_whole_epochs(schedule, steps_per_epoch) is not None


def defines(code: str) -> bool:
    """Whether code does something: all of it may be a comment, on whom to ask for it."""
    return any(line and not line.startswith("#") for line in code.splitlines())


def _per_epoch(schedule: Schedule, language: Language, steps_per_epoch: int) -> str:
    """The code of a schedule that is looked up once per epoch."""
    if language == "PyTorch" and (counted := in_whole_epochs(schedule, steps_per_epoch)) is not None:
        code = written(counted, language)
        return f"{code}\n{snippets.STEP_PER_EPOCH}" if defines(code) else code
    if language == "PyTorch":
        code = _by_formula(schedule, lambda: in_torch(schedule, plain, f"n * {steps_per_epoch}")) or ""
        made = f"# the optimizer is made with lr={schedule.base_lr!r}\n{code}\n{snippets.STEP_PER_EPOCH}"
    else:
        code = written(schedule, language)
        made = f"steps_per_epoch = {steps_per_epoch}\n{code}\n{snippets.PER_EPOCH}"
    options = f" --stepping epoch --samples {steps_per_epoch} --batch-size 1"
    return made if defines(code) else _left_to_translate(schedule, language, options)


@dataclass(frozen=True)
class _Counts(Calls):
    """Durations in steps, as a person writes them."""

    write: Writer

    def __call__(self, duration: Duration) -> Expression:
        return Expression(self.write(duration), int(duration.count))

    def first(self, duration: Duration) -> Expression:
        return self(duration)

    def root(self, factor: float, duration: Duration) -> float | Expression:
        every = grouped(self(duration))
        return factor if every == "1" else Expression(f"{factor!r} ** (1 / {every})", math.nan)


def _keras(name: str, schedule: Schedule, counts: _Counts) -> str | None:
    if isinstance(schedule, Constant):
        return f"{name} = {schedule.initial!r}"
    if isinstance(schedule, Warmup) and schedule.is_line_before and isinstance(schedule.then, Constant):
        schedule = schedule.line(counts.clock)
    call = schedule.keras(counts)
    if not call.is_stand_in:
        return f"{name} = {_line(call)}" if is_plain(schedule, MOST_BOUNDARIES) else None
    if not isinstance(schedule, Warmup) or not schedule.is_line_before or isinstance(schedule.then, Warmup):
        return _by_formula(schedule, lambda: in_keras(name, schedule, counts.write))
    after = _keras("after", schedule.then, counts)
    return after and f"{WARMUP}\n\n{after}\n{name} = Warmup({schedule.initial!r}, {counts(schedule.over).code}, after)"


def _torch(schedule: Schedule, counts: _Counts, stepped: str) -> str | None:
    parts: dict[str, Call | None]
    if isinstance(schedule, Warmup) and schedule.is_line_before:
        target = schedule.target(counts.clock)
        line = _torch_call(schedule.line(counts.clock), counts, target)
        then = None if schedule.then.ALONE else _torch_call(schedule.then, counts, target)
        names, over = [Expression("warmup", math.nan), Expression("after", math.nan)], counts(schedule.over)
        scheduler = torch_call("SequentialLR", target, schedulers=names, milestones=[over])
        parts = {"warmup": line, "after": then, "scheduler": scheduler}
    else:
        parts = {"scheduler": _torch_call(schedule, counts)}
    calls = {name: call for name, call in parts.items() if call is not None}
    when = f"; the scheduler is stepped after each {stepped}" if stepped and not isinstance(schedule, Constant) else ""
    if len(calls) < len(parts):
        code = _by_formula(schedule, lambda: in_torch(schedule, counts.write))
        return code and f"# the optimizer is made with lr={schedule.base_lr!r}{when}\n{code}"
    lines = [f"# the optimizer is made with lr={calls['scheduler'].base_lr!r}{when}"]
    if any("math." in _line(call) for call in calls.values()):
        lines += ["import math", ""]
    for name, call in calls.items():
        comment = [f"# {call.note}"] if call.note and call.short_name == "LambdaLR" else []
        lines += [*comment, f"{name} = {_line(call)}"]
    return "\n".join(lines)


def _torch_call(schedule: Schedule, counts: _Counts, base_lr: float | None = None) -> Call | None:
    """PyTorch's class, or a function in a line; for an optimizer made with `base_lr`."""
    calls = (schedule.torch(counts), schedule.in_a_line(counts)) if is_plain(schedule, MOST_BOUNDARIES) else ()
    fits = (call for call in calls if call and not call.is_stand_in and base_lr in (None, call.base_lr))
    return next(fits, None)


def _by_formula(schedule: Schedule, make: Callable[[], str]) -> str | None:
    """The code of a function of the step, where a person would read it."""
    if sum(1 for _ in schedule.durations()) > MOST_BOUNDARIES:
        return None
    try:
        return make()
    except NoFormulaError:
        return None


def _line(value: Any) -> str:
    """A value as Python code in one line, without what is understood."""
    if isinstance(value, Expression):
        return value.code
    if isinstance(value, list):
        return f"[{', '.join(map(_line, value))}]"
    if not isinstance(value, Call):
        return repr(value)
    given = [
        _line(each) if name in UNNAMED else f"{name}={_line(each)}"
        for name, each in value.arguments.items()
        if name not in UNDERSTOOD or each != UNDERSTOOD[name]
    ]
    return f"{value.name}({', '.join([*value.first, *given])})"


def _left_to_translate(schedule: Schedule, language: Language, options: str = "") -> str:
    text = to_short(schedule)
    asked = shlex.quote(text) if len(text) <= 200 else "schedule.json"
    to = "keras" if language == "Keras" else "torch"
    command = f"samestep translate {asked} --to {to}{options}"
    return f"# {language} has no class for this schedule. Have one written:\n# {command}"
