"""Record what each update of a PyTorch run used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class Recorder:
    """Notes the rate that each update was multiplied with, and the batch's own loss.

    lr, loss : lists of float, one of each per update.
    """

    def __init__(self) -> None:
        self.lr: list[float] = []
        self.loss: list[float] = []
        self._undo: list[Callable[[], None]] = []

    def watch(self, optimizer: torch.optim.Optimizer) -> None:
        """Note the rate of every update of this optimizer, until `release`.

        The rate is taken as `optimizer.step()` begins. Read after `scheduler.step()`, it is the next update's rate.
        """

        def noting(stepping: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
            self.lr.append(float(stepping.param_groups[0]["lr"]))

        self._undo.append(optimizer.register_step_pre_hook(noting).remove)

    def log(self, loss: float) -> None:
        """Note the loss of the update just done."""
        self.loss.append(loss)

    def release(self) -> None:
        """Leave the optimizer as it was."""
        while self._undo:
            self._undo.pop()()
