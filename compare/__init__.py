"""Lines traces up, says where and why they part, shows it.

``compare.diagnose(a, b, clock)`` says why two traces differ: it takes traces of one run each, or
`compare.rates.Rates`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["diagnose"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that `import compare` stays light."""
    if name == "diagnose":  # the package of this name is callable: see there
        import compare.diagnose

        return compare.diagnose
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
