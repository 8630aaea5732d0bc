"""A schedule as a trainer takes it, which makes the optimizer and steps the scheduler itself."""

from __future__ import annotations

from typing import Any

from samestep.experiment.clock import Duration
from samestep.experiment.schedules import (
    Constant,
    CosineCycles,
    CosineDecay,
    InverseSqrt,
    Linear,
    PolynomialDecay,
    Schedule,
    Warmup,
)

from ..infer import Inferred
from . import snippets
from .code import defines, followed
from .snippets import Trainer

TRAINERS: dict[str, Trainer] = {
    "lightning": "lightning",
    "hugging-face": "hugging-face",
    "trainer-output": "hugging-face",
    "llama-factory": "hugging-face",
}
"""The trainer that writes a log, by what the column `framework` says."""


def in_trainer(inferred: Inferred, trainer: Trainer, last: int) -> str:
    """The code that gives a run the schedule; `last` is its last step."""
    if trainer == "hugging-face" and (arguments := _arguments(inferred, last)) is not None:
        return f"args = transformers.TrainingArguments({arguments})"
    code = followed(inferred, "PyTorch", 0)
    interval = "epoch" if snippets.STEP_PER_EPOCH in code else "step"
    code = code.replace(f"\n{snippets.STEP_PER_EPOCH}", "").replace("; the scheduler is stepped after each update", "")
    if not defines(code):
        return code
    if trainer == "lightning":
        return (
            f"# in configure_optimizers\n{code}\n"
            f'lr_scheduler_config = {{"scheduler": scheduler, "interval": "{interval}"}}\n'
            '# return {"optimizer": optimizer, "lr_scheduler": lr_scheduler_config}'
        )
    if interval == "epoch":
        return ""  # it steps each scheduler once for each update
    return f"{code}\n# Trainer(..., optimizers=(optimizer, scheduler)) steps it after each update"


def _arguments(inferred: Inferred, last: int) -> str | None:
    """Arguments of `TrainingArguments`; None for what none of its schedules is."""
    schedule = inferred.schedule
    if isinstance(schedule, Linear) and schedule.end > schedule.initial:
        schedule = Warmup(initial=schedule.initial, over=schedule.over, then=Constant(initial=schedule.end))
    warm, then = (schedule.over, schedule.then) if isinstance(schedule, Warmup) else (None, schedule)
    if inferred.stepping == "epoch" or (isinstance(schedule, Warmup) and not _is_from_zero(schedule)):
        return None
    before = 0 if warm is None else int(warm.count)
    told = _kind(then, before)
    if told is None:
        return None
    kind, over, more = told
    given: dict[str, Any] = {"learning_rate": then.base_lr, "lr_scheduler_type": kind}
    if kind != "constant":
        given["warmup_steps"] = before
    if over is not None:
        given["max_steps"] = before + int(over.count)
        if given["max_steps"] < last:
            return None  # the run is longer than its schedule, which Trainer's never are
    if more:
        given["lr_scheduler_kwargs"] = more
    return ", ".join(f"{name}={value!r}" for name, value in given.items())


def _is_from_zero(schedule: Warmup) -> bool:
    return schedule.is_line_before and not schedule.initial


def _kind(then: Schedule, before: int) -> tuple[str, Duration | None, dict[str, float]] | None:
    """The name of what follows a warm-up, how long it lasts, and its own arguments."""
    match then:
        case Constant():
            return ("constant_with_warmup" if before else "constant"), None, {}
        case Linear(end=0.0) | PolynomialDecay(end=0.0, power=1.0, cycle=False):
            return "linear", then.over, {}
        case Linear() if then.end < then.initial:
            return "polynomial", then.over, {"lr_end": then.end, "power": 1.0}
        case PolynomialDecay(cycle=False) if then.end < then.initial:
            return "polynomial", then.over, {"lr_end": then.end, "power": then.power}
        case CosineCycles(floor=0.0):
            return "cosine_with_restarts", then.over, {"num_cycles": then.cycles}
        case CosineDecay(floor=0.0):
            return "cosine", then.over, {}
        case CosineDecay():
            return "cosine_with_min_lr", then.over, {"min_lr": then.floor}
        case InverseSqrt(power=0.5):
            return "inverse_sqrt", None, {"timescale": int(then.timescale.count)}
    return None
