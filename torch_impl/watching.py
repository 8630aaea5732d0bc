"""Watch a PyTorch run from outside: its updates, who made its schedulers, stepped them, set its rates, and where."""

from __future__ import annotations

import functools
import inspect
import json
import math
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any, Generic, TypeVar

import torch
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from samestep.experiment.clock import Clock
from samestep.experiment.recording import Source
from samestep.experiment.schedules.text import to_json
from samestep.experiment.watching import (
    Facts,
    Group,
    Notebook,
    Optimizer,
    Place,
    Scheduler,
    Steps,
    Writes,
    caller,
    epoch_of,
    is_own,
)
from torch_impl import reading
from torch_impl.recorder import Recorder

_BEHIND = ("torch",)
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

ASKED = 2_000
"""Counts for which a function of the user's own is asked."""


def watch(notebook: Notebook) -> Watching:
    """Watch whatever this process trains from here on, until it is told to end.

    Args:
        notebook: Where facts are noted; the rates go into its recording.

    Returns:
        What watches; its `finish` writes all that is left.
    """
    return Watching(notebook)


class Watching:
    """Puts itself around PyTorch's public entry points: optimizers, schedulers, data loaders, `backward`.

    notebook : where facts are noted.
    """

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self._recorder: Recorder | None = None
        self._optimizers: _ByIdentity[torch.optim.Optimizer, _Optimizer] = _ByIdentity()
        self._schedulers: _ByIdentity[LRScheduler, _Scheduler] = _ByIdentity()
        # what is noted stays when what it is about is gone, as all is at the end of a function that trains
        self._noted: list[_Optimizer | _Scheduler] = []
        self._unread: list[_Scheduler] = []
        # functions that a `LambdaLR` was made with: they are asked when the run is over, and may hold on to a model
        self._functions: deque[tuple[_Scheduler, Callable[[int], float]]] = deque(maxlen=4)
        self._stepping: list[LRScheduler] = []  # schedulers whose `step` is under way, the outermost first
        self._making = 0  # optimizers and schedulers whose `__init__` is under way
        self._backward = 0  # passes back since the last update
        self._passes = _Passes(self)
        self._undo: list[Callable[[], None]] = []
        self._reader: int | None = None  # the thread that reads a scheduler, and makes others for it
        self.attach()

    @property
    def is_ours(self) -> bool:
        """Whether this thread reads a scheduler, and makes others for it."""
        return self._reader is not None and self._reader == threading.get_ident()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is made and stepped meanwhile is not the user's."""
        self._reader = threading.get_ident()
        try:
            yield
        finally:
            self._reader = None

    @property
    def recorder(self) -> Recorder:
        """What records the rates; its file is made now, if it was not."""
        if self._recorder is None:
            self._recorder = Recorder(self.notebook.path)
            recording = self._recorder._recording
            recording.reopen()
            recorded = recording.drain

            def drain() -> None:
                recorded()
                self.refresh()
                self.notebook.write()

            recording.drain = drain
        return self._recorder

    def detach(self) -> None:
        """Take everything off again; what was noted stays."""
        while self._undo:
            self._undo.pop()()

    def finish(self) -> None:
        """Write all that is left, and take everything off again."""
        self.detach()
        for scheduler, function in self._functions:
            scheduler.ask(function, 2 * self.updates)
        self._functions.clear()
        if self._recorder is not None:
            self._recorder.release()
            self.refresh()
        self.notebook.write()

    def forked(self) -> None:
        """This process is a copy of the one that was watched: that one's file is not its own."""
        self._recorder = None
        for known in self._optimizers.found.values():
            known.source = None
        self.notebook.forked()

    def refresh(self) -> None:
        """Bring the facts up to date."""
        for each in list(self._noted):
            each.refresh()
        self._passes.refresh()

    @property
    def updates(self) -> int:
        """Updates of all optimizers so far."""
        return self.notebook.facts.updates

    def attach(self) -> None:
        """Put ourselves around what is watched."""
        optimizer, scheduler = torch.optim.Optimizer, LRScheduler
        self._undo += [
            register_optimizer_step_pre_hook(self._before_update).remove,
            register_optimizer_step_post_hook(self._after_update).remove,
        ]
        self._wrap(optimizer, "__init__", self._making_optimizer)
        self._wrap(optimizer, "load_state_dict", self._loading_optimizer)
        self._wrap(optimizer, "add_param_group", self._adding_group)
        self._wrap(scheduler, "__init__", self._making_scheduler)
        self._wrap(DataLoader, "__iter__", self._passing)
        self._wrap(torch.Tensor, "backward", self._counting_backward)
        self._wrap(torch.amp.GradScaler, "step", self._scaling)
        for owner in {*_all_subclasses(scheduler), scheduler}:
            self._watch_class(owner)

        def noting_new(cls: type, *args: Any, **kwargs: Any) -> Any:
            made: Any = object.__new__(cls)
            for owner in cls.__mro__:
                if issubclass(owner, scheduler):
                    self._watch_class(owner)
            if not self.is_ours:
                self._meet(made, args, kwargs, sys._getframe(1))
            return made

        scheduler.__new__ = noting_new  # type: ignore[method-assign]
        # a class that once had `__new__` cannot be without: Python's own would refuse the arguments
        self._undo.append(lambda: setattr(scheduler, "__new__", _new))

    def _wrap(self, owner: type, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        before = getattr(owner, name)
        setattr(owner, name, functools.wraps(before)(around(before)))
        self._undo.append(lambda: setattr(owner, name, before))

    def _watch_class(self, owner: type) -> None:
        """Put `step` and `load_state_dict` of a class of schedulers into ours, once."""
        for name, around in (("step", self._stepped), ("load_state_dict", self._loading_scheduler)):
            before = vars(owner).get(name)
            if before is not None and not getattr(before, "_is_watched", False):
                self._wrap(owner, name, around)
                vars(owner)[name]._is_watched = True

    # optimizers

    def _making_optimizer(self, init: Callable[..., Any]) -> Callable[..., Any]:
        def noting_init(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            if self.is_ours:
                return init(optimizer, *args, **kwargs)
            place = caller(sys._getframe(1), _BEHIND)
            self._making += 1
            try:
                init(optimizer, *args, **kwargs)
            finally:
                self._making -= 1
            self._known(optimizer, place)
            return None

        return noting_init

    def _known(self, optimizer: torch.optim.Optimizer, place: Place | None = None) -> _Optimizer:
        """What is noted of an optimizer. Wrappers, as Accelerate's, share the parameter groups of another."""
        found = self._optimizers.found.get(id(optimizer))
        if found is None:
            inner = getattr(optimizer, "optimizer", None)
            if isinstance(inner, torch.optim.Optimizer) and inner.param_groups is optimizer.param_groups:
                return self._optimizers.keep(optimizer, self._known(inner))
            facts = Optimizer(len(self.notebook.facts.optimizers), type(optimizer).__name__, place)
            facts.groups = [Group(float(group["lr"])) for group in optimizer.param_groups]
            self.notebook.facts.optimizers.append(facts)
            found = self._optimizers.keep(optimizer, _Optimizer(facts))
            self._noted.append(found)
            self._watch_groups(optimizer)
        return found

    def _watch_groups(self, optimizer: torch.optim.Optimizer) -> None:
        """Have every group say who sets its rate."""
        groups = optimizer.param_groups
        for place, group in enumerate(groups):
            if type(group) is dict:
                watched = _Watched(group)
                watched.watching = weakref.ref(self)
                groups[place] = watched

    def wrote(self, group: _Watched, frame: FrameType) -> None:
        """The rate of a group was set."""
        if self._stepping or self._making:
            return
        place = caller(frame, _BEHIND)
        if place is not None:
            found = {
                (known.facts.id, number)  # an optimizer and its wrapper are one
                for optimizer, known in self._optimizers.items()
                for number, each in enumerate(optimizer.param_groups)
                if each is group
            }
            for optimizer_id, number in found:
                self._note_write(optimizer_id, number, place)

    def _note_write(self, optimizer: int, group: int, place: Place) -> None:
        writes = self.notebook.facts.writes
        key = (optimizer, group, place.file, place.line)
        found = next((each for each in writes if (each.optimizer, each.group, each.file, each.line) == key), None)
        if found is None:
            found = Writes(optimizer, group, place.file, place.line, "The code", 0, self.updates)
            writes.append(found)
        found.count += 1
        found.last_at = self.updates

    def _before_update(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        while self._unread:  # all that was made before an update is whole by now
            self._unread.pop()._read()
        recorder, known = self._recorder, self._optimizers.found.get(id(optimizer))
        if recorder is None or known is None or known.source is None:
            self.recorder._begin(optimizer, args, kwargs)
        else:
            recorder._note(known.source, optimizer)

    def _after_update(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        recorder = self._recorder or self.recorder
        recorder._end(optimizer, args, kwargs)
        known = self._optimizers.found.get(id(optimizer)) or self._known(optimizer)
        facts = self.notebook.facts
        if known.source is None:
            known.source = recorder._met.get(optimizer)
            if facts.trainer is None:
                facts.trainer = _trainer(sys._getframe(1))
                facts.planned_epochs = _planned(sys._getframe(1)) if facts.trainer else None
                facts.process.rank, facts.process.world_size = _process()
        known.facts.updates += 1
        known.backward[self._backward] = known.backward.get(self._backward, 0) + 1
        self._backward = 0
        facts.updates += 1
        if self._passes.begun is not None:
            self._passes.trained()
        elif self._passes.by_hand:
            self._passes.counted(sys._getframe(1))
        if self.notebook.ends_early:
            self.notebook.stop_after(facts.updates)

    def _adding_group(self, add: Callable[..., Any]) -> Callable[..., Any]:
        def noting_add(optimizer: Any, group: Any, *args: Any, **kwargs: Any) -> Any:
            done = add(optimizer, group, *args, **kwargs)
            if not (self._making or self.is_ours):
                known, place = self._known(optimizer), caller(sys._getframe(1), _BEHIND)
                lr = float(optimizer.param_groups[-1]["lr"])
                known.facts.groups.append(Group(lr, self.updates, place))
                self._watch_groups(optimizer)
            return done

        return noting_add

    def _loading_optimizer(self, load: Callable[..., Any]) -> Callable[..., Any]:
        def noting_load(optimizer: Any, state: Any, *args: Any, **kwargs: Any) -> Any:
            done = load(optimizer, state, *args, **kwargs)
            known = self._known(optimizer)
            known.facts.loaded_at, known.facts.loaded_step = known.facts.updates, _loaded_step(optimizer)
            rates = [(group["lr"], group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
            known.facts.loaded_decayed = any(float(lr) != float(initial) for lr, initial in rates)
            self._watch_groups(optimizer)
            return done

        return noting_load

    def _scaling(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def noting_step(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            known = self._known(optimizer)
            before = known.facts.updates
            done = step(scaler, optimizer, *args, **kwargs)
            if known.facts.updates == before:
                known.facts.skipped += 1
                self._backward = 0
            return done

        return noting_step

    def _counting_backward(self, backward: Callable[..., Any]) -> Callable[..., Any]:
        def counting(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            self._backward += 1
            return backward(tensor, *args, **kwargs)

        return counting

    # schedulers

    def _meet(self, made: LRScheduler, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType) -> None:
        noted = self._schedulers.keep(made, _Scheduler(self, made, args, kwargs, caller(frame, _BEHIND)))
        self._noted.append(noted)
        self._unread.append(noted)

    def _making_scheduler(self, init: Callable[..., Any]) -> Callable[..., Any]:
        def noting_init(scheduler: Any, *args: Any, **kwargs: Any) -> None:
            if self.is_ours:
                init(scheduler, *args, **kwargs)
                return
            self._making += 1
            try:
                init(scheduler, *args, **kwargs)
            finally:
                self._making -= 1

        return noting_init

    def _stepped(self, step: Callable[..., Any]) -> Callable[..., Any]:
        schedulers, stepping = self._schedulers.found, self._stepping

        def noting_step(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            known = schedulers.get(id(scheduler))
            if known is None or (stepping and stepping[-1] is scheduler) or (self._reader is not None and self.is_ours):
                return step(scheduler, *args, **kwargs)
            if stepping:
                known.is_part_of(stepping[-1])
            elif not self._making:
                known.stepped(scheduler, sys._getframe(1), bool(args or kwargs))
            stepping.append(scheduler)
            try:
                return step(scheduler, *args, **kwargs)
            finally:
                stepping.pop()

        return noting_step

    def _loading_scheduler(self, load: Callable[..., Any]) -> Callable[..., Any]:
        def noting_load(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            done = load(scheduler, *args, **kwargs)
            known = self._schedulers.found.get(id(scheduler))
            if known is not None:
                known.facts.loaded_at = self.updates
                known.facts.began_at = max(0, int(getattr(scheduler, "last_epoch", 0)) - known.calls)
            return done

        return noting_load

    def _passing(self, iterate: Callable[..., Any]) -> Callable[..., Any]:
        def passing(loader: Any) -> Any:
            self._passes.begin(loader)
            return iterate(loader)

        return passing

    def optimizer_of(self, scheduler: LRScheduler) -> _Optimizer | None:
        """What is noted of the optimizer of a scheduler."""
        optimizer = getattr(scheduler, "optimizer", None)
        return self._known(optimizer) if isinstance(optimizer, torch.optim.Optimizer) else None

    def keep(self, scheduler: _Scheduler, function: Callable[[int], float]) -> None:
        """Ask a function of the user's own when the run is over."""
        self._functions.append((scheduler, function))

    def id_of(self, scheduler: LRScheduler) -> int | None:
        """The id of a scheduler."""
        known = self._schedulers.found.get(id(scheduler))
        return None if known is None else known.facts.id

    @property
    def passes(self) -> int:
        """Passes over the training data that trained something so far."""
        return len(self.notebook.facts.epochs)


class _ByIdentity(Generic[K, V]):
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


class _Watched(dict[str, Any]):
    """A parameter group that says who sets its rate. Copied or saved, it is a plain dict."""

    watching: weakref.ref[Watching] | None = None

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key == "lr" and self.watching is not None and (watching := self.watching()) is not None:
            watching.wrote(self, sys._getframe(1))

    def update(self, *values: Any, **by_name: Any) -> None:
        new = dict(*values, **by_name)
        super().update(new)
        if "lr" in new and self.watching is not None and (watching := self.watching()) is not None:
            watching.wrote(self, sys._getframe(1))

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


class _Optimizer:
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


class _Scheduler:
    """What is noted of a scheduler, and how the lines that step it call."""

    def __init__(
        self,
        watching: Watching,
        scheduler: LRScheduler,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        place: Place | None,
    ) -> None:
        self._watching, self._scheduler = watching, weakref.ref(scheduler)
        known = watching.notebook.facts.schedulers
        self.facts = Scheduler(len(known), type(scheduler).__name__, -1, _arguments(scheduler, args, kwargs), place)
        known.append(self.facts)
        self._is_read = False
        self._moved: _Optimizer | None = None
        self._of = 0  # the identity of the optimizer that it moves, as long as it has that one
        self._lines: dict[tuple[str, int], _Line] = {}
        self._own: dict[tuple[CodeType, int], _Line] = {}  # those of the user's own, by where they are in the code
        self._rate = 0.0

    def is_part_of(self, outer: LRScheduler) -> None:
        """Another scheduler steps this one."""
        self.facts.part_of = self._watching.id_of(outer)

    def stepped(self, scheduler: LRScheduler, frame: FrameType, with_argument: bool) -> None:
        """A line steps it."""
        facts = self._watching.notebook.facts
        line, optimizer = self._own.get((frame.f_code, frame.f_lineno)), self._moved
        if line is None or optimizer is None or id(scheduler.optimizer) != self._of:
            optimizer = self._optimizer(scheduler)
            line = self._line(frame, facts.updates if optimizer is None else optimizer.facts.updates)
        line.called(facts.updates if optimizer is None else optimizer.facts.updates, facts, with_argument)

    def _line(self, frame: FrameType, updates: int) -> _Line:
        """What is noted of a line that steps it, after so many updates of its optimizer."""
        place = caller(frame, _BEHIND)
        key = ("", 0) if place is None else (place.file, place.line)
        line = self._lines.get(key)
        if line is None:
            self._read()
            steps = Steps(*key, 0, self._watching.updates)
            self.facts.steps.append(steps)
            line = self._lines[key] = _Line(steps, updates, self._watching.passes)
        if is_own(frame):
            self._own[frame.f_code, frame.f_lineno] = line
        return line

    @property
    def calls(self) -> int:
        """How often it was stepped."""
        return sum(line.steps.count for line in self._lines.values())

    def refresh(self) -> None:
        """Bring it up to date."""
        scheduler = self._scheduler()
        optimizer = self._moved if scheduler is None else self._optimizer(scheduler)
        for line in self._lines.values():
            line.steps.per = line.per(self._watching, {} if optimizer is None else optimizer.backward)

    def ask(self, function: Callable[[int], float], count: int) -> None:
        """Note what its function gives from the beginning to about this count, at some hundreds of counts."""
        asked: list[tuple[int, float]] = []
        with suppress(Exception):  # beyond the end of what it was written for, it may raise anything
            counts = range(0, count, -(-count // ASKED))
            asked.extend((each, self._rate * float(function(each))) for each in counts)
        self.facts.asked = [pair for pair in asked if math.isfinite(pair[1]) and pair[1] >= 0]

    def _optimizer(self, scheduler: LRScheduler) -> _Optimizer | None:
        """What is noted of the optimizer that it moves."""
        found = self._watching.optimizer_of(scheduler)
        if found is not None:
            self._of = id(scheduler.optimizer)
            self._moved, self.facts.optimizer = found, found.facts.id
        return self._moved

    def _read(self) -> None:
        """What it does, in the vocabulary: as it was made, before it is stepped."""
        scheduler = self._scheduler()
        if self._is_read or scheduler is None or not hasattr(scheduler, "last_epoch"):
            return
        self._is_read = True
        self._optimizer(scheduler)
        self.facts.groups = len(scheduler.base_lrs) if hasattr(scheduler, "base_lrs") else None
        self.facts.began_at = max(0, int(getattr(scheduler, "last_epoch", 0)))
        for part in getattr(scheduler, "_schedulers", ()):
            if (known := self._watching._schedulers.found.get(id(part))) is not None:
                known.facts.part_of = self.facts.id
        try:
            with self._watching.reading():
                self.facts.schedule = _json(reading.read(scheduler, Clock.STEPS, "step"))
        except (ValueError, TypeError, AttributeError, RuntimeError) as error:
            if getattr(scheduler, "lr_lambdas", None) and isinstance(scheduler, LambdaLR):
                self._watching.keep(self, scheduler.lr_lambdas[0])
                self._rate = float(scheduler.base_lrs[0])
            self.facts.why = str(error).splitlines()[0][:300] if str(error) else type(error).__name__


class _Line:
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

    def per(self, watching: Watching, backward: dict[int, int]) -> str:
        """After what it is called."""
        calls = self.steps.count - 1
        size = watching.notebook.facts.steps_per_epoch
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


class _Passes:
    """The passes over the loader that is trained on: the one that was begun last before the first update.

    begun : updates before a pass that has trained nothing yet; None where the pass has. by_hand : whether no loader was
    begun, and the code that trains has a whole number that it calls `epoch`.
    """

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
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
        self.begun = self._watching.updates
        facts = self._watching.notebook.facts
        if self._training is not None:
            self._watching.notebook.stop_before_pass(len(facts.epochs) + 1)

    def trained(self) -> None:
        """An update was made."""
        if self.begun is None:
            return
        if self._training is None:
            self._training = self._last
            loader = self._last() if self._last is not None else None
            with suppress(TypeError, AttributeError):
                self._length = len(loader)  # type: ignore[arg-type]
        self._watching.notebook.facts.epochs.append(self.begun)
        self.begun = None

    def counted(self, frame: FrameType | None) -> None:
        """An update was made by code that cuts its batches itself."""
        facts, epoch = self._watching.notebook.facts, epoch_of(frame)
        if epoch is None:
            self.by_hand = False
        elif not self._epochs or epoch != self._epochs[-1][0]:
            self._epochs.append((epoch, facts.updates - 1))
            if len(self._epochs) > 1:  # one alone may count anything
                rises = all(later[0] == before[0] + 1 for before, later in pairwise(self._epochs))
                facts.epochs = [updates for _, updates in self._epochs] if rises else []
                self.by_hand = rises

    def refresh(self) -> None:
        """Bring what follows from passes up to date."""
        facts = self._watching.notebook.facts
        trained = [each for each in self._watching._noted if isinstance(each, _Optimizer) and each.facts.updates]
        if len(trained) == 1:
            backward = trained[0].backward
            usual = max(backward, key=lambda times: backward[times], default=1)
            facts.accumulation = usual if usual > 1 and backward[usual] >= MOSTLY * sum(backward.values()) else None
        if len(facts.epochs) > 1:
            facts.steps_per_epoch = facts.epochs[1] - facts.epochs[0]
        elif facts.epochs and self._length and len(trained) == 1:
            facts.steps_per_epoch = -(-self._length // (facts.accumulation or 1))


def _new(cls: type, *args: Any, **kwargs: Any) -> Any:
    return object.__new__(cls)


def _all_subclasses(owner: type[Any]) -> Iterator[type[Any]]:
    for each in owner.__subclasses__():
        yield each
        yield from _all_subclasses(each)


def _json(schedule: Any) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(to_json(schedule))
    return held


def _arguments(scheduler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What a scheduler was made with: numbers, texts and lists of them, without its optimizer."""
    try:
        given = inspect.signature(type(scheduler).__init__).bind(scheduler, *args, **kwargs).arguments
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


def _loaded_step(optimizer: torch.optim.Optimizer) -> int | None:
    """The updates that a loaded state had made."""
    counts = [int(state["step"]) for state in optimizer.state.values() if "step" in state]
    return max(counts, default=None)


def _trainer(frame: FrameType | None) -> str | None:
    """The program whose loop an update comes from: the outermost that is known."""
    found = None
    while frame is not None:
        found = _TRAINERS.get(frame.f_globals.get("__name__", "").split(".")[0], found)
        frame = frame.f_back
    return found


def _planned(frame: FrameType | None) -> int | None:
    """The epochs that a trainer was asked for, which it may not reach; None where it was asked for none."""
    while frame is not None:
        library, held = frame.f_globals.get("__name__", "").split(".")[0], frame.f_locals.get("self")
        if library in ("lightning", "pytorch_lightning") and isinstance(
            epochs := getattr(held, "max_epochs", None), int
        ):
            return epochs if epochs > 0 else None
        if library == "transformers" and (arguments := getattr(held, "args", None)) is not None:
            epochs, steps = getattr(arguments, "num_train_epochs", None), getattr(arguments, "max_steps", -1)
            return math.ceil(epochs) if epochs and steps <= 0 else None
        frame = frame.f_back
    return None


def _process() -> tuple[int, int]:
    """The rank of this process, and how many train together."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1
