"""Where the facts of a run are kept while it trains, and the file beside its recording."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from samestep.experiment.trace import write_json
from samestep.experiment.watching.facts import Facts


class EnoughError(SystemExit):
    """The run has made as many updates or passes as it was asked to: it ends as a script does that is done."""


class Notebook:
    """The facts of one process, written beside its recording.

    path : of the recording, ``RUN.csv``; the facts go into ``RUN.facts.json``. Or what gives it, once it is needed.
    updates, epochs : after so many the run ends; None for as many as it makes.
    ends_early : whether the run ends after a number of updates.
    """

    def __init__(
        self,
        path: str | Path | Callable[[], Path],
        facts: Facts,
        updates: int | None = None,
        epochs: int | None = None,
    ) -> None:
        self.facts = facts
        self._path = None if callable(path) else Path(path)
        self._claim = path if callable(path) else None
        self._updates, self._epochs = updates, epochs
        self.ends_early = updates is not None
        self._written: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The recording."""
        if self._path is None:
            assert self._claim is not None
            self._path = self._claim()
        return self._path

    def forked(self) -> None:
        """This process is a copy of the one that trained: it has nothing to write, unless it trains."""
        if self._claim is not None:
            self._path = None
        self.facts = Facts(self.facts.framework, self.facts.command)
        self._written, self._lock = {}, threading.Lock()

    def stop_after(self, updates: int) -> None:
        """End the run where it has made its updates. Raises EnoughError."""
        if self._updates is not None and updates >= self._updates:
            self.facts.cut_by = "updates"
            raise EnoughError(0)

    def stop_before_pass(self, passes: int) -> None:
        """End the run where it has made its passes over the data. Raises EnoughError."""
        if self._epochs is not None and passes > self._epochs:
            self.facts.cut_by = "epochs"
            raise EnoughError(0)

    def write(self) -> None:
        """Write the facts where they have changed: beside their place, and moved there. A full disk is left alone."""
        if self._path is None:
            return
        with self._lock, suppress(OSError, RuntimeError):  # what changes meanwhile is written next time
            told = self.facts.to_json()
            if told != self._written:
                write_json(self._path.with_suffix(".facts.json"), told)
                self._written = told
