"""How the parts of a plan are checked, and how an error names every mistake in one line."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator


class PlanError(ValueError):
    """A plan that cannot be run; the message is one line that says what to write instead."""


class Model(BaseModel):
    """A part of a plan: immutable, without unknown keys, without silent conversions."""

    # defer_build: what a command does not use costs it nothing
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _unknown_keys_bring_the_known_ones(cls, data: Any) -> Any:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        if not isinstance(data, dict) or data.keys() <= set(known):
            return data
        return {str(key): value if key in known else _Unknown(known) for key, value in data.items()}


@dataclass(frozen=True)
class _Unknown:
    """The value of a key that a part does not have, with the keys that it has."""

    known: Sequence[str]


def strict_json(text: str, what: str) -> Any:
    """Read JSON text, and reject a key that is there twice.

    Args:
        text: JSON.
        what: what the text should hold, for the error, like ``a plan``.

    Raises:
        PlanError: the text is no such JSON; the message is one line.

    Example:
        >>> strict_json('{"epochs": 2}', "a plan")
        {'epochs': 2}
    """
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        raise PlanError(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except PlanError:
        raise
    except ValueError:  # a number of more digits than Python converts
        raise PlanError("not JSON: a number of thousands of digits. Write shorter ones.") from None
    except RecursionError:
        raise PlanError(f"no {what.split()[-1]}: nested too deeply.") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        twice = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
        raise PlanError(f"the {_keys_are(twice)} there twice. Keep one{' of each' if twice[1:] else ''}.")
    return data


def describe(error: ValidationError) -> str:
    """Every mistake of a validation in one line: where, what was received, what to write.

    Example:
        >>> class Run(Model):
        ...     epochs: int
        ...     batch_size: int
        >>> try:
        ...     Run.model_validate({"epoch": 1})
        ... except ValidationError as error:
        ...     print(describe(error))
        the key 'batch_size' is missing. 'epoch' is not a key. Did you mean 'epochs'?
    """
    # a list whose items are wrong is too short as well, without them
    mistakes = [
        each
        for each in error.errors(include_url=False)
        if each["type"] != "too_short" or len(each["input"]) < each["ctx"]["min_length"]
    ]
    if any(mistake["type"] == "recursion_loop" or len(mistake["loc"]) > 60 for mistake in mistakes):
        return "nested too deeply. Write it flatter."
    said = [*_about_keys(mistakes), *((_place(each["loc"]), _sentence(each)) for each in mistakes)]
    lines = [f"{place}: {sentence}" if place else sentence for place, sentence in said if sentence]
    return " ".join([*lines[:_MOST], *([f"(and {len(lines) - _MOST} more)"] if lines[_MOST:] else [])])


_MOST = 20  # mistakes, or keys, that are named


def _about_keys(mistakes: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Place and sentence of keys that are missing or unknown, those of one place in one sentence."""
    groups: dict[tuple[str, str], list[str]] = {}  # by place and hint; a missing key has none
    misspelt: set[tuple[str, str]] = set()
    for mistake in mistakes:
        place, key, hint = _place(mistake["loc"][:-1]), str(*mistake["loc"][-1:]), ""
        if mistake["type"] == "extra_forbidden":
            known = mistake["input"].known
            close = difflib.get_close_matches(key, known, n=1)
            misspelt |= {(place, each) for each in close}
            hint = f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(known)}."
        if mistake["type"] in _ABOUT_KEYS:
            groups.setdefault((place, hint), []).append(key)
    for place, hint in sorted(groups):
        keys = groups[place, hint]
        if hint:
            yield place, f"{_listed(keys)} {'are not keys' if keys[1:] else 'is not a key'}. {hint}"
        elif missing := [key for key in keys if (place, key) not in misspelt]:
            yield place, f"the {_keys_are(missing)} missing."


_ABOUT_KEYS = ("missing", "extra_forbidden")


def _keys_are(keys: Sequence[str]) -> str:
    return f"keys {_listed(keys)} are" if keys[1:] else f"key {_listed(keys)} is"


def _listed(keys: Sequence[str]) -> str:
    *some, last = [repr(key[:60]) for key in keys[:_MOST]] + ([f"{len(keys) - _MOST} more"] if keys[_MOST:] else [])
    return f"{', '.join(some)} and {last}" if some else last


def _place(location: tuple[int | str, ...]) -> str:
    """``('arms', 1, 'schedule', 'exponential', 'every')`` as ``arms[1].schedule.every``."""
    place = ""
    kind_next = False
    for part in location:
        if isinstance(part, int):
            place += f"[{part}]"
            continue  # what follows schedules[0] is still its kind
        if not kind_next:
            place += f".{part}" if place else part
        kind_next = not kind_next and part in _HAVE_A_KIND
    return place


_HAVE_A_KIND = ("schedule", "optimizer", "data", "then", "schedules", "of")
"""Keys whose value has a kind, which pydantic puts into the place of a mistake."""


_ADVICE = {
    "bool_type": "Write true or false.",
    "finite_number": "Write a number.",
    "float_type": "Write a number.",
    "greater_than": "Write a number above {gt}.",
    "greater_than_equal": "Write a number of at least {ge}.",
    "int_from_float": "Write a whole number.",
    "int_type": "Write a whole number.",
    "less_than": "Write a number below {lt}.",
    "less_than_equal": "Write a number of at most {le}.",
    "literal_error": "Write {expected}.",
    "model_attributes_type": "Write an object in {{ }}.",
    "model_type": "Write an object in {{ }}.",
    "string_pattern_mismatch": "Write it without control characters.",
    "string_too_short": "Write at least one character.",
    "string_type": "Write text in quotes.",
    "too_short": "Write at least {min_length}.",
    "tuple_type": "Write a list in [ ].",
    "union_tag_invalid": "Write as its kind {expected_tags}.",
    "union_tag_not_found": "Write its 'kind' as well.",
}
"""What to write instead, by pydantic's name of the mistake."""


def _sentence(mistake: Any) -> str:
    if mistake["type"] in _ABOUT_KEYS:
        return ""
    limits = mistake.get("ctx", {})
    if mistake["type"] == "value_error":  # raised by our own code, which has said it all
        return str(limits["error"])
    received = repr(limits["tag"] if mistake["type"] == "union_tag_invalid" else mistake["input"])
    received = received if len(received) <= 60 else received[:57] + "..."
    advice = _ADVICE.get(mistake["type"])
    return f"got {received}. {advice.format(**limits) if advice else mistake['msg'] + '.'}"
