"""What `configure_optimizers` of Lightning returns for a scheduler: a dictionary that says how often it is stepped.

Held against Lightning 2. It is no text of its own: the code that holds it is read, see `code`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from samestep.experiment.clock import Stepping

KEYS = ("scheduler", "interval", "frequency", "monitor", "strict", "name", "reduce_on_plateau")
"""The keys of the dictionary."""


def config_in(values: dict[Any, Any], made: type) -> dict[Any, Any] | None:
    """The dictionary of a scheduler, where it is one or `configure_optimizers` returns one; else None.

    Args:
        values: A dictionary.
        made: What a scheduler is an instance of.
    """
    if isinstance(values.get("scheduler"), made) and set(values) <= set(KEYS):
        return values
    alone = values.get("lr_scheduler")
    return {"scheduler": alone} if "optimizer" in values and isinstance(alone, made) else None


def check_stepping(values: Mapping[Any, Any], stepping: Stepping) -> None:
    """Raise ValueError, with what to write, where the scheduler is stepped otherwise than it is read.

    Args:
        values: The dictionary. Without ``interval`` Lightning steps once per epoch, without ``frequency`` every time.
        stepping: How often it is read to be stepped.
    """
    interval, frequency = values.get("interval", "epoch"), values.get("frequency", 1)
    if interval not in ("step", "epoch"):
        raise ValueError(f"interval: got {interval!r:.60}. Lightning takes 'step' and 'epoch'; write one.")
    if frequency != 1:
        raise ValueError(
            f"frequency: got {frequency!r:.60}, with which the scheduler is stepped more rarely. Write 1, and the "
            "schedule that it then gives."
        )
    if interval != stepping:
        said = f"'interval': '{interval}'" if "interval" in values else "a dictionary without 'interval'"
        add = "Add --stepping epoch" if interval == "epoch" else "Leave out --stepping epoch"
        raise ValueError(f"with {said} Lightning steps the scheduler once per {interval}. {add}.")
