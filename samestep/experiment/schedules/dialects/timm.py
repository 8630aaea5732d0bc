"""The schedules of timm: the arguments of its training script, as flags or as the ``args.yaml`` of a run.

timm asks its schedule once per epoch, and with ``sched_on_updates`` before every update. Its warm-up lies over the
beginning of the schedule; with ``warmup_prefix`` it comes before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from samestep.experiment.clock import Duration
from samestep.experiment.schedules import (
    Constant,
    CosineDecay,
    Curve,
    ExponentialDecay,
    Linear,
    PiecewiseConstant,
    PolynomialDecay,
    Power,
    Schedule,
    Sequence,
    Warmup,
)
from samestep.experiment.schedules.base import tidy
from samestep.experiment.schedules.calls import DEPENDS_ON_LOSSES, number
from samestep.experiment.schedules.dialects.base import Dialect, Read, Words, lasting

DEFAULTS = {
    "epochs": 300,
    "warmup_epochs": 5,
    "warmup_lr": 1e-5,
    "min_lr": 0.0,
    "decay_rate": 0.1,
    "lr_cycle_mul": 1.0,
    "lr_cycle_decay": 0.5,
}
"""What timm's ``train.py`` takes for an argument that is left out."""

MOST_CYCLES = 100


def is_written(values: Mapping[str, Any]) -> bool:
    """Whether they name a schedule as timm does."""
    return "sched" in values


def read(words: Words) -> Read:
    """Read the arguments.

    Raises:
        ValueError: A schedule that timm has not, or one that the vocabulary can't say.
    """
    kind = words.word("sched", (*_FORMS, "plateau", "rsqrt", "none"), "cosine")
    if kind == "plateau":
        raise ValueError(DEPENDS_ON_LOSSES.format("timm's plateau"))
    if kind == "rsqrt":
        raise ValueError("sched: samestep has no word for timm's rsqrt. Record a run and compare its trace.")
    if "lr_noise" in words:
        raise ValueError("lr_noise: a rate with noise follows no schedule. Leave it out, or record a run.")
    if "lr" not in words:
        raise ValueError("lr is missing; timm works it out from the batch. Add the rate that it printed, like lr=0.5.")
    if not words.number("lr"):
        raise ValueError("lr: got 0. Write a number above 0.")
    per_update = words.flag("sched_on_updates")
    if kind not in ("none", "constant") and per_update != (words.stepping == "step"):
        add = "Leave out --stepping epoch" if per_update else "Add --stepping epoch, or sched_on_updates=true"
        often = "before every update" if per_update else "once per epoch"
        raise ValueError(f"the rate of this schedule is looked up {often}. {add}.")
    asked = _Arguments(words)
    schedule = Constant(initial=asked.lr) if kind == "none" else _FORMS[kind](asked)
    return schedule, tuple(dict.fromkeys(words.assumed))


class _Arguments:
    """Lengths in epochs, and rates."""

    def __init__(self, words: Words) -> None:
        self.words, self.lr = words, words.number("lr")

    def __getitem__(self, name: str) -> float:
        if name not in self.words:
            self.words.assumed.append(f"{name} was not given: {DEFAULTS[name]:g}, as timm's train.py has it.")
        return self.words.number(name, DEFAULTS[name])

    def lasts(self, name: str, count: float) -> Duration:
        """A number of epochs."""
        return lasting(name, count, "epochs")

    @property
    def k_decay(self) -> float:
        """The power of the part that is done, 1 for most."""
        return self.words.number("lr_k_decay", 1.0)

    @property
    def over(self) -> Duration:
        """The whole schedule, or one cycle of it."""
        return self.lasts("epochs", self["epochs"])

    def warmed_up(self, then: Schedule, is_before: bool | None = None) -> Schedule:
        """A schedule with its warm-up."""
        if not (count := self["warmup_epochs"]):
            return then
        before = self.words.flag("warmup_prefix") if is_before is None else is_before
        return Warmup(
            initial=self["warmup_lr"], over=self.lasts("warmup_epochs", count), then=then, overlaps=not before
        )


def _cycles(asked: _Arguments, make: Callable[[float, float, Duration], Schedule]) -> Schedule:
    """As many cycles as there are, each lower and longer than the one before."""
    limit = asked.words.whole("lr_cycle_limit", 1, least=1)
    if limit > MOST_CYCLES:
        raise ValueError(f"lr_cycle_limit: got {limit}. Write at most {MOST_CYCLES}.")
    low = asked["min_lr"]
    if limit == 1:
        return make(asked.lr, low, asked.over)
    decay, longer, length = asked["lr_cycle_decay"], asked["lr_cycle_mul"], asked["epochs"]
    if longer <= 0 or decay <= 0:
        raise ValueError("lr_cycle_mul and lr_cycle_decay: got 0. Write numbers above 0.")
    lengths = [tidy(length * longer**index) for index in range(limit)]
    parts = [
        make(tidy(asked.lr * decay**index), low, asked.lasts("lr_cycle_mul", each))
        for index, each in enumerate(lengths)
    ]
    ends = [asked.lasts("lr_cycle_mul", tidy(sum(lengths[: index + 1]))) for index in range(limit - 1)]
    return Sequence(schedules=tuple(parts), milestones=tuple(ends))


def _cosine(asked: _Arguments) -> Schedule:
    k = asked.k_decay

    def make(initial: float, low: float, over: Duration) -> Schedule:
        if k != 1:
            return Curve(initial=initial, end=low, over=over, shape="cosine", k=k)
        return CosineDecay(initial=initial, floor=low, over=over, after="hold")

    return asked.warmed_up(_cycles(asked, make))


def _poly(asked: _Arguments) -> Schedule:
    """Its power is called decay_rate."""
    power, k = asked["decay_rate"], asked.k_decay

    def make(initial: float, low: float, over: Duration) -> Schedule:
        if k != 1:
            return Curve(initial=initial, end=low, over=over, shape="line", k=k, power=power)
        if power == 1:
            return Linear(initial=initial, end=low, over=over)
        return PolynomialDecay(initial=initial, end=low, power=power, over=over, cycle=False)

    return asked.warmed_up(_cycles(asked, make))


def _tanh(asked: _Arguments) -> Schedule:
    """It begins a little below the optimizer's rate, and is not asked for its first rate, which is the optimizer's.

    A warm-up over it leads to where it is by then; one before it, to the optimizer's rate.
    """

    def make(initial: float, low: float, over: Duration) -> Schedule:
        return Curve(initial=initial, end=low, over=over, shape="tanh")

    then, count = _cycles(asked, make), asked["warmup_epochs"]
    if not count:
        first = lasting("sched", 1, "steps" if asked.words.flag("sched_on_updates") else "epochs")
        return Warmup(initial=asked.lr, over=first, then=then, overlaps=True)
    lasts, low = asked.lasts("warmup_epochs", count), asked["warmup_lr"]
    if not asked.words.flag("warmup_prefix"):
        return Warmup(initial=low, over=lasts, then=then, overlaps=True, joins=True)
    up = Warmup(initial=low, over=lasts, then=Constant(initial=asked.lr))
    return Sequence(schedules=(up, then), milestones=(lasts,))


def _step(asked: _Arguments) -> Schedule:
    every = asked.lasts("decay_epochs", asked.words.number("decay_epochs", 90))
    return asked.warmed_up(ExponentialDecay(initial=asked.lr, factor=asked["decay_rate"], every=every, staircase=True))


def _multistep(asked: _Arguments) -> Schedule:
    """A milestone is the number of the epoch that begins with the new rate, counted from 1."""
    given = asked.words.values.get("decay_milestones", [90, 180, 270])
    given = given if isinstance(given, list | tuple) else [given]
    milestones = [number("decay_milestones", each) for each in given]
    if not milestones or any(each % 1 or each < 2 for each in milestones) or sorted(set(milestones)) != milestones:
        raise ValueError(f"decay_milestones: got {given!r:.60}. Write whole numbers from 2, in rising order.")
    if asked.words.flag("sched_on_updates"):
        raise ValueError(
            "decay_milestones: with sched_on_updates timm is one update early, which samestep can't say in epochs. "
            "Write a piecewise-constant schedule in steps."
        )
    factor = asked["decay_rate"]
    values = tuple(tidy(asked.lr * factor**index) for index in range(len(milestones) + 1))
    boundaries = tuple(asked.lasts("decay_milestones", each - 1) for each in milestones)
    return asked.warmed_up(PiecewiseConstant(boundaries=boundaries, values=values))


def _constant(asked: _Arguments) -> Schedule:
    return asked.warmed_up(Constant(initial=asked.lr))


def _wsd(asked: _Arguments) -> Schedule:
    """The warm-up comes before it always; without warmup_prefix it is a part of the epochs."""
    whole, decay = asked["epochs"], asked.words.number("decay_epochs", 0.2)
    rest = whole if asked.words.flag("warmup_prefix") else whole - asked["warmup_epochs"]
    decay = float(round(decay * rest if decay < 1 else decay))
    if not 0 < decay <= rest:
        raise ValueError(f"decay_epochs: got {decay:g} of {rest:g} epochs. Write more than 0, and at most these.")
    over, low = asked.lasts("decay_epochs", decay), asked["min_lr"]
    if low > asked.lr:
        raise ValueError(f"min_lr: got {low:g}, above lr {asked.lr:g}. Write less.")
    match asked.words.word("lr_decay_fn", ("1-sqrt", "linear", "cosine"), "1-sqrt"):
        case "linear":
            down: Schedule = Linear(initial=asked.lr, end=low, over=over)
        case "cosine":
            down = CosineDecay(initial=asked.lr, floor=low, over=over, after="hold")
        case _:
            down = Power(initial=asked.lr, end=low, power=0.5, over=over)
    if rest > decay:
        until = asked.lasts("epochs", tidy(rest - decay))
        down = Sequence(schedules=(Constant(initial=asked.lr), down), milestones=(until,))
    return asked.warmed_up(down, is_before=True)


_FORMS = {
    "cosine": _cosine,
    "poly": _poly,
    "tanh": _tanh,
    "step": _step,
    "multistep": _multistep,
    "constant": _constant,
    "wsd": _wsd,
}

TIMM = Dialect(
    name="timm",
    held_against="timm 1.0",
    is_written=is_written,
    read=read,
    example="sched=cosine,lr=1e-3,epochs=300,warmup_epochs=5",
    names=(
        *("sched", "lr", "decay_epochs", "decay_milestones", "warmup_prefix", "cooldown_epochs", "sched_on_updates"),
        *("lr_noise", "lr_k_decay", "lr_cycle_limit", "lr_decay_fn", *DEFAULTS),
    ),
)
