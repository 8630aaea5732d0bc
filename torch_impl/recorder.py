"""Record the rate and the loss of each update of a PyTorch run."""

from __future__ import annotations

import platform
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from samestep.experiment.recording import Recording, Source, not_a_loss


@contextmanager
def record(
    path: str | Path | None, arm: str | None = None, steps_per_epoch: int | None = None, start: int | None = None
) -> Iterator[Recorder]:
    """Record every update of every optimizer while the block runs.

    Args:
        path: see `Recorder`, also for the other arguments.
        arm: a name for the recording.
        steps_per_epoch: updates in an epoch.
        start: step of the first update.

    Yields:
        The Recorder. Losses are logged with ``recorder.log(loss)``.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        >>> with record(None) as recorder:
        ...     optimizer.step()
        ...     recorder.log(0.5)
        >>> recorder.lr, recorder.loss
        ([0.1], [0.5])
    """
    recorder = Recorder(path, arm, steps_per_epoch, start)
    recorder._watch_all()
    try:
        yield recorder
    finally:
        recorder.release()


class Recorder:
    """Records the rate that each update used, and the loss of its batch.

    Args:
        path: file that gets one row per update and parameter group; its name ends in `.csv`. A recording that is
            there already is continued. None keeps everything in memory, as `lr` and `loss`.
        arm: a name for the recording; by default the class of the optimizer, as Lightning's LearningRateMonitor
            names it: ``Adam``, ``Adam/pg1``, ``Adam-1``.
        steps_per_epoch: updates in an epoch; without it rows have no epoch and no batch.
        start: step of the first update; by default 0, or the step after the last one in the file.

    Raises:
        ValueError: one of these is not possible, or `path` cannot be recorded into; the message is one line.
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
        """The rate of each update, of the first parameter group, in order; empty if there is a file."""
        return self._recording.lr

    @property
    def loss(self) -> list[float]:
        """The loss of each update, in order, NaN if none was logged; empty if there is a file."""
        return self._recording.loss

    def watch(self, optimizer: torch.optim.Optimizer) -> None:
        """Record every update of this optimizer, until `release`.

        The rate is read as `optimizer.step()` begins. After `scheduler.step()` it is the rate of the next update.
        """
        if not self._all:
            self._hook(optimizer.register_step_pre_hook, optimizer.register_step_post_hook)

    def log(self, loss: Any) -> None:
        """Log the loss of the last update, or of the next one: a number, or a tensor of one.

        The first call decides which. Before the first update, each loss belongs to the next update, and several
        before one update make a mean. After the first update, each loss belongs to the last update.

        Raises:
            TypeError: `loss` is no number and no tensor.
            ValueError: `loss` is a tensor of several values.
        """
        try:
            value = float(loss.item() if isinstance(loss, torch.Tensor) else loss)
        except (TypeError, ValueError, RuntimeError):
            raise not_a_loss(loss) from None
        self._recording.updates.heard.append(value)

    def release(self) -> None:
        """Restore the optimizers, write the last rows and close the file."""
        while self._undo:
            self._undo.pop()()
        self._all = False
        self._recording.close()

    def _watch_all(self) -> None:
        self._hook(register_optimizer_step_pre_hook, register_optimizer_step_post_hook)
        self._all = True

    def _hook(self, before: Callable[[Any], Any], after: Callable[[Any], Any]) -> None:
        self._recording.reopen()
        self._undo += [before(self._begin).remove, after(self._end).remove]

    def _begin(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """`optimizer.step()` begins: this is the rate that it will use."""
        source = self._met.get(optimizer)
        if source is None:
            names = [group.get("name") for group in optimizer.param_groups]
            source = self._met[optimizer] = self._recording.updates.source(type(optimizer).__name__, names)
        self._note(source, optimizer)

    def _note(self, source: Source, optimizer: torch.optim.Optimizer) -> None:
        """Note the rates of its groups."""
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
