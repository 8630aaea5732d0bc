"""What one process of a recorded command does: it waits until a framework is imported, and watches it."""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from wrapt import register_post_import_hook

VARIABLE = "SAMESTEP_RECORD"
"""The variable of the environment that says what to record, as JSON."""

PYTHON, IMPORTED, CLAIMED = "python", "imported", "recording"
"""The notes that a process leaves in the folder of the command: it is a Python, it has a framework, it trains."""


def begin(asked: str) -> None:
    """Wait for a framework.

    Args:
        asked: JSON with ``out``, the recording; ``folder``, where processes leave notes; ``command``; ``updates`` and
            ``epochs``, after how many to end, or null.
    """
    try:
        settings = json.loads(asked)
        folder = Path(settings["folder"])
    except (ValueError, KeyError, TypeError):
        return
    if not folder.is_dir():  # the command that asked is over
        return
    _leave(folder, PYTHON, sys.executable)
    watchers: list[Any] = []
    for name, watcher in (("torch", "torch_impl.watching"), ("keras", "tf_impl.watching")):
        register_post_import_hook(_Watcher(settings, watcher, watchers), name)
    atexit.register(_finish, watchers)
    _note_errors(watchers)
    os.register_at_fork(after_in_child=lambda: [each.forked() for each in watchers if hasattr(each, "forked")] and None)


class _Watcher:
    """Called once a framework was imported."""

    def __init__(self, settings: dict[str, Any], watcher: str, watchers: list[Any]) -> None:
        self._settings, self._watcher, self._watchers = settings, watcher, watchers

    def __call__(self, module: Any) -> None:
        from importlib import import_module

        from samestep.experiment.watching import Facts, Notebook

        if module.__name__ == "keras" and module.backend.backend() != "tensorflow":
            return  # Keras on another framework: its optimizers are not those that are watched
        settings, folder = self._settings, Path(self._settings["folder"])
        _leave(folder, IMPORTED, module.__name__)
        framework = "torch" if module.__name__ == "torch" else "tensorflow"
        claim = _Claim(Path(settings["out"]), folder)
        facts = Facts(framework, list(settings["command"]))
        notebook = Notebook(claim, facts, settings.get("updates"), settings.get("epochs"))
        self._watchers.append(import_module(self._watcher).watch(notebook))


class _Claim:
    """Finds the file of a process once it trains: the first one, or rank 0, has the name that was asked for."""

    def __init__(self, out: Path, folder: Path) -> None:
        self._out, self._folder = out, folder

    def __call__(self) -> Path:
        rank = os.environ.get("RANK", "")
        number = int(rank) if rank.isdigit() else 0
        while True:
            path = self._out if not number else self._out.with_name(f"{self._out.stem}-{number}{self._out.suffix}")
            with suppress(FileExistsError), (self._folder / f"{CLAIMED}-{number}").open("x", encoding="utf-8") as file:
                file.write(str(path))
                return path
            number += 1


def _leave(folder: Path, note: str, said: str) -> None:
    with suppress(OSError):
        (folder / f"{note}-{os.getpid()}").write_text(said, encoding="utf-8")


def _note_errors(watchers: list[Any]) -> None:
    """Note that the program ends with an exception, and let it say so as it would."""
    shown: Callable[..., Any] = sys.excepthook

    def excepthook(kind: Any, error: Any, traceback: Any) -> None:
        for each in watchers:
            each.notebook.facts.ended = "raised"
        shown(kind, error, traceback)

    sys.excepthook = excepthook


def _finish(watchers: list[Any]) -> None:
    for each in watchers:
        facts = each.notebook.facts
        facts.ended = facts.ended or "returned"
        with suppress(OSError):
            each.finish()
