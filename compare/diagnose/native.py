"""A schedule in a line or two of either framework, to be pasted: what a fix is made of.

`samestep translate` writes whole programs, with proof, in a process of the framework. This writes what the framework's
documentation would: a constructor. A schedule that has none is left to `translate`, and the lines say so.
"""

from __future__ import annotations

import shlex

from compare.diagnose import native_keras, native_torch
from compare.diagnose.native_keras import Counts
from compare.terms import Language
from experiment.clock import Duration
from experiment.schedules import Schedule
from experiment.schedules.text import to_short


def plain(duration: Duration) -> str:
    """The number of steps alone."""
    return str(duration.count)


def in_epochs(steps_per_epoch: int) -> Counts:
    """Whole epochs as a product with `steps_per_epoch`, other durations as they are."""

    def count(duration: Duration) -> str:
        epochs, rest = divmod(int(duration.count), steps_per_epoch) if steps_per_epoch > 1 else (0, 1)
        return f"{epochs} * steps_per_epoch" if epochs and not rest else str(duration.count)

    return count


def written(schedule: Schedule, language: Language, count: Counts = plain) -> str:
    """The code of a schedule: defines `learning_rate` for Keras, `scheduler` for PyTorch.

    count : writes its durations.
    """
    found = native_keras.written(schedule, count) if language == "Keras" else native_torch.written(schedule, count)
    if found is None:
        return _left_to_translate(schedule, language)
    return found if language == "Keras" else f"# the optimizer is made with lr={schedule.base_lr!r}\n{found}"


def _left_to_translate(schedule: Schedule, language: Language) -> str:
    text = to_short(schedule)
    asked = shlex.quote(text) if len(text) <= 200 else "schedule.json"
    to = "keras" if language == "Keras" else "torch"
    return f"# {language} has no class for this schedule. Have one written:\n# samestep translate {asked} --to {to}"
