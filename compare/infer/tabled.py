"""A function of the step that is asked again and again, a few steps at a time, looked up instead of computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

OFTEN = 4
"""Times that a function is asked before a table is worth making."""

MOST = 1 << 17
"""Steps of the longest table, one megabyte; a function is computed at any later one."""


class Tabled:
    """Values of a function of the step, each computed by itself whatever else is asked.

    function : takes int64 from 0 on, gives float64 of the same shape.
    """

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self._function = function
        self._values = np.empty(0)
        self._asked = 0

    def __call__(self, step: np.ndarray) -> np.ndarray:
        """Its values at these steps."""
        highest = int(step.max(initial=0))
        if highest >= MOST or step.min(initial=0) < 0:
            return self._function(step)
        if highest >= len(self._values):
            self._asked += 1
            if self._asked <= OFTEN:
                return self._function(step)
            self._values = self._function(np.arange(min(2 * highest + 1, MOST)))
        return np.asarray(self._values[step])
