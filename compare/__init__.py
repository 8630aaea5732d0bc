"""Lines traces up, says where and why they part, shows it.

Two calls stand for themselves: ``compare.infer(trace)`` says which schedule a trace follows, and
``compare.diagnose(a, b, clock)`` why two differ. Both take a trace of one run, or `compare.diagnose.rates.Rates`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["diagnose", "infer"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that `import compare` stays light."""
    if name == "infer":
        from compare.calls import infer

        return infer
    if name == "diagnose":  # the package of this name is callable: see there
        import compare.diagnose

        return compare.diagnose
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
