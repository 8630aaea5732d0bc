"""Which line of code a call came from: the innermost one of the user's own."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType

from samestep.experiment.watching.facts import Place

_LIBRARIES = tuple(
    {
        str(Path(each).resolve())
        for each in (
            *(sysconfig.get_path(name) or "" for name in ("stdlib", "platstdlib", "purelib", "platlib")),
            *site.getsitepackages(),
            site.getusersitepackages(),
        )
        if each
    }
)
_OURS = tuple(str(Path(__file__).resolve().parents[3] / name) for name in ("samestep", "tf_impl", "torch_impl"))


_OWN: dict[tuple[CodeType, int], Place] = {}
"""Lines of the user's own that called before: most do so at every update."""


def caller(frame: FrameType | None = None, behind: tuple[str, ...] = ()) -> Place | None:
    """The innermost line of the user's own code that a call comes from.

    Args:
        frame: Where to begin; by default the caller of this.
        behind: Names of packages that are never named, such as ``keras``: where no line is the user's own, it is the
            innermost one of another library. None where there is none.
    """
    frame = frame or sys._getframe(1)
    place = _OWN.get((frame.f_code, frame.f_lineno))
    if place is not None:
        return place
    if _kind(frame.f_code.co_filename) == "own":
        place = _OWN[frame.f_code, frame.f_lineno] = Place(_whole(frame.f_code.co_filename), frame.f_lineno)
        return place
    library = None
    for each in frames(frame):
        kind = _kind(each.f_code.co_filename)
        if kind == "own":
            return Place(_whole(each.f_code.co_filename), each.f_lineno)
        if kind == "library" and library is None and each.f_globals.get("__name__", "").split(".")[0] not in behind:
            library = Place(_whole(each.f_code.co_filename), each.f_lineno)
    return library


def is_own(frame: FrameType) -> bool:
    """Whether a frame is of the user's own code."""
    return _kind(frame.f_code.co_filename) == "own"


def epoch_of(frame: FrameType | None) -> int | None:
    """What the innermost code of the user's own calls `epoch`; None where it is no whole number."""
    for each in frames(frame):
        if is_own(each) and type(epoch := each.f_locals.get("epoch")) is int:
            return int(epoch)
    return None


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and all that called it, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


@lru_cache(maxsize=4096)
def _whole(file: str) -> str:
    """The whole path of a file that was run by a part of it; a cell of a notebook is ``In [3]``."""
    cell = _cell(file)
    if cell is not None:
        return f"In [{cell}]"
    return file if file.startswith("<") else os.path.abspath(file)


def _cell(file: str) -> int | None:
    """The number of the cell whose code has this name; None for what is no cell."""
    if "ipykernel_" not in file and not file.startswith("<ipython-input"):
        return None
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    numbers: dict[str, int] = getattr(getattr(shell, "compile", None), "_filename_map", {})
    return numbers.get(file)


@lru_cache(maxsize=4096)
def _kind(file: str) -> str:
    """``own`` for the user's code, ``library`` for what was installed, ``other`` for Python, ours and no file."""
    if (file.startswith("<") and not file.startswith("<ipython-input")) or "__autograph_generated_file" in file:
        return "other"
    path = str(Path(file).resolve())
    if path.startswith(_OURS):
        return "other"
    if "site-packages" in path or "dist-packages" in path:
        return "library"
    return "other" if path.startswith(_LIBRARIES) else "own"
