"""From PyTorch's schedulers back to the vocabulary, from what their states hold, checked against their own rates."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError
from torch.optim import lr_scheduler

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.programs.simulate import proof_length
from samestep.experiment.schedules import Constant, Schedule
from samestep.experiment.schedules.calls import DEPENDS_ON_LOSSES, State, key_number, number
from samestep.experiment.schedules.functions import of_function
from samestep.experiment.schedules.piecewise_constant import tabulated
from samestep.experiment.schedules.product import SET
from samestep.experiment.schedules.text import from_json
from samestep.experiment.validation import describe
from torch_impl import natives
from torch_impl.natives import ENTRIES, KNOWN, OF_A_FUNCTION, ClosedForm

Kind = type[lr_scheduler.LRScheduler]

CHECKED = 10_000
"""Calls at which a schedule that is read is held against the scheduler's own rates, at most."""

NEAR = 1e-8
"""How far they may lie apart, relative to the highest rate: docs/facts.md says which digits PyTorch loses."""


def read(
    native: float | lr_scheduler.LRScheduler,
    clock: Clock,
    stepping: Stepping,
    calls: int | None = None,
    group: int = 0,
) -> Schedule:
    """Read a scheduler of PyTorch, from its state.

    What is read is held against the rates that the scheduler itself gives, made anew and stepped from its beginning.

    Args:
        native: A scheduler of PyTorch, or a rate.
        clock: For a scheduler that counts single calls and is stepped per epoch.
        stepping: How the loop steps the scheduler. Per ``epoch`` it counts in epochs.
        calls: How often to ask a scheduler that cannot be read otherwise, like a `LambdaLR` of its user's function. The
            result is piecewise constant and holds its last rate.
        group: Which of the optimizer's parameter groups is read.

    Raises:
        ValueError: `calls` is not given, and the class is not PyTorch's, has its user's function, or has rates that the
            vocabulary cannot say; or the rates depend on the losses.
    """
    if isinstance(native, (int, float)):
        return Constant(initial=float(native))
    kind, held, groups = type(native), vars(native), _groups(native)
    if not 0 <= group < len(groups):
        raise ValueError(f"group: got {group}. The optimizer has {len(groups)}; write 0 to {len(groups) - 1}.")
    of_it = (kind, held, groups[group], group)
    if isinstance(native, lr_scheduler.ReduceLROnPlateau):
        raise ValueError(DEPENDS_ON_LOSSES.format("ReduceLROnPlateau"))
    try:
        return _read(_known(kind), *of_it, clock, stepping)
    except ValueError as error:
        if not calls:
            raise ValueError(f"{error} With calls=N, read asks it N times.") from None
    _check_own_state(native)
    return tabulated(_asked(*of_it, calls), stepping)


def read_state(
    name: str, state: Mapping[str, Any], group: Mapping[str, Any], clock: Clock, stepping: Stepping
) -> Schedule:
    """Read a saved state.

    Args:
        name: The scheduler's class.
        state: Its `state_dict()`.
        group: The first of the optimizer's `param_groups`, in which OneCycleLR keeps its rates; empty if not known.
        clock: As for `read`.
        stepping: As for `read`.

    Raises:
        ValueError: As for `read`.
    """
    kind = natives.class_named(name)
    return _read(name, kind or lr_scheduler.LRScheduler, state, group, 0, clock, stepping)


def notes(native: float | lr_scheduler.LRScheduler) -> tuple[str, ...]:
    """What a native schedule does that the vocabulary cannot say."""
    if isinstance(native, (int, float)):
        return ()
    kind, held, groups = type(native), vars(native), _groups(native)
    found = state_notes(kind.__name__, held, groups)
    if isinstance(native, lr_scheduler.ReduceLROnPlateau):
        return found
    meant: Schedule | Sequence[float]
    try:
        try:
            meant = read(native, Clock.STEPS, "step")
        except ValueError:
            _check_own_state(native)
            meant = _asked(kind, held, groups[0], 0, calls_made(held) + 1)
    except ValueError:  # nothing is known of it
        return found
    said = unexpected(held, [float(groups[0]["lr"])], meant)
    return found if said is None else (*found, f"{said} What is read is the schedule as it was made.")


def state_notes(name: str, state: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What a scheduler's state holds that the vocabulary cannot say.

    Args:
        name: The scheduler's class.
        state: Its `state_dict()`, or the variables of a live scheduler.
        groups: The optimizer's parameter groups, where they are known.
    """
    found = []
    within = list(every(name, state))
    for each, held in within:
        if held.get("cycle_momentum"):
            found.append(f"{each} moves the momentum as well (cycle_momentum=True); only its rate is translated.")
        milestones = held.get("milestones")
        keys = map(key_number, milestones if isinstance(milestones, Mapping) else ())
        if odd := [f"{key:g}" for key in keys if not isinstance(key, int)]:
            found.append(
                f"MultiStepLR meets a milestone only where its count of calls is equal to it, and {', '.join(odd)} "
                f"{'is no whole number' if len(odd) == 1 else 'are no whole numbers'}: the rate never falls there."
            )
    if of_their_own := _of_their_own(within, groups):
        found.append(f"Its parameter groups have {of_their_own}; the first is read.")
    if call := calls_made(state):
        found.append(f"The state is at call {call}; the schedule is read from its beginning.")
    made = state.get("_step_count", call + 1) - 1
    if made != call and "T_cur" not in state and "_schedulers" not in state:  # these do not count their calls
        found.append(f"It is at call {call} after {made} of its own: it was resumed there, or stepped with a number.")
    return tuple(dict.fromkeys(found))


def _of_their_own(within: list[tuple[str, Mapping[str, Any]]], groups: Sequence[Mapping[str, Any]]) -> str | None:
    """What parameter groups have each for itself."""
    lists = [held[key] for key in natives.OF_EACH_GROUP for _, held in within if held.get(key)]
    lists += [[group[key] for group in groups] for key in natives.IN_THE_GROUP if all(key in each for each in groups)]
    own = [values for values in lists if any(each != values[0] for each in values)]
    rates = [", ".join(str(float(each)) for each in values) for values in own if hasattr(values[0], "__float__")]
    if len(rates) < len(own):
        return "functions of their own"
    return f"rates of their own ({'; '.join(dict.fromkeys(rates))})" if rates else None


def every(name: str, held: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A scheduler and all within it, each with the name of its class."""
    yield name, held
    for each in held.get("_schedulers", ()):
        kind, values = natives.part(each)
        yield from every(kind.__name__, values)


def calls_made(state: Mapping[str, Any]) -> int:
    """How often a scheduler has been stepped; a ChainedScheduler does not count, the first within it does."""
    return int((state if "last_epoch" in state else natives.innermost(state)).get("last_epoch") or 0)


def unexpected(
    state: Mapping[str, Any],
    rates: Sequence[float],
    meant: Schedule | Sequence[float],
    clock: Clock = Clock.STEPS,
    stepping: Stepping = "step",
) -> str | None:
    """A sentence where a scheduler is not where its calls have led it.

    Args:
        state: What it holds.
        rates: The rates that it and its optimizer hold.
        meant: The schedule that it follows, or its rate at every call until now.
        clock: That of the schedule.
        stepping: How often it is called.
    """
    call = calls_made(state)
    for key in ("T_cur", "last_epoch"):
        place = natives.innermost(state).get(key)
        if isinstance(place, float) and not place.is_integer():
            return f"It was stepped by a part of a call: its {key} is {place:g}."
    if call < 0 or call >= state.get("total_steps", call + 1):
        return None  # OneCycleLR extrapolates once
    if isinstance(meant, Sequence):
        rate, scale = (meant[call], max(meant)) if call < len(meant) else (None, 0.0)
    else:
        step, length = call if stepping == "step" else call * clock.steps_per_epoch, meant.length(clock)
        ended = meant.after_end == "error" and length is not None and step >= length
        rate, scale = (None if ended else float(meant.rate(step, clock))), meant.base_lr
    if rate is None:
        return None
    for given in rates:
        if abs(given - rate) > 1e-6 * max(abs(given), abs(rate), scale):
            return (
                f"Its last rate is {given:.9g}, and a scheduler of this state gives {rate:.9g} at call {call}: it was "
                "stepped in another way, or something else has set the rate."
            )
    return None


def _groups(native: lr_scheduler.LRScheduler) -> Sequence[Mapping[str, Any]]:
    groups: Sequence[Mapping[str, Any]] = native.optimizer.param_groups
    return groups


def _known(kind: Kind) -> str:
    """The name of PyTorch's class that a scheduler is, or is made of."""
    known = (each for each in kind.__mro__ if each.__name__ in KNOWN and each is natives.class_named(each.__name__))
    return next(known, kind).__name__


def _read(
    name: str,
    kind: Kind,
    held: Mapping[str, Any],
    group: Mapping[str, Any],
    index: int,
    clock: Clock,
    stepping: Stepping,
) -> Schedule:
    """The schedule, which the scheduler itself confirms. name : PyTorch's class, of which `kind` may be a subclass."""
    bases = natives.innermost(held).get("base_lrs")
    if bases and bases[index] == 0 and not any(_asked(kind, held, group, index, 100)):
        raise ValueError(f"{name} has a rate of 0 throughout: it shows no schedule. Give its optimizer a rate.")
    schedule = _Reader(clock, stepping, index).read(name, held, group)
    calls = proof_length(schedule, clock)
    if stepping == "epoch":
        calls = -(-calls // clock.steps_per_epoch)
    rates = np.array(_asked(kind, held, group, index, min(calls, CHECKED)))
    steps = np.arange(len(rates)) * (1 if stepping == "step" else clock.steps_per_epoch)
    meant = schedule.rate(steps, clock)
    off = ~(np.abs(rates - meant) <= NEAR * max(rates.max(), meant.max()))
    if off.any():
        call = int(off.argmax())
        raise ValueError(
            f"{kind.__name__} does not give what its values say: at call {call} its rate is {rates[call]:.6g}, where "
            f"{meant[call]:.6g} would be read. Record a run and compare it."
        )
    return schedule


def _asked(kind: Kind, held: Mapping[str, Any], group: Mapping[str, Any], index: int, calls: int) -> list[float]:
    """The rates that a scheduler gives from its beginning. Raises ValueError where it gives none."""
    try:
        found = natives.stepped(natives.fresh(kind, held, group, index), calls)
        return found if len(found) == calls else found[:-1] or found  # OneCycleLR extrapolates once before it raises
    except NotImplementedError:
        raise ValueError(
            f"{kind.__name__} raises NotImplementedError when it is stepped: PyTorch's SequentialLR cannot lead to "
            "another SequentialLR or a ChainedScheduler. Put that one first."
        ) from None
    except Exception as error:  # whatever a class or a function of its user's stumbles over
        said = str(error).partition("\n")[0][:100]
        raise ValueError(
            f"{kind.__name__} raises {type(error).__name__} when it is stepped ({said}). Record a run and compare it."
        ) from None


def _check_own_state(native: lr_scheduler.LRScheduler) -> None:
    """Raise ValueError where a class of its user's counts by itself, which cannot be set back to its beginning."""
    kind, held = type(native), vars(native)
    again = natives.fresh(kind, held, _groups(native)[0])
    natives.stepped(again, calls_made(held) + 1)
    for key, value in held.items():
        if isinstance(value, int | float) and key[0] != "_" and key != "cycle_momentum" and vars(again)[key] != value:
            raise ValueError(
                f"{kind.__name__} keeps {key} of its own, which cannot be set back to its beginning. "
                "Record a run and compare it."
            )


@dataclass(frozen=True)
class _Reader:
    """Reads schedulers, and those within them."""

    clock: Clock
    stepping: Stepping
    index: int  # of the parameter group

    def read(
        self, name: str, state: Mapping[str, Any], group: Mapping[str, Any], base: float | None = None, early: int = 0
    ) -> Schedule:
        """name : the class. state : what it holds. group : the optimizer's parameter group.

        base : base_lr, where not the state's. early : how many calls a SequentialLR is ahead of those within it.
        """
        if name == "ReduceLROnPlateau":
            raise ValueError(DEPENDS_ON_LOSSES.format("ReduceLROnPlateau"))
        if name not in KNOWN:
            raise ValueError(
                f"{name} is not a scheduler that samestep can read. Write the class of torch.optim.lr_scheduler that "
                f"it is: {', '.join(KNOWN)}."
            )
        state = natives.of_group(state, self.index)
        if base is None:
            base = number("base_lrs", state["base_lrs"][0]) if state.get("base_lrs") else float("nan")
        try:
            if name in OF_A_FUNCTION:
                return self._of_a_function(name, state, base)
            if early and "_milestones" in state:
                state = {**state, "_milestones": [each - early for each in state["_milestones"]]}
            within = functools.partial(self._within, name, state, group, early)
            return ENTRIES[name].from_torch(State(name, state, self.stepping, base, group, self.clock, within))  # type: ignore[return-value]  # one of the union
        except ValidationError as error:
            raise ValueError(f"{name}: {describe(error)}") from None
        except KeyError as error:
            raise ValueError(f"{name}: its state has no {error}. Save scheduler.state_dict() whole.") from None

    def _of_a_function(self, name: str, state: Mapping[str, Any], base: float) -> Schedule:
        """A function of ours, or one that is known, says which schedule it is."""
        held = state["lr_lambdas"][0] if name == "LambdaLR" else None
        values = vars(held) if isinstance(held, ClosedForm) else held
        if isinstance(values, Mapping) and "schedule" in values:
            return from_json(values["schedule"])
        schedule = of_function(held, base, self.clock, self.stepping)
        if schedule is None:
            raise ValueError(
                "its rate comes from a function, which no state holds. Write the schedule in samestep's vocabulary, or "
                "record a run and compare it."
            )
        return schedule

    def _within(
        self, outer: str, state: Mapping[str, Any], group: Mapping[str, Any], early: int, bases: float | None
    ) -> list[tuple[str, Schedule]]:
        """The schedulers within one, each with its class; `bases` is base_lr of all but the first."""
        found: list[tuple[str, Schedule]] = []
        for index, each in enumerate(state["_schedulers"]):
            kind, inner = natives.part(each)
            name = _known(kind)
            first = float(group["initial_lr"]) if "initial_lr" in group else None  # one that multiplies finds that
            base = None if name in SET else bases if index else first
            # a SequentialLR that is first within another is stepped once before the first call
            ahead = early + (outer == "SequentialLR") if index == 0 or outer == "ChainedScheduler" else 0
            found.append((name, self.read(name, inner, group, base, ahead)))
        return found
