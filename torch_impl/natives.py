"""Which class of PyTorch each schedule becomes, or which stand-in where PyTorch has none; and how it is made.

`fresh` makes a scheduler that was given anew, from what it holds, so that it can be asked and is not changed by it.
"""

from __future__ import annotations

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch.optim import lr_scheduler, swa_utils

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import SCHEDULES, Schedule
from samestep.experiment.schedules.calls import Call, Calls, Expression, key_number
from samestep.experiment.schedules.text import from_json, to_json
from torch_impl import stand_ins


def call_for(schedule: Schedule, clock: Clock, stepping: Stepping) -> Call:
    """The native class with its arguments, or the stand-in that `ClosedForm` asks."""
    return schedule.torch(Calls(clock, stepping))


def made(value: Any, optimizer: torch.optim.Optimizer | None) -> Any:
    """Carry a call out; without an optimizer, a stand-in."""
    if isinstance(value, Expression):
        return value.value
    if isinstance(value, list):
        return [made(each, optimizer) for each in value]
    if not isinstance(value, Call):
        return value
    found = getattr(stand_ins if value.is_stand_in else lr_scheduler, value.short_name)
    given = [optimizer] if value.first else []
    return found(*given, **{name: made(each, optimizer) for name, each in value.arguments.items()})


class ClosedForm:
    """What `LambdaLR` asks where it stands in: the rate at its n-th call over base_lr.

    It holds plain values only, so the scheduler's state keeps them and `read` finds them there.
    """

    def __init__(self, schedule: Schedule, clock: Clock, stepping: Stepping) -> None:
        self.schedule = to_json(schedule)
        self.samples, self.batch_size, self.drop_last = clock.samples, clock.batch_size, clock.drop_last
        self.accumulate, self.stepping = clock.accumulate, stepping

    def __call__(self, n: int) -> float:
        """The factor of base_lr."""
        rate, stride, base_lr = _asked(**vars(self))
        return float(rate(n * stride) / base_lr)


@lru_cache(maxsize=64)
def _asked(
    schedule: str, samples: int, batch_size: int, drop_last: bool, accumulate: int, stepping: Stepping
) -> tuple[Callable[[int], float], int, float]:
    """The stand-in that a `ClosedForm` asks, its counts per call, and base_lr."""
    clock = Clock(samples, batch_size, drop_last, accumulate)
    found = from_json(schedule)
    count = found.count(clock, stepping)
    return made(found.stand_in(count), None), count.stride, found.base_lr


ENTRIES = {name: entry for entry in SCHEDULES for name in entry.TORCH}
"""The entry that reads each class, by its name."""

OF_A_FUNCTION = ("LambdaLR", "MultiplicativeLR")

KEYS: dict[str, tuple[str, ...]] = {
    "LambdaLR": ("lr_lambdas",),
    "ReduceLROnPlateau": ("patience", "threshold"),
    **{name: tuple(entry.TORCH[name]) for name, entry in ENTRIES.items()},
}
"""Keys by which the state of each class is known."""

KNOWN = (*ENTRIES, *OF_A_FUNCTION)
"""Names of the classes that can be read."""

OF_EACH_GROUP = ("base_lrs", "max_lrs", "lr_lambdas")
"""What a scheduler holds for each parameter group; the others are one for all."""

IN_THE_GROUP = ("initial_lr", "max_lr", "min_lr", "swa_lr")
"""What schedulers keep with the optimizer."""


def class_named(name: str) -> type[lr_scheduler.LRScheduler] | None:
    """PyTorch's class of a name."""
    return getattr(lr_scheduler, name, None) or getattr(swa_utils, name, None)


def class_of(state: Mapping[str, Any]) -> str:
    """The class of a state within another's, which PyTorch saves without a name: the one most of whose keys it has."""
    known = [name for name, keys in KEYS.items() if set(keys) <= set(state)]
    if known:
        return max(known, key=lambda name: len(KEYS[name]))
    raise ValueError(
        f"no scheduler of PyTorch has the keys {', '.join(map(str, list(state)[:6])) or '(none)'}. "
        f"Write the class that it is: {', '.join(KNOWN)}."
    )


def innermost(held: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of the first scheduler that is made of no others."""
    while held.get("_schedulers"):
        _, held = part(held["_schedulers"][0])
    return held


def part(held: Any) -> tuple[type[lr_scheduler.LRScheduler], Mapping[str, Any]]:
    """The class and the values of a scheduler within another, which is live or a state."""
    if not isinstance(held, Mapping):
        return type(held), vars(held)
    kind = class_named(class_of(held))
    assert kind is not None  # KEYS names PyTorch's own
    return kind, upgraded(held)


def upgraded(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """A state as PyTorch has it today: JSON makes text of milestones, and `OneCycleLR` once held a function by name."""
    changed = dict(state)
    if isinstance(state.get("milestones"), Mapping):
        given = state["milestones"].items()
        changed["milestones"] = Counter(
            {key_number(key) if isinstance(key, str) else key: times for key, times in given}
        )
    if "anneal_func" in state and not {"_anneal_func_type", "_anneal_strategy"} & set(state):
        changed["_anneal_func_type"] = "linear" if "linear" in str(state["anneal_func"]) else "cos"
    return changed


def of_group(held: Mapping[str, Any], index: int) -> Mapping[str, Any]:
    """What a scheduler holds, with the values of one parameter group alone."""
    return dict(held) | {key: [held[key][index]] for key in OF_EACH_GROUP if held.get(key)}


def first_rate(held: Mapping[str, Any], group: Mapping[str, Any], index: int = 0) -> float:
    """The rate that the optimizer of a scheduler was made with."""
    return float(group.get("initial_lr", innermost(held)["base_lrs"][index]))


def fresh(
    kind: type[lr_scheduler.LRScheduler],
    held: Mapping[str, Any],
    group: Mapping[str, Any],
    index: int = 0,
    optimizer: torch.optim.Optimizer | None = None,
) -> lr_scheduler.LRScheduler:
    """A scheduler as it was before its first call, for one parameter group. What holds the values stays as it is.

    Args:
        kind: The scheduler's class.
        held: Its variables, or its `state_dict()`.
        group: The optimizer's parameter group; empty where it is not known.
        index: Which group that is.
        optimizer: What it is attached to; by default one of its own.
    """
    optimizer = optimizer or torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], first_rate(held, group, index))
    kept = {key: float(group[key]) for key in IN_THE_GROUP if key in group}
    optimizer.param_groups[0].update({"initial_lr": first_rate(held, group, index)} | kept)
    with _unheeded():
        return _begun(kind, held, optimizer, index)


@contextmanager
def _unheeded() -> Iterator[None]:
    """PyTorch warns of a scheduler that is stepped before any update; here there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _begun(
    kind: type[lr_scheduler.LRScheduler], held: Mapping[str, Any], optimizer: torch.optim.Optimizer, index: int
) -> lr_scheduler.LRScheduler:
    """As PyTorch's constructors begin, with the values that they left."""
    found = kind.__new__(kind)
    if "_schedulers" in held:
        within = [_begun(*part(each), optimizer, index) for each in held["_schedulers"]]
        if isinstance(found, lr_scheduler.SequentialLR):
            lr_scheduler.SequentialLR.__init__(found, optimizer, within, list(held["_milestones"]))
        else:
            lr_scheduler.ChainedScheduler.__init__(found, within, optimizer)  # type: ignore[arg-type]  # it is one
        return found
    values = {key: copy.copy(value) for key, value in of_group(held, index).items() if key != "optimizer"}
    values |= {key: [float(each) for each in values[key]] for key in ("base_lrs", "max_lrs") if key in values}
    values |= {"optimizer": optimizer, "last_epoch": -1, "cycle_momentum": False}
    if "lr_lambdas" in values:
        (function,) = values["lr_lambdas"]
        values["lr_lambdas"] = [_made_again(function) if isinstance(function, Mapping) else copy.copy(function)]
    vars(found).update(values)
    if isinstance(found, lr_scheduler.CyclicLR):
        found._init_scale_fn()
    if isinstance(found, swa_utils.SWALR):
        found._set_anneal_func(values["_anneal_strategy"])
    found._initial_step()
    return found


def _made_again(values: Mapping[str, Any]) -> ClosedForm:
    function = ClosedForm.__new__(ClosedForm)
    vars(function).update(values)
    return function


def stepped(scheduler: lr_scheduler.LRScheduler, count: int) -> list[float]:
    """The rates before and between `count - 1` steps of a scheduler; fewer where it raises after its end."""
    group = scheduler.optimizer.param_groups[0]
    found = [group["lr"]]
    note, rates = found.append, scheduler.get_lr
    of_all, own = lr_scheduler.LRScheduler, type(scheduler)
    inherited = own.step is of_all.step and own._update_lr is of_all._update_lr
    try:
        if not inherited:
            with _unheeded():
                for _ in range(count - 1):
                    scheduler.step()
                    note(group["lr"])
            return found
        # What `LRScheduler.step` does for one group of parameters, without what it does for warnings at each step:
        # that takes four times as long as the rate itself.
        scheduler._get_lr_called_within_step = True
        for _ in range(count - 1):
            scheduler._step_count += 1
            scheduler.last_epoch += 1
            (group["lr"],) = rates()
            note(group["lr"])
    except ValueError:  # OneCycleLR after its last step
        pass
    return found
