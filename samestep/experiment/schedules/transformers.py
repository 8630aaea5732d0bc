"""The schedules of Hugging Face's transformers, which are functions: by their calls, and by what they give `LambdaLR`.

Held against transformers 5; the names and the arguments are those of ``transformers/optimization.py``.
"""

from __future__ import annotations

import functools
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
from samestep.experiment.schedules.signatures import bound, hint

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


def called_by_name(given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The function that `get_scheduler` calls, and all its arguments.

    Args:
        given: The arguments of `get_scheduler`.

    Raises:
        ValueError: A name that it does not know, or arguments that the function does not take.
    """
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
    return BY_NAME[name], bound(BY_NAME[name], [given["optimizer"]], own)


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
