"""With what a result came about, for its manifest and its report."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from samestep import experiment

DRAWS = ("numpy", "pandas", "matplotlib")
"""What every table and figure is made with."""


def versions(*names: str) -> dict[str, str]:
    """The version of samestep, and of what else took part and is installed here."""
    found = {"samestep": experiment.__version__}
    for name in names:
        with suppress(PackageNotFoundError):  # a framework under another name, such as tensorflow-cpu
            found[name] = version(name)
    return found


def machine() -> dict[str, str]:
    """What this computer is."""
    return {"system": platform.system(), "processor": platform.machine()}
