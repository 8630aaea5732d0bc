"""A native schedule as Keras saves it: the config that `keras.optimizers.schedules.serialize` gives, as JSON."""

from __future__ import annotations

import difflib
import inspect
from pathlib import Path
from typing import Any

import keras

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import Schedule
from samestep.experiment.validation import strict_json
from tf_impl import natives, reading, schedules, stand_ins


def load(
    path: Path, class_name: str | None, clock: Clock, stepping: Stepping
) -> tuple[Schedule, schedules.Native, tuple[str, ...]]:
    """Read a saved schedule: in the vocabulary, as its framework has it, and notes on what the vocabulary cannot say.

    class_name : the schedule's class, for a file that holds its config alone.
    Raises ValueError with one line that names the file.
    """
    try:
        data = strict_json(path.read_text(encoding="utf-8-sig"), "a config")
        native = _native(data, class_name)
        schedule = reading.of_itself(native, clock, stepping)
        schedule.whole_steps(clock)
        return schedule, schedules.as_native(native, stepping), schedules.notes(native)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}. Name a file that can be read.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8 text. Write the config as JSON in UTF-8.") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _native(data: Any, class_name: str | None) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The live schedule of a config; that of an optimizer's config is its learning rate's."""
    if isinstance(data, dict) and "class_name" not in data and class_name:
        data = {"class_name": class_name, "config": data}
    if isinstance(data, dict) and "config" not in data and "learning_rate" in data:
        data = {"config": data}
    if not isinstance(data, dict) or not isinstance(data.get("config"), dict):
        raise ValueError("no config of a schedule. Write what keras.optimizers.schedules.serialize gives.")
    inner = data["config"].get("learning_rate")
    if isinstance(inner, (int, float)):
        return float(inner)
    if isinstance(inner, dict):
        return _native(inner, None)
    data = _as_registered(data)
    _check(data)
    try:
        return keras.optimizers.schedules.deserialize(data)
    except Exception as error:  # whatever a constructor stumbles over
        said = str(error.__cause__ or error).splitlines()[0][:120]
        raise ValueError(f"Keras cannot make a {data['class_name']} of it ({said}). Save the schedule again.") from None


def _as_registered(data: Any) -> Any:
    """A config with the names that our stand-ins have here, in place of those in code that was printed."""
    ours, printed = natives.PACKAGES
    if isinstance(data, list):
        return [_as_registered(each) for each in data]
    if not isinstance(data, dict):
        return data
    changed = {key: _as_registered(value) for key, value in data.items()}
    for key in {"class_name", "registered_name"} & set(changed):
        if isinstance(changed[key], str) and changed[key].startswith(f"{printed}>"):
            changed[key] = changed[key].replace(printed, ours, 1)
    return changed


def _check(data: dict[str, Any]) -> None:
    """Raise ValueError for a class or a key that is not known here, before anything is made of it."""
    name = str(data["class_name"]).rpartition(">")[2]
    own = getattr(stand_ins, name, None)
    native = getattr(keras.optimizers.schedules, name, None)
    chosen = own if str(data.get("registered_name") or "").startswith("samestep>") else native
    if chosen is None or name not in reading.KNOWN:
        close = difflib.get_close_matches(name, reading.KNOWN, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(reading.KNOWN)}."
        raise ValueError(f"{name[:60]!r} is not a schedule of Keras that samestep can read. {hint}")
    known = inspect.signature(chosen).parameters
    unknown = [key for key in data["config"] if key not in known]
    if unknown:
        raise ValueError(
            f"{name} has no {str(unknown[0])[:60]!r} in Keras {keras.__version__}: the config may come from a newer "
            f"version. Leave it out, or install that version. Known: {', '.join(sorted(known))}."
        )
    needed = [key for key, each in known.items() if each.default is each.empty and key not in data["config"]]
    if needed:
        raise ValueError(f"the config of {name} has no {needed[0]!r}. Write what its get_config gives.")
    for value in data["config"].values():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and "class_name" in each:
                _check(each)
