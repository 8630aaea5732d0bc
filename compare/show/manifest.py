"""With what a result came about, for its manifest and its report."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

DRAWS = ("numpy", "pandas", "matplotlib")
"""What every table and figure is made with."""


def versions(*names: str) -> dict[str, str]:
    """The version of samestep, and of what else took part and is installed here."""
    found = {"samestep": experiment.__version__}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a framework under another name, such as tensorflow-cpu
            continue
    return found


def machine() -> dict[str, str]:
    """What this computer is."""
    return {"system": platform.system(), "processor": platform.machine()}
