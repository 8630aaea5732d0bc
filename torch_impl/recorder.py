"""Record what each update of a PyTorch run used."""

from __future__ import annotations

import platform
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from experiment.recording import Recording, Source, not_a_loss


@contextmanager
def record(
    path: str | Path, arm: str | None = None, steps_per_epoch: int | None = None, start: int | None = None
) -> Iterator[Recorder]:
    """Record every update of every optimizer while the block runs: ``with torch_impl.record("run.csv") as recorder:``.

    path, arm, steps_per_epoch, start : as `Recorder` takes them.
    Yields the Recorder, for losses: ``recorder.log(loss)``.
    """
    recorder = Recorder(path, arm, steps_per_epoch, start)
    recorder._watch_all()
    try:
        yield recorder
    finally:
        recorder.release()


class Recorder:
    """Notes the rate that each update was multiplied with, and the batch's own loss.

    path : file that gets one row per update and parameter group, ending in `.csv`. A recording that is there is taken
        up again. None keeps everything in memory, as `lr` and `loss`.
    arm : a name for what is recorded; by default the optimizer's class, as Lightning's LearningRateMonitor names it:
        ``Adam``, ``Adam/pg1``, ``Adam-1``.
    steps_per_epoch : updates in an epoch; without it rows have no epoch and no batch.
    start : step of the first update; by default 0, or the step after the last one in the file.

    Raises ValueError with one line where one of these cannot be, or where `path` cannot be recorded into.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        arm: str | None = None,
        steps_per_epoch: int | None = None,
        start: int | None = None,
    ) -> None:
        versions = {"python": platform.python_version(), "torch": torch.__version__}
        self._recording = Recording("torch", versions, path, arm, steps_per_epoch, start)
        self._met: weakref.WeakKeyDictionary[torch.optim.Optimizer, Source] = weakref.WeakKeyDictionary()
        self._undo: list[Callable[[], None]] = []
        self._all = False

    @property
    def lr(self) -> list[float]:
        """The rate of each update, in order, where there is no file: the first parameter group's."""
        return self._recording.lr

    @property
    def loss(self) -> list[float]:
        """The loss of each update, in order, where there is no file; NaN where none was logged."""
        return self._recording.loss

    def watch(self, optimizer: torch.optim.Optimizer) -> None:
        """Note the rate of every update of this optimizer, until `release`.

        The rate is taken as `optimizer.step()` begins. Read after `scheduler.step()`, it is the next update's rate.
        """
        if self._all:
            return
        self._recording.reopen()
        self._undo.append(optimizer.register_step_pre_hook(self._begin).remove)
        self._undo.append(optimizer.register_step_post_hook(self._end).remove)

    def log(self, loss: Any) -> None:
        """Note a loss, a number or a tensor of one: of the update just done, or of the next one.

        Which of the two, the first call says: before the first update, each belongs to the next update, and several
        of them make a mean; after it, each belongs to the update just done.

        Raises TypeError or ValueError, with one line, for what is no such number.
        """
        try:
            value = float(loss.item() if isinstance(loss, torch.Tensor) else loss)
        except (TypeError, ValueError, RuntimeError):
            raise not_a_loss(loss) from None
        self._recording.updates.heard.append(value)

    def release(self) -> None:
        """Leave the optimizers as they were, write what is left and let go of the file."""
        while self._undo:
            self._undo.pop()()
        self._all = False
        self._recording.close()

    def _watch_all(self) -> None:
        self._recording.reopen()
        self._undo.append(register_optimizer_step_pre_hook(self._begin).remove)
        self._undo.append(register_optimizer_step_post_hook(self._end).remove)
        self._all = True

    def _begin(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """`optimizer.step()` begins: this is the rate that it will use."""
        source = self._met.get(optimizer)
        if source is None:
            names = [group.get("name") for group in optimizer.param_groups]
            source = self._met[optimizer] = self._recording.updates.source(type(optimizer).__name__, names)
        # a fused optimizer takes part in a step that GradScaler found infinite, and leaves the weights as they are
        skipped = optimizer.__dict__.get("found_inf")
        if skipped is not None and skipped.item():
            return
        groups = optimizer.param_groups
        # a rate that is a tensor changes in place: it is read now
        rates = float(groups[0]["lr"]) if len(groups) == 1 else [float(group["lr"]) for group in groups]
        self._recording.updates.heard.extend((source, rates))

    def _end(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """`optimizer.step()` is done: the update took place."""
        self._recording.updates.heard.append(None)
