"""From PyTorch's schedulers back to the vocabulary, from what their states hold."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from torch.optim import lr_scheduler

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import SCHEDULES, Constant, Schedule
from samestep.experiment.schedules.calls import DEPENDS_ON_LOSSES, State, number
from samestep.experiment.schedules.piecewise_constant import tabulated
from samestep.experiment.schedules.text import from_json
from samestep.experiment.validation import describe
from torch_impl.natives import ClosedForm


def read(
    native: float | lr_scheduler.LRScheduler, clock: Clock, stepping: Stepping, calls: int | None = None
) -> Schedule:
    """Read a scheduler of PyTorch, from its state. Of several parameter groups the first is read.

    Args:
        native: A scheduler of PyTorch, or a rate.
        clock: For a scheduler that counts single calls and is stepped per epoch.
        stepping: How the loop steps the scheduler. Per ``epoch`` it counts in epochs.
        calls: How often to ask the user's function of a `LambdaLR` or a `MultiplicativeLR`. The result is piecewise
            constant and holds its last rate.

    Raises:
        ValueError: The class is none of PyTorch's, has a function and `calls` is not given, depends on the losses, or
            is a chain of schedulers that do not multiply.
    """
    if isinstance(native, (int, float)):
        return Constant(initial=float(native))
    return _Reader(clock, stepping, calls).read(type(native).__name__, vars(native), native)


def notes(native: float | lr_scheduler.LRScheduler) -> tuple[str, ...]:
    """What a native schedule does that the vocabulary cannot say."""
    if isinstance(native, (int, float)):
        return ()
    return state_notes(type(native).__name__, vars(native))


def state_notes(name: str, state: Mapping[str, Any]) -> tuple[str, ...]:
    """What a scheduler's state holds that the vocabulary cannot say.

    Args:
        name: The scheduler's class.
        state: Its `state_dict()`, or the variables of a live scheduler.
    """
    found = []
    if state.get("cycle_momentum"):
        found.append(f"{name} moves the momentum as well (cycle_momentum=True); only its rate is translated.")
    rates = [float(each) for each in _innermost(state).get("base_lrs", ())]
    if len(set(rates)) > 1:
        found.append(f"Its parameter groups have rates of their own ({', '.join(map(str, rates))}); the first is read.")
    if call := calls_made(state):
        found.append(f"The state is at call {call}; the schedule is read from its beginning.")
    return tuple(found)


def calls_made(state: Mapping[str, Any]) -> int:
    """How often a scheduler has been stepped; a ChainedScheduler does not count, the first within it does."""
    return int((state if "last_epoch" in state else _innermost(state)).get("last_epoch") or 0)


def _innermost(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state of the first scheduler that is made of no others."""
    while state.get("_schedulers"):
        first = state["_schedulers"][0]
        state = first if isinstance(first, Mapping) else vars(first)
    return state


def read_state(
    name: str, state: Mapping[str, Any], group: Mapping[str, Any] | None, clock: Clock, stepping: Stepping
) -> Schedule:
    """Read a saved state.

    Args:
        name: The scheduler's class.
        state: Its `state_dict()`.
        group: The first of the optimizer's `param_groups`, in which OneCycleLR keeps its rates, or None.
        clock: As for `read`.
        stepping: As for `read`.

    Raises:
        ValueError: As for `read`.
    """
    return _Reader(clock, stepping).read(name, state, group=group)


@dataclass(frozen=True)
class _Reader:
    """Reads schedulers, and those within them."""

    clock: Clock
    stepping: Stepping
    calls: int | None = None

    def read(
        self, name: str, state: Mapping[str, Any], native: Any = None, group: Any = None, base: float | None = None
    ) -> Schedule:
        """name : the class. state : what it holds. native : the live scheduler, for a function or the optimizer.

        group : the optimizer's parameter group where there is no live one. base : base_lr, where not the state's.
        """
        if name == "ReduceLROnPlateau":
            raise ValueError(DEPENDS_ON_LOSSES)
        if name not in KNOWN or (native is not None and type(native) is not getattr(lr_scheduler, name, None)):
            raise ValueError(
                f"{name} is not a scheduler that samestep can read. Write the class of torch.optim.lr_scheduler that "
                f"it is: {', '.join(KNOWN)}."
            )
        if native is not None and group is None and hasattr(native, "optimizer"):
            group = native.optimizer.param_groups[0]
        if base is None:
            base = number("base_lrs", state["base_lrs"][0]) if state.get("base_lrs") else float("nan")
        try:
            if name in _OF_A_FUNCTION:
                return self._of_a_function(name, state, base, native)
            within = functools.partial(self._within, state, group)
            return _ENTRIES[name].from_torch(State(name, state, self.stepping, base, group, self.clock, within))  # type: ignore[return-value]  # one of the union
        except ValidationError as error:
            raise ValueError(f"{name}: {describe(error)}") from None
        except KeyError as error:
            raise ValueError(f"{name}: its state has no {error}. Save scheduler.state_dict() whole.") from None

    def _of_a_function(self, name: str, state: Mapping[str, Any], base: float, native: Any) -> Schedule:
        """A function of ours says which schedule it is; one of its user's is asked where it may be."""
        held = state["lr_lambdas"][0] if name == "LambdaLR" else None
        values = vars(held) if isinstance(held, ClosedForm) else held
        if isinstance(values, Mapping) and "schedule" in values:
            return from_json(values["schedule"])
        if native is None or not self.calls:
            hint = "" if native is None else ", give calls=N to read"
            raise ValueError(
                "its rate comes from a function, which no state holds. Write the schedule in samestep's vocabulary"
                f"{hint}, or record a run and compare it."
            )
        function: Callable[[int], float] = native.lr_lambdas[0]
        if name == "LambdaLR":
            factors = [function(n) for n in range(self.calls)]
        else:
            each = [1.0, *(function(n) for n in range(1, self.calls))]
            factors = list(itertools.accumulate(each, operator.mul))
        return tabulated([base * factor for factor in factors], self.stepping)

    def _within(self, state: Mapping[str, Any], group: Any, bases: float | None) -> list[tuple[str, Schedule]]:
        """The schedulers within one, each with its class; `bases` is base_lr of all but the first."""
        found: list[tuple[str, Schedule]] = []
        for index, each in enumerate(state["_schedulers"]):
            live = None if isinstance(each, Mapping) else each
            inner = each if live is None else vars(live)
            name = class_of(inner) if live is None else type(live).__name__
            if name in ("OneCycleLR", "CyclicLR"):
                raise ValueError(
                    f"{name} within another scheduler sets the optimizer's own rate, from which the others then begin: "
                    "what was meant is unknown. Translate each by itself, or record a run and compare it."
                )
            base = None if index == 0 else bases
            found.append((name, self.read(name, inner, live, group, base)))
        return found


def class_of(state: Mapping[str, Any]) -> str:
    """The class of a state within another's, which PyTorch saves without a name: the one most of whose keys it has."""
    known = [name for name, keys in KEYS.items() if set(keys) <= set(state)]
    if known:
        return max(known, key=lambda name: len(KEYS[name]))
    raise ValueError(
        f"no scheduler of PyTorch has the keys {', '.join(map(str, list(state)[:6])) or '(none)'}. "
        f"Write the class that it is: {', '.join(KNOWN)}."
    )


_ENTRIES = {name: entry for entry in SCHEDULES for name in entry.TORCH}
"""The entry that reads each class, by its name."""

_OF_A_FUNCTION = ("LambdaLR", "MultiplicativeLR")

KEYS: dict[str, tuple[str, ...]] = {
    "LambdaLR": ("lr_lambdas",),
    "ReduceLROnPlateau": ("patience", "threshold"),
    **{name: tuple(entry.TORCH[name]) for name, entry in _ENTRIES.items()},
}
"""Keys by which the state of each class is known."""

KNOWN = (*_ENTRIES, *_OF_A_FUNCTION)
"""Names of the classes that can be read."""
