"""Infer a schedule from a trace; name the cause of a difference.

The package can be called: ``compare.diagnose(a, b, clock)`` is `compare.calls.diagnose`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A package that is a function as well: importing one of its modules puts it in the place of the function."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Why two runs differ: see `compare.calls.diagnose`."""
        from compare.calls import diagnose

        return diagnose(*arguments, **named)


sys.modules[__name__].__class__ = _Callable
