"""Errors name the options of the command; whoever calls from Python reads the names of arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Found = TypeVar("_Found")


def for_python(call: Callable[_Arguments, _Found]) -> Callable[_Arguments, _Found]:
    """The same call, whose errors name arguments where those of the command name options."""

    @wraps(call)
    def called(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Found:
        try:
            return call(*arguments, **named)
        except (ValueError, RuntimeError) as error:
            first, *others = error.args or ("",)
            error.args = (_OPTION.sub(_argument, first) if isinstance(first, str) else first, *others)
            raise

    return called


_OPTION = re.compile(r"--([a-z][a-z-]*)")


def _argument(option: re.Match[str]) -> str:
    name = option[1].replace("-", "_")
    return _ARGUMENTS.get(name, name)


_ARGUMENTS = {"a": "of_a", "b": "of_b", "class": "class_name", "force": "force=True", "report": "save(folder)"}
