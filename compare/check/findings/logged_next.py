"""The finding `logged-next`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from ...causes import snippets
from ...causes.scene import Fix
from ..base import Finding
from ..code import in_language
from ..scene import Scene


class LoggedNext(Finding):
    """The log holds the rate of the next update: its last row has the rate after the end.

    Attributes:
        step: The step of the last row.
        says: ``format`` where the log's format is known to hold next rates; ``rates`` where its last rate is 0.

    What you see:
        The last row has a rate of 0, although an update with a rate of 0 would do nothing.

    How it comes about:
        `scheduler.get_last_lr()` was read after `scheduler.step()`. Keras' `optimizer.learning_rate` in
        `on_train_batch_end` is the next update's rate as well.

    What it rests on:
        The format of the log; or a last rate of 0 in the last row alone, at the end of a schedule that falls to 0.

    The fix:
        Read the rate before the update.

    See also:
        lesson 5: which rate.
    """

    step: int
    says: str

    @classmethod
    def found(cls, scene: Scene) -> Iterator[Self]:
        """Logs without facts."""
        if scene.facts is not None:
            return
        for _, timeline, _ in scene.followed:
            side, rates = timeline.inference.side, timeline.rates
            last = int(rates.step[-1])
            if side.conventions.get("lr_timing") == "next" and "lr_timing" not in scene.stated:
                yield cls(last, "format", severity="note")
            elif "lr_timing" in side.open and len(rates) > 2 and rates.lr[-1] == 0 < rates.lr[-2] and _falls(rates.lr):
                yield cls(last, "rates", severity="warning")

    def sentence(self, scene: Scene) -> str:
        """Which row shows it."""
        if self.says == "format":
            return (
                "This format holds the rate of the next update in each row, so that the last row's rate was never used."
            )
        return (
            f"The last row, at step {self.step:,}, has a rate of 0, the end of the schedule: the log holds the rate of "
            "the next update, and the last one was never used."
        )

    def fix(self, scene: Scene) -> Fix:
        """Read it before."""
        code = in_language(scene, snippets.READ_BEFORE["PyTorch"], snippets.READ_BEFORE["Keras"])
        return Fix("Log the rate before the update. To read this log as it is, add --log lr_timing=next.", code)


def _falls(lr: object) -> bool:
    import numpy as np

    rates = np.asarray(lr)
    peak = int(rates.argmax())
    return bool((np.diff(rates[peak:]) <= 0).all() and (np.diff(rates[peak:]) < 0).sum() >= 2)
