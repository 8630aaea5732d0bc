"""The schedules of Hugging Face's transformers: its functions, what they give `LambdaLR`, and `TrainingArguments`.

The names and the arguments are those of ``transformers/optimization.py`` and ``transformers/training_args.py``.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from samestep.experiment.clock import Duration, Stepping
from samestep.experiment.schedules import (
    Constant,
    CosineCycles,
    CosineDecay,
    InverseSqrt,
    Linear,
    PolynomialDecay,
    Power,
    Schedule,
    Sequence,
    Shift,
    Warmup,
)
from samestep.experiment.schedules.base import tidy
from samestep.experiment.schedules.calls import DEPENDS_ON_LOSSES, Call, counted, number
from samestep.experiment.schedules.dialects.base import Dialect, Read, Words
from samestep.experiment.schedules.signatures import bound, hint

FUNCTIONS = {
    "get_constant_schedule": "optimizer, last_epoch=-1",
    "get_constant_schedule_with_warmup": "optimizer, num_warmup_steps, last_epoch=-1",
    "get_cosine_schedule_with_warmup": (
        "optimizer, num_warmup_steps, num_training_steps, num_cycles=0.5, last_epoch=-1"
    ),
    "get_cosine_with_hard_restarts_schedule_with_warmup": (
        "optimizer, num_warmup_steps, num_training_steps, num_cycles=1, last_epoch=-1"
    ),
    "get_cosine_with_min_lr_schedule_with_warmup": (
        "optimizer, num_warmup_steps, num_training_steps, num_cycles=0.5, last_epoch=-1, min_lr=None, min_lr_rate=None"
    ),
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate": (
        "optimizer, num_warmup_steps, num_training_steps, num_cycles=0.5, last_epoch=-1, min_lr=None, "
        "min_lr_rate=None, warmup_lr_rate=None"
    ),
    "get_inverse_sqrt_schedule": "optimizer, num_warmup_steps, timescale=None, last_epoch=-1",
    "get_linear_schedule_with_warmup": "optimizer, num_warmup_steps, num_training_steps, last_epoch=-1",
    "get_polynomial_decay_schedule_with_warmup": (
        "optimizer, num_warmup_steps, num_training_steps, lr_end=1e-07, power=1.0, last_epoch=-1"
    ),
    "get_scheduler": (
        "name, optimizer, num_warmup_steps=None, num_training_steps=None, scheduler_specific_kwargs=None"
    ),
    "get_wsd_schedule": (
        "optimizer, num_warmup_steps, num_decay_steps, num_training_steps=None, num_stable_steps=None, "
        "warmup_type='linear', decay_type='cosine', min_lr_ratio=0, num_cycles=0.5, last_epoch=-1"
    ),
}
"""The arguments of each function, as its documentation has them."""

BY_NAME = {
    "linear": "get_linear_schedule_with_warmup",
    "cosine": "get_cosine_schedule_with_warmup",
    "cosine_with_restarts": "get_cosine_with_hard_restarts_schedule_with_warmup",
    "polynomial": "get_polynomial_decay_schedule_with_warmup",
    "constant": "get_constant_schedule",
    "constant_with_warmup": "get_constant_schedule_with_warmup",
    "inverse_sqrt": "get_inverse_sqrt_schedule",
    "cosine_with_min_lr": "get_cosine_with_min_lr_schedule_with_warmup",
    "cosine_warmup_with_min_lr": "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "warmup_stable_decay": "get_wsd_schedule",
}
"""The function that `get_scheduler` calls for each name, and ``lr_scheduler_type`` with it."""

_OF_LOSSES = ("reduce_lr_on_plateau", "greedy")
_NEED_NO_TOTAL = ("constant", "constant_with_warmup", "inverse_sqrt")
_TAKE_NO_MORE = ("constant", "constant_with_warmup")


def called(function: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The function that makes the schedule: the one that `get_scheduler` calls by its name; with all its arguments.

    Args:
        function: The function that is called.
        given: Its arguments.

    Raises:
        ValueError: A name that `get_scheduler` does not know, or arguments that the function does not take.
    """
    if function != "get_scheduler":
        return function, given
    name = str(given["name"])
    if name in _OF_LOSSES:
        raise ValueError(DEPENDS_ON_LOSSES.format(name))
    if name not in BY_NAME:
        raise ValueError(f"get_scheduler has no schedule {name[:60]!r}. {hint(name, BY_NAME)}")
    own = {} if name in _TAKE_NO_MORE else dict(given["scheduler_specific_kwargs"] or {})
    if name != "constant":
        own["num_warmup_steps"] = given["num_warmup_steps"]
    if name not in _NEED_NO_TOTAL:
        own["num_training_steps"] = given["num_training_steps"]
    for key in ("num_warmup_steps", "num_training_steps"):
        if own.get(key, 0) is None and not (name == "warmup_stable_decay" and "num_stable_steps" in own):
            raise ValueError(f"get_scheduler: {key} is missing, which {name} needs. Add {key}=….")
    return BY_NAME[name], bound(BY_NAME[name], [given["optimizer"]], own, FUNCTIONS)


def from_transformers(call: Call, stepping: Stepping) -> Schedule:
    """Read a call of one of these functions, with all its arguments and the optimizer's rate.

    Raises:
        ValueError: The vocabulary can't say it.
    """
    lr = number("lr", call.base_lr)
    given = {"num_warmup_steps": 0, **_settled(dict(call.arguments), lr)}
    for key, value in given.items():
        if value is not None and key not in ("warmup_type", "decay_type"):
            number(key, value)
    return _FORMS[call.name](_Given(lr, stepping, given))


def of_partial(function: functools.partial[float], base_lr: float, stepping: Stepping) -> Schedule | None:
    """The schedule of what one of these functions gives `LambdaLR`; None for what is none of theirs.

    Raises:
        ValueError: The vocabulary can't say it.
    """
    form = _FORMS.get(_GIVEN_TO_LAMBDA_LR.get(getattr(function.func, "__name__", ""), ""))
    return None if form is None else form(_Given(base_lr, stepping, _settled(dict(function.keywords), base_lr)))


def _settled(given: dict[str, Any], lr: float) -> dict[str, Any]:
    """Arguments that follow from others, as the functions themselves work them out."""
    if "timescale" in given:
        given["timescale"] = given["timescale"] or given["num_warmup_steps"] or 10_000
    if given.get("min_lr") is not None:
        if given.get("min_lr_rate") is not None:
            raise ValueError("min_lr and min_lr_rate are both there. Keep one.")
        given["min_lr_rate"] = number("min_lr", given["min_lr"]) / lr
    elif "min_lr" in given and given["min_lr_rate"] is None:
        raise ValueError("min_lr is missing. Add min_lr=… or min_lr_rate=….")
    if "num_stable_steps" in given and given["num_stable_steps"] is None:
        if given["num_training_steps"] is None:
            raise ValueError("num_stable_steps is missing. Add num_training_steps=… or num_stable_steps=….")
        stable = given["num_training_steps"] - given["num_warmup_steps"] - given["num_decay_steps"]
        if stable < 0:
            raise ValueError(f"num_training_steps: got {given['num_training_steps']}, less than both ways take.")
        given["num_stable_steps"] = stable
    return given


class _Given:
    """What a function of transformers is given: lengths in counts, factors of the optimizer's rate."""

    def __init__(self, base_lr: float, stepping: Stepping, given: Mapping[str, Any]) -> None:
        self.base_lr, self.stepping, self.given = base_lr, stepping, given

    def __getitem__(self, key: str) -> Any:
        return self.given[key]

    def count(self, name: str, value: float) -> Duration:
        """A number of calls."""
        return counted(name, value, self.stepping)

    def rate(self, factor: float) -> float:
        """A factor of the optimizer's rate."""
        return tidy(self.base_lr * factor)

    @property
    def rest(self) -> float:
        """Calls after the warm-up."""
        total, warm = self["num_training_steps"], self["num_warmup_steps"]
        if total <= warm:
            raise ValueError(f"num_training_steps: got {total:g} with a warm-up of {warm:g}. Write more.")
        return float(total - warm)

    @property
    def over(self) -> Duration:
        """The same as a length."""
        return self.count("num_training_steps", self.rest)

    def half_cycle(self, length: float) -> Duration:
        """The length of half a cosine, of so many cycles in a length."""
        half = tidy(length / (2 * self["num_cycles"]))
        if half != int(half):
            raise ValueError(
                f"num_cycles: got {self['num_cycles']!r}, of which half a one takes {half:g} of {length:g} steps. "
                "samestep counts in whole steps; write a length that twice the cycles divide."
            )
        return self.count("num_cycles", half)

    def warmed_up(self, then: Schedule, low: float = 0.0) -> Schedule:
        """A schedule with the warm-up before it."""
        if not self["num_warmup_steps"]:
            return then
        over = self.count("num_warmup_steps", self["num_warmup_steps"])
        return Warmup(initial=self.rate(low), over=over, then=then)


def _constant(given: _Given) -> Schedule:
    return given.warmed_up(Constant(initial=given.base_lr))


def _linear(given: _Given) -> Schedule:
    return given.warmed_up(Linear(initial=given.base_lr, end=0.0, over=given.over))


def _cosine(given: _Given) -> Schedule:
    """It rises again after its end: nothing clips its progress."""
    floor, over = given.rate(given.given.get("min_lr_rate", 0.0)), given.half_cycle(given.rest)
    return given.warmed_up(CosineDecay(initial=given.base_lr, floor=floor, over=over, after="rise"))


def _cosine_a_step_late(given: _Given) -> Schedule:
    """The warm-up ends at the last of its steps, and the cosine begins there."""
    warm, low = given["num_warmup_steps"], given["warmup_lr_rate"]
    floor, over = given.rate(given["min_lr_rate"]), given.half_cycle(given.rest)
    then = CosineDecay(initial=given.base_lr, floor=floor, over=over, after="rise")
    step = given.count("num_warmup_steps", 1)
    if warm == 0:
        return Shift(of=then, early=step)
    if warm == 1:
        return then if low is None else Warmup(initial=given.rate(low), over=step, then=then, overlaps=True)
    initial = given.rate(1 / warm if low is None else low)
    return Warmup(initial=initial, over=given.count("num_warmup_steps", warm - 1), then=then)


def _restarts(given: _Given) -> Schedule:
    over, cycles = given.over, float(given["num_cycles"])
    if cycles == 1:
        return given.warmed_up(CosineDecay(initial=given.base_lr, floor=0.0, over=over, after="hold"))
    return given.warmed_up(CosineCycles(initial=given.base_lr, floor=0.0, over=over, cycles=cycles))


def _polynomial(given: _Given) -> Schedule:
    end, power = given.rate(given["lr_end"] / given.given.get("lr_init", given.base_lr)), float(given["power"])
    if power == 1:
        return given.warmed_up(Linear(initial=given.base_lr, end=end, over=given.over))
    return given.warmed_up(PolynomialDecay(initial=given.base_lr, end=end, power=power, over=given.over, cycle=False))


def _inverse_sqrt(given: _Given) -> Schedule:
    timescale = given.count("timescale", given["timescale"])
    return given.warmed_up(InverseSqrt(initial=given.base_lr, timescale=timescale))


def _stable_decay(given: _Given) -> Schedule:
    low, length = given["min_lr_ratio"], given["num_decay_steps"]
    then = _way_down(given, given.rate(low), given.count("num_decay_steps", length))
    if stable := given["num_stable_steps"]:
        until = given.count("num_stable_steps", stable)
        then = Sequence(schedules=(Constant(initial=given.base_lr), then), milestones=(until,))
    warmed = given.warmed_up(then, low)
    if isinstance(warmed, Warmup) and given["warmup_type"] == "cosine":
        return warmed.model_copy(update={"curve": "cosine"})
    if isinstance(warmed, Warmup) and given["warmup_type"] != "linear":
        raise ValueError(f"warmup_type: got {given['warmup_type']!r}. samestep reads linear and cosine; write one.")
    return warmed


def _way_down(given: _Given, end: float, over: Duration) -> Schedule:
    """The decay of a warm-up, stable, decay."""
    match given["decay_type"]:
        case "linear":
            return Linear(initial=given.base_lr, end=end, over=over)
        case "1-sqrt":
            return Power(initial=given.base_lr, end=end, power=0.5, over=over)
        case "cosine" if given["num_cycles"] == 0.5:
            return CosineDecay(initial=given.base_lr, floor=end, over=over, after="hold")
        case "cosine":
            raise ValueError(f"num_cycles: got {given['num_cycles']!r}. samestep reads half a cycle; write 0.5.")
    raise ValueError(f"decay_type: got {given['decay_type']!r}. Write linear, cosine or 1-sqrt.")


_FORMS: Mapping[str, Callable[[_Given], Schedule]] = {
    "get_constant_schedule": _constant,
    "get_constant_schedule_with_warmup": _constant,
    "get_linear_schedule_with_warmup": _linear,
    "get_cosine_schedule_with_warmup": _cosine,
    "get_cosine_with_min_lr_schedule_with_warmup": _cosine,
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate": _cosine_a_step_late,
    "get_cosine_with_hard_restarts_schedule_with_warmup": _restarts,
    "get_polynomial_decay_schedule_with_warmup": _polynomial,
    "get_inverse_sqrt_schedule": _inverse_sqrt,
    "get_wsd_schedule": _stable_decay,
}

_GIVEN_TO_LAMBDA_LR = {
    "_get_constant_schedule_with_warmup_lr_lambda": "get_constant_schedule_with_warmup",
    "_get_linear_schedule_with_warmup_lr_lambda": "get_linear_schedule_with_warmup",
    "_get_cosine_schedule_with_warmup_lr_lambda": "get_cosine_schedule_with_warmup",
    "_get_cosine_with_min_lr_schedule_with_warmup_lr_rate_lambda": (
        "get_cosine_with_min_lr_schedule_with_warmup_lr_rate"
    ),
    "_get_cosine_with_hard_restarts_schedule_with_warmup_lr_lambda": (
        "get_cosine_with_hard_restarts_schedule_with_warmup"
    ),
    "_get_polynomial_decay_schedule_with_warmup_lr_lambda": "get_polynomial_decay_schedule_with_warmup",
    "_get_inverse_sqrt_schedule_lr_lambda": "get_inverse_sqrt_schedule",
    "_get_wsd_scheduler_lambda": "get_wsd_schedule",
}
"""What each function gives `LambdaLR`, by its name."""

ARGUMENTS = ("lr_scheduler_type", "num_train_epochs", "warmup_ratio", "lr_scheduler_kwargs")
"""Names of `TrainingArguments` that speak of a schedule."""


def is_written(values: Mapping[str, Any]) -> bool:
    """Whether they are `TrainingArguments`, and not the state of a run."""
    return "log_history" not in values and any(name in values for name in ARGUMENTS)


def read(words: Words) -> Read:
    """Read `TrainingArguments`.

    Trainer looks up the rate before every update. A ratio of the run is rounded up to whole steps, and so are the
    epochs of a run.

    Raises:
        ValueError: The length of the run or the rate is not known, or the vocabulary can't say the schedule.
    """
    if words.stepping == "epoch":
        raise ValueError("Trainer steps its scheduler after each update. Leave out --stepping epoch.")
    lr = words.number("learning_rate", 5e-5)
    if "learning_rate" not in words:
        words.assumed.append("learning_rate was not given: 5e-05, as TrainingArguments has it.")
    name = str(words.values.get("lr_scheduler_type") or "linear").rpartition(".")[2].lower()
    total = _total(words)
    given = {
        "name": name,
        "optimizer": None,
        "num_warmup_steps": _warm(words, total),
        "num_training_steps": total,
        "scheduler_specific_kwargs": _more(words),
    }
    function, arguments = called("get_scheduler", given)
    schedule = from_transformers(Call(function, arguments, base_lr=lr), "step")
    return schedule, tuple(words.assumed)


def _total(words: Words) -> int:
    """Updates of the run."""
    if "max_steps" in words and words.number("max_steps", least=-1) > 0:
        return words.whole("max_steps")
    epochs = words.number("num_train_epochs", 3.0)
    accumulated, clock = words.whole("gradient_accumulation_steps", 1, least=1), words.clock
    if clock is not None and clock.batch_size > 1 and clock.accumulate != accumulated:
        raise ValueError(
            f"gradient_accumulation_steps is {accumulated}, and --accumulate {clock.accumulate}. "
            f"Write --accumulate {accumulated}."
        )
    if clock is None:
        raise ValueError(
            f"num_train_epochs is {epochs:g}, and the updates of an epoch are not known. Add --samples and "
            "--batch-size (of all processes), and --accumulate; or max_steps."
        )
    if "num_train_epochs" not in words:
        words.assumed.append("num_train_epochs was not given: 3, as TrainingArguments has it.")
    return math.ceil(epochs * clock.steps_per_epoch)


def _warm(words: Words, total: int) -> int:
    """Steps of the warm-up: a number of them, or a part of the run, which is less than 1."""
    ratio, steps = words.number("warmup_ratio", 0.0), words.number("warmup_steps", 0.0)
    if ratio and steps:
        raise ValueError(f"warmup_ratio {ratio:g} and warmup_steps {steps:g} are both there. Keep one.")
    if ratio > 1:
        raise ValueError(f"warmup_ratio: got {ratio:g}. Write a part of the run, at most 1.")
    return int(steps) if steps >= 1 else math.ceil(total * (ratio or steps))


def _more(words: Words) -> Mapping[str, Any]:
    held = words.values.get("lr_scheduler_kwargs") or {}
    try:
        held = json.loads(held) if isinstance(held, str) else held
    except ValueError:
        held = None
    if not isinstance(held, Mapping):
        raise ValueError(f"lr_scheduler_kwargs: got {words.values['lr_scheduler_kwargs']!r:.60}. Write a JSON object.")
    return held


TRANSFORMERS = Dialect(
    name="transformers",
    held_against="transformers 5",
    is_written=is_written,
    read=read,
    example="lr_scheduler_type=cosine,learning_rate=5e-5,warmup_ratio=0.1,max_steps=1000",
    names=(*ARGUMENTS, "learning_rate", "warmup_steps", "max_steps", "gradient_accumulation_steps"),
    functions=FUNCTIONS,
    called=called,
    read_call=from_transformers,
)
