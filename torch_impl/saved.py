"""A native schedule as PyTorch saves it: a `scheduler.state_dict()`, alone or in a checkpoint, as JSON or `.pt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import Schedule
from samestep.experiment.schedules.calls import number
from samestep.experiment.validation import strict_json
from torch_impl import natives, reading, schedules

_SCHEDULER = ("scheduler", "state_dict", "state", "lr_scheduler", "scheduler_state_dict", "lr_schedulers", "schedulers")
_CLASS = ("class", "class_name", "scheduler_class")
_OPTIMIZER = ("optimizer", "optimizer_state_dict", "optimizer_states", "optimizers")


def load(
    path: Path, class_name: str | None, clock: Clock, stepping: Stepping
) -> tuple[Schedule, schedules.Native, tuple[str, ...]]:
    """Read a saved schedule: in the vocabulary, as its framework has it, and notes on what the vocabulary cannot say.

    class_name : the scheduler's class, for a file that does not say it under ``class`` or ``class_name``.
    Raises ValueError with one line that names the file.
    """
    try:
        data = _held(path)
        state, groups = natives.upgraded(_state(data)), _groups(data)
        name = class_name or next((str(data[key]).rpartition(".")[2] for key in _CLASS if key in data), None)
        notes: tuple[str, ...] = ()
        if name is None:
            name = natives.class_of(state)
            notes = (f"Its keys are those of {name}. Another class is named with --class, or under 'class'.",)
        schedule = reading.read_state(name, state, groups[0], clock, stepping)
        schedule.whole_steps(clock)
        _check_last(schedule, state, groups[0], clock, stepping)
        native = _native(name, state, groups[0])
        several = [len(data[key]) for key in _SCHEDULER if isinstance(data.get(key), list) and len(data[key]) > 1]
        notes += tuple(f"The file holds {count} schedulers; the first is read." for count in several)
        if any(each == "CyclicLR" for each, _ in reading.every(name, state)):
            notes += ("A state of CyclicLR leaves out a scale_fn that is a function: it is read as if it had none.",)
        return schedule, native, (*notes, *reading.state_notes(name, state, groups))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}. Name a file that can be read.") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    except (TypeError, AttributeError, IndexError, KeyError, OverflowError, RuntimeError) as error:
        said = str(error).partition("\n")[0][:100]
        raise ValueError(f"{path}: not as PyTorch saves a state ({said}). Save scheduler.state_dict() again.") from None


def _held(path: Path) -> Mapping[str, Any]:
    """What a file holds: JSON, or what `torch.load` takes without running code."""
    raw = path.read_bytes()
    if raw.lstrip()[:1] == b"{" or path.suffix == ".json":
        try:
            data = strict_json(raw.decode("utf-8-sig"), "a state")
        except UnicodeDecodeError:
            raise ValueError("not UTF-8 text. Write the state as JSON in UTF-8.") from None
    else:
        try:
            data = torch.load(path, weights_only=True, map_location="cpu")
        except Exception:  # whatever an unpickler stumbles over
            raise ValueError(
                "neither JSON nor what torch.load(weights_only=True) takes, and another pickle could run code. "
                "Save scheduler.state_dict() with torch.save, or as JSON."
            ) from None
    if not isinstance(data, Mapping):
        raise ValueError(f"got {type(data).__name__}. Write scheduler.state_dict(), with its class under 'class'.")
    return data


def _state(data: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in _SCHEDULER:
        found = _first(data.get(key))
        if isinstance(found, Mapping) and ("_last_lr" in found or "last_epoch" in found or "_schedulers" in found):
            return found
    if not {"last_epoch", "_last_lr", "_schedulers", "base_lrs"} & set(data):
        raise ValueError(
            f"no state of a scheduler; it has {', '.join(map(str, list(data)[:5])) or 'no keys'}. "
            "Write scheduler.state_dict(), alone or under the key 'scheduler'."
        )
    return data


def _groups(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The optimizer's parameter groups; one without values where the file has none."""
    for key in _OPTIMIZER:
        found = _first(data.get(key))
        if isinstance(found, Mapping) and found.get("param_groups"):
            groups: Sequence[Mapping[str, Any]] = found["param_groups"]
            return groups
    return ({},)


def _check_last(
    schedule: Schedule, state: Mapping[str, Any], group: Mapping[str, Any], clock: Clock, stepping: Stepping
) -> None:
    """Raise ValueError where the rate that the state ends with is not the one that the schedule gives there."""
    last = state.get("_last_lr")
    rates = [number("_last_lr", last[0])] if isinstance(last, list) and last else []
    if "lr" in group:
        rates.append(number("lr", group["lr"]))
    said = reading.unexpected(state, rates, schedule, clock, stepping)
    if said is not None:
        raise ValueError(f"{said[0].lower()}{said[1:-1]}. Save that of a fresh one, or record a run.")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _native(name: str, state: Mapping[str, Any], group: Mapping[str, Any]) -> schedules.Native:
    """The scheduler of a saved state, at its beginning."""
    kind = natives.class_named(name)
    assert kind is not None  # it has been read
    return schedules.Native(
        natives.first_rate(state, group), lambda optimizer: natives.fresh(kind, state, group, optimizer=optimizer), name
    )
