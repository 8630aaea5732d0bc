"""What is noted of the objects of a PyTorch run: optimizers, parameter groups, lines that step, passes, trainers."""

from __future__ import annotations

import functools
import inspect
import json
import math
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import suppress
from itertools import pairwise
from types import FrameType
from typing import Any, Generic, TypeVar

import torch

from samestep.experiment.clock import Clock
from samestep.experiment.recording import Source
from samestep.experiment.schedules.text import to_json
from samestep.experiment.watching import Facts, Notebook, Optimizer, Steps, epoch_of, frames
from torch_impl import reading

_TRAINERS = {
    "lightning": "lightning",
    "pytorch_lightning": "lightning",
    "transformers": "transformers",
    "accelerate": "accelerate",
    "ignite": "ignite",
}

K = TypeVar("K")
V = TypeVar("V")

MOSTLY = 0.8
"""Part of the calls of a line that come in one way."""


class ByIdentity(Generic[K, V]):
    """What is kept of objects while they live, by their identity: found sooner than in a `WeakKeyDictionary`.

    found : by `id`.
    """

    def __init__(self) -> None:
        self.found: dict[int, V] = {}
        self._kept: dict[int, weakref.ref[K]] = {}

    def keep(self, of: K, value: V) -> V:
        """Keep this until the object is gone."""
        key = id(of)

        def forget(_: weakref.ref[K]) -> None:
            self.found.pop(key, None)
            self._kept.pop(key, None)

        self._kept[key] = weakref.ref(of, forget)
        self.found[key] = value
        return value

    def items(self) -> Iterator[tuple[K, V]]:
        """Each object that lives, and what is kept of it."""
        for key, reference in list(self._kept.items()):
            if (of := reference()) is not None:
                yield of, self.found[key]


class WatchedGroup(dict[str, Any]):
    """A parameter group that says who sets its rate. Copied or saved, it is a plain dict.

    moving : schedulers whose `step` is under way; what they set is theirs, and is not told.
    wrote : called with this group and the frame that set its rate; None where nobody listens.
    """

    moving: Sequence[Any] = ()
    wrote: Callable[[WatchedGroup, FrameType], None] | None = None

    def __setitem__(self, key: str, value: Any) -> None:
        dict.__setitem__(self, key, value)
        if key == "lr" and not self.moving and self.wrote is not None:
            self.wrote(self, sys._getframe(1))

    def update(self, *values: Any, **by_name: Any) -> None:
        """Set several values at once, as a dict does."""
        new = dict(*values, **by_name)
        super().update(new)
        if "lr" in new and not self.moving and self.wrote is not None:
            self.wrote(self, sys._getframe(1))

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class NotedOptimizer:
    """What is noted of an optimizer.

    source : its rows in the recording. backward : how many updates came after so many passes back.
    """

    def __init__(self, facts: Optimizer) -> None:
        self.facts = facts
        self.source: Source | None = None
        self.backward: dict[int, int] = {}

    def refresh(self) -> None:
        """Bring the names of its rows up to date."""
        if self.source is not None:
            self.facts.arms = list(self.source.arms)


class Line:
    """A line that steps a scheduler: how many updates and passes lie between two of its calls."""

    def __init__(self, steps: Steps, updates: int, passes: int) -> None:
        self.steps, self._updates, self._passes = steps, updates, passes
        self._none = self._one = self._more = self._in_epochs = 0

    def called(self, updates: int, facts: Facts, with_argument: bool) -> None:
        """It is called, after so many updates of the optimizer."""
        steps, passes = self.steps, len(facts.epochs)
        between = updates - self._updates
        if steps.count:
            if between == 1:
                self._one += 1
            elif between:
                self._more += 1
            else:
                self._none += 1
            if passes > self._passes and between:
                self._in_epochs += 1
        steps.count += 1
        steps.last_at = facts.updates
        if with_argument:
            steps.with_argument = True
        if not updates:
            steps.before_first_update += 1
        self._updates, self._passes = updates, passes

    def per(self, size: int | None, backward: dict[int, int]) -> str:
        """After what it is called, where an epoch has so many updates."""
        calls = self.steps.count - 1
        if calls < 1:  # a single call: after an epoch, where all of one was trained before it
            return "epoch" if size and size > 1 and self.steps.last_at and self.steps.last_at % size == 0 else "other"
        if self._in_epochs >= MOSTLY * calls and size != 1:
            return "epoch"
        if self._one >= MOSTLY * calls:
            return "update"
        if self._none and self._none + self._one >= MOSTLY * calls:
            usual = max(backward, key=lambda times: backward[times], default=1)
            per_update = self.steps.count / max(1, self._one + self._more + 1)
            return "micro-batch" if usual > 1 and abs(per_update - usual) < 0.5 else "several per update"
        return "other"


class Passes:
    """The passes over the loader that is trained on: the one that was begun last before the first update.

    begun : updates before a pass that has trained nothing yet; None where the pass has. by_hand : whether no loader was
    begun, and the code that trains has a whole number that it calls `epoch`.
    """

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        self._training: weakref.ref[Any] | None = None
        self._last: weakref.ref[Any] | None = None
        self.begun: int | None = None
        self._length: int | None = None
        self.by_hand = True
        self._epochs: list[tuple[int, int]] = []  # each epoch of a loop by hand, and the updates before it

    def begin(self, loader: Any) -> None:
        """A pass begins."""
        if self._training is not None and self._training() is not loader:
            return
        self.by_hand = False
        with suppress(TypeError):
            self._last = weakref.ref(loader)
        self.begun = self._notebook.facts.updates
        facts = self._notebook.facts
        if self._training is not None:
            self._notebook.stop_before_pass(len(facts.epochs) + 1)

    def trained(self) -> None:
        """An update was made."""
        if self.begun is None:
            return
        if self._training is None:
            self._training = self._last
            loader = self._last() if self._last is not None else None
            if isinstance(loader, Sized):
                with suppress(TypeError):  # of what is read as it comes, nobody knows the length
                    self._length = len(loader)
        self._notebook.facts.epochs.append(self.begun)
        self.begun = None

    def counted(self, frame: FrameType | None) -> None:
        """An update was made by code that cuts its batches itself."""
        facts, epoch = self._notebook.facts, epoch_of(frame)
        if epoch is None:
            self.by_hand = False
        elif not self._epochs or epoch != self._epochs[-1][0]:
            self._epochs.append((epoch, facts.updates - 1))
            if len(self._epochs) > 1:  # one alone may count anything
                rises = all(later[0] == before[0] + 1 for before, later in pairwise(self._epochs))
                facts.epochs = [updates for _, updates in self._epochs] if rises else []
                self.by_hand = rises

    def refresh(self, optimizers: list[NotedOptimizer]) -> None:
        """Bring what follows from passes, and from the optimizers that trained in them, up to date."""
        facts = self._notebook.facts
        trained = [each for each in optimizers if each.facts.updates]
        if len(trained) == 1:
            backward = trained[0].backward
            usual = max(backward, key=lambda times: backward[times], default=1)
            facts.accumulation = usual if usual > 1 and backward[usual] >= MOSTLY * sum(backward.values()) else None
        if len(facts.epochs) > 1:
            facts.steps_per_epoch = facts.epochs[1] - facts.epochs[0]
        elif facts.epochs and self._length and len(trained) == 1:
            facts.steps_per_epoch = -(-self._length // (facts.accumulation or 1))


def arguments(held: Any, call: tuple[tuple[Any, ...], dict[str, Any]]) -> dict[str, Any]:
    """What a scheduler was made with by a call: numbers, texts and lists of them, without its optimizer."""
    args, kwargs = call
    try:
        given = inspect.signature(type(held).__init__).bind(held, *args, **kwargs).arguments
    except (TypeError, ValueError):  # which its `__init__` will say
        return {}
    for value in list(given.values()):  # as Transformers' functions make `LambdaLR`
        if isinstance(value, functools.partial):
            given.update({key: each for key, each in value.keywords.items() if key not in given})
    plain = (int, float, str, bool)
    return {
        name: list(value) if isinstance(value, list | tuple) else value
        for name, value in given.items()
        if name not in ("self", "optimizer")
        and (isinstance(value, plain) or (isinstance(value, list | tuple) and all(isinstance(x, plain) for x in value)))
    }


def schedule_of(held: Any) -> dict[str, Any]:
    """A schedule in the vocabulary. Raises ValueError for one that cannot be read."""
    read: dict[str, Any] = json.loads(to_json(reading.read(held, Clock.STEPS, "step")))
    return read


def loaded_step(optimizer: torch.optim.Optimizer) -> int | None:
    """The updates that a loaded state had made."""
    counts = [int(state["step"]) for state in optimizer.state.values() if "step" in state]
    return max(counts, default=None)


def trainer(frame: FrameType | None) -> str | None:
    """The program whose loop an update comes from: the outermost that is known."""
    found = None
    for each in frames(frame):
        found = _TRAINERS.get(each.f_globals.get("__name__", "").split(".")[0], found)
    return found


def planned_epochs(frame: FrameType | None) -> int | None:
    """The epochs that a trainer was asked for, which it may not reach; None where it was asked for none."""
    for each in frames(frame):
        library, held = each.f_globals.get("__name__", "").split(".")[0], each.f_locals.get("self")
        if library in ("lightning", "pytorch_lightning") and isinstance(
            epochs := getattr(held, "max_epochs", None), int
        ):
            return epochs if epochs > 0 else None
        if library == "transformers" and (arguments := getattr(held, "args", None)) is not None:
            epochs, steps = getattr(arguments, "num_train_epochs", None), getattr(arguments, "max_steps", -1)
            return math.ceil(epochs) if epochs and steps <= 0 else None
    return None


def process() -> tuple[int, int]:
    """The rank of this process, and how many train together."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
