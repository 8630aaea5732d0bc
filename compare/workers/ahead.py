"""Imports a module on a thread of its own, while the main thread waits for something else."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from importlib import import_module
from types import ModuleType


class Ahead(AbstractContextManager["Ahead"]):
    """A module that is needed later: ``with Ahead("samestep._compare.training.result") as results``.

    The thread is waited for at the end of the block, however that is left, as by Ctrl-C: a process that ends in the
    midst of an import may crash.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = ThreadPoolExecutor(1)
        self._imported: Future[ModuleType] | None = None

    def begin(self) -> None:
        """Begin with the import, and return at once."""
        self._imported = self._thread.submit(import_module, self._name)

    def module(self) -> ModuleType:
        """The module, once it is there. Raises here what its import raised."""
        return import_module(self._name) if self._imported is None else self._imported.result()

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
