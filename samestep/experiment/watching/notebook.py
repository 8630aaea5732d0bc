"""Where the facts of a run are kept while it trains, and the file beside its recording."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from samestep.experiment.trace import write_json
from samestep.experiment.watching.facts import Facts


class Notebook:
    """The facts of one process, written beside its recording.

    path : of the recording, ``RUN.csv``; the facts go into ``RUN.facts.json``.
    """

    def __init__(self, path: str | Path, facts: Facts) -> None:
        self.path, self.facts = Path(path), facts
        self._written: dict[str, Any] = {}
        self._lock = threading.Lock()

    def write(self) -> None:
        """Write the facts where they have changed: beside their place, and moved there. A full disk is left alone."""
        with self._lock, suppress(OSError, RuntimeError):  # what changes meanwhile is written next time
            told = self.facts.to_json()
            if told != self._written:
                write_json(self.path.with_suffix(".facts.json"), told)
                self._written = told
