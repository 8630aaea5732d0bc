"""A schedule as a person writes it: the short form, JSON, code, the words of another program, or a file of these."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from samestep.experiment.clock import Clock, Stepping
from samestep.experiment.schedules import KINDS, Schedule
from samestep.experiment.schedules.brackets import parts
from samestep.experiment.schedules.code import is_code, read_code
from samestep.experiment.schedules.dialects import (
    DIALECTS,
    dialect_of,
    is_yaml,
    named,
    of_yaml,
    read_named,
    read_values,
)
from samestep.experiment.schedules.native import from_config
from samestep.experiment.validation import PlanError, describe, strict_json


class ScheduleError(PlanError):
    """Text that is no schedule; the message is one line that says what to write instead."""


EXAMPLE = "exponential:initial=1e-3,factor=0.95,every=25 steps,staircase"


LARGEST_FILE = 1 << 20


@dataclass(frozen=True)
class Parsed:
    """A schedule that was read.

    Attributes:
        schedule: In the vocabulary.
        assumed: What the text does not say, as sentences.
    """

    schedule: Schedule
    assumed: tuple[str, ...] = ()


def parse(text: str) -> Schedule:
    """Read a schedule as `read` does, looked up before every update.

    >>> parse("exponential:initial=1e-3,factor=0.95,every=25 steps,staircase").staircase
    True
    >>> parse("warmup:initial=0,over=1 epoch,then=(constant:initial=0.1)").then
    Constant(initial=0.1)

    Raises:
        ScheduleError: The text is no schedule. The message is one line that says what to write instead.
    """
    return read(text).schedule


def read(text: str, stepping: Stepping = "step", clock: Clock | None = None) -> Parsed:
    """Read a schedule: the short form, JSON, code of Keras or PyTorch, a dialect, or a file of JSON, YAML or code.

    The short form is the kind, a colon and ``key=value`` with commas between. A key that is true or false may stand
    alone for true, and be left out for false. Lists are in [ ], schedules within schedules in ( ). JSON is of the
    vocabulary, with ``kind``, what `keras.optimizers.schedules.serialize` gives, or in a dialect's words. After the
    name of a dialect and a colon its words may be flags or pairs as well. Code is parsed and never run.

    Args:
        text: A schedule, or the name of a file.
        stepping: How often the rate is looked up. Per ``epoch`` a framework's schedule counts in epochs.
        clock: For a scheduler of PyTorch that counts single calls and is stepped per epoch, and for a dialect in which
            the length of a run is in epochs.

    Returns:
        The schedule, and what was assumed.

    Raises:
        ScheduleError: The text is no schedule. The message is one line that says what to write instead.

    Example:
        >>> str(read("StepLR(SGD(params, lr=0.1), step_size=30)", "epoch").schedule.every)
        '30 epochs'
    """
    text = text.strip()
    if text.startswith("{"):
        return _of_json(text, stepping, clock)
    if spoken := named(text):
        return _said(lambda: Parsed(*read_named(*spoken, stepping, clock)))
    kind, colon, _ = text.partition(":")
    is_there = _is_file(text)
    if kind.strip() in KINDS and (colon or not is_there):
        return Parsed(_checked(values_of(text)))
    if is_there:
        held = _content(text)
        if Path(text).suffix == ".py":
            return _of_code(held, stepping, clock, f"{text}: ")
        if is_yaml(text):
            return _said(lambda: _of_values(of_yaml(held), stepping, clock), f"{text}: ")
        return _of_json(held, stepping, clock, f"{text}: ")
    if is_code(text):
        return _of_code(text, stepping, clock)
    if colon and "/" not in kind and "\\" not in kind and " " not in kind.strip():
        raise ScheduleError(f"{kind.strip()[:60]!r} is not a kind of schedule. Write one of {', '.join(KINDS)}.")
    raise ScheduleError(
        f"{text[:60]!r} is neither a file nor a schedule. Write '{EXAMPLE}', code of Keras or PyTorch, JSON, or a file "
        "of it."
    )


def is_schedule(text: str) -> bool:
    """Whether a text is meant as a schedule, or names a file that holds one; else it may name a log.

    >>> is_schedule("constant:initial=0.1"), is_schedule("log.csv")
    (True, False)
    """
    text = text.strip()
    path = Path(text)
    try:
        if path.exists():
            return path.suffix == ".py" or (path.is_file() and _holds_schedule(path))
    except (OSError, ValueError):  # too long a name, or one with a null in it
        pass
    kind, colon, _ = text.partition(":")
    return text.startswith("{") or (bool(colon) and kind.strip() in {*KINDS, *DIALECTS}) or is_code(text)


def _holds_schedule(path: Path) -> bool:
    """Whether a file is one JSON object with the kind of a schedule, a config of Keras, or a dialect's words."""
    if is_yaml(path.name):
        return True  # no log is
    if path.stat().st_size > LARGEST_FILE:
        return False
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text) if text.lstrip().startswith("{") else {}
    except (OSError, ValueError, RecursionError):
        return False
    if "step" in found:  # a row of JSON lines may have a kind as well
        return False
    return "kind" in found or is_config(found) or dialect_of(found) is not None


def is_config(data: Any) -> bool:
    """Whether JSON values are the config of a schedule of Keras, or of an optimizer with one."""
    if not isinstance(data, dict) or "kind" in data:
        return False
    rate = data.get("learning_rate")
    return ("class_name" in data and "config" in data) or (isinstance(rate, dict) and "config" in rate)


def _content(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ScheduleError(f"{name}: {error.strerror}. Name a file that can be read.") from None
    except UnicodeDecodeError:
        raise ScheduleError(f"{name}: not UTF-8 text. Write the schedule as JSON in UTF-8.") from None


def _of_json(text: str, stepping: Stepping, clock: Clock | None, place: str = "") -> Parsed:
    return _said(lambda: _of_values(strict_json(text, "a schedule"), stepping, clock), place)


def _of_values(data: Any, stepping: Stepping, clock: Clock | None) -> Parsed:
    """The schedule of values of the vocabulary, of Keras, or in a dialect's words."""
    if is_config(data):
        return Parsed(from_config(data, stepping))
    dialect = dialect_of(data)
    if dialect is not None and "kind" not in data:
        return Parsed(*read_values(dialect, data, stepping, clock))
    return Parsed(_checked(data))


def _of_code(text: str, stepping: Stepping, clock: Clock | None, place: str = "") -> Parsed:
    return _said(lambda: Parsed(*read_code(text, stepping, clock)), place)


def _said(make: Callable[[], Parsed], place: str = "") -> Parsed:
    """What is made. place : where it stands, for the message of an error."""
    try:
        return make()
    except ValueError as error:
        raise ScheduleError(f"{place}{error}") from None


def from_json(text: str, name: str | None = None) -> Schedule:
    """Read a schedule from JSON text.

    Args:
        text: A JSON object with the key ``kind``.
        name: The file that the text comes from, for the message of an error.

    Raises:
        ScheduleError: The text is no schedule.

    Example:
        >>> from_json('{"kind": "constant", "initial": 0.1}')
        Constant(initial=0.1)
    """
    try:
        return _checked(strict_json(text, "a schedule"))
    except PlanError as error:
        raise ScheduleError(f"{name}: {error}" if name else str(error)) from None


def to_json(schedule: Schedule) -> str:
    """The schedule as JSON text, which `from_json` reads back to an equal schedule.

    >>> to_json(parse("constant:initial=0.1"))
    '{"kind": "constant", "initial": 0.1}'
    """
    return json.dumps(schedule.model_dump(mode="json"), ensure_ascii=False)


def to_short(schedule: Schedule) -> str:
    """The schedule in the short form, which `parse` reads back to an equal schedule.

    >>> to_short(parse("exponential:staircase,every=25 epochs,factor=0.5,initial=1"))
    'exponential:initial=1.0,factor=0.5,every=25 epochs,staircase'
    """
    return _written(schedule.model_dump(mode="json"))


def _checked(data: Any) -> Schedule:
    if not isinstance(data, dict):
        raise ScheduleError(f"no schedule: got {type(data).__name__}. Write a JSON object.")
    if "kind" not in data:
        raise ScheduleError(f"the key 'kind' is missing. Write one of {', '.join(KINDS)}.")
    chosen = KINDS.get(data["kind"]) if isinstance(data["kind"], str) else None
    if chosen is None:
        raise ScheduleError(f"{str(data['kind'])[:60]!r} is not a kind of schedule. Write one of {', '.join(KINDS)}.")
    try:
        schedule: Schedule = chosen.model_validate(data)  # type: ignore[assignment]  # one of the union
    except ValidationError as error:
        raise ScheduleError(describe(error)) from None
    except RecursionError:
        raise ScheduleError("no schedule: nested too deeply.") from None
    return schedule


def values_of(text: str) -> dict[str, Any]:
    """What the short form says, as JSON would, not yet checked. Raises ScheduleError."""
    kind, _, rest = text.partition(":")
    kind = kind.strip()
    if kind not in KINDS:
        raise ScheduleError(f"{kind[:60]!r} is not a kind of schedule. Write one of {', '.join(KINDS)}.")
    fields = KINDS[kind].model_fields
    flags = {name for name, field in fields.items() if field.annotation is bool}
    data: dict[str, Any] = {"kind": kind} | dict.fromkeys(flags, False)
    said = set()
    for part in _parts(rest):
        key, equals, value = (each.strip() for each in part.partition("="))
        if key in said or key == "kind":
            raise ScheduleError(f"{key!r} is there twice. Keep one.")
        said.add(key)
        if not equals and key not in flags:
            raise ScheduleError(f"{part.strip()[:60]!r} has no value. Write {key[:30]}=VALUE.")
        data[key] = _value(value) if equals else True
    return data


def _value(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return [_value(each.strip()) for each in _parts(text[1:-1])]
    if text.startswith("(") and text.endswith(")"):
        return values_of(text[1:-1])
    if text.partition(":")[0].strip() in KINDS and ":" in text:
        raise ScheduleError(f"{text[:60]!r} is a schedule within a schedule. Write it in ( ).")
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _parts(text: str) -> list[str]:
    try:
        return parts(text)
    except ValueError as error:
        raise ScheduleError(str(error)) from None


def _written(data: dict[str, Any]) -> str:
    values = ((key, value) for key, value in data.items() if key != "kind" and value is not False)
    said = (key if value is True else f"{key}={_bracketed(value)}" for key, value in values)
    return f"{data['kind']}:{','.join(said)}"


def _bracketed(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(_bracketed(each) for each in value)}]"
    return f"({_written(value)})" if isinstance(value, dict) else str(value)


def _is_file(text: str) -> bool:
    try:
        return Path(text).exists() and not Path(text).is_dir()  # a pipe is read as well
    except (OSError, ValueError):  # too long a name, or one with a null in it
        return False
