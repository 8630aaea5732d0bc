"""Watch a PyTorch run from outside: its updates, who made its schedulers, stepped them, set its rates, and where."""

from __future__ import annotations

import functools
import math
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import CodeType, FrameType
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from samestep.experiment.watching import (
    Group,
    Notebook,
    Optimizer,
    Place,
    Scheduler,
    Steps,
    Writes,
    caller,
    is_own,
)
from torch_impl.noted import (
    ByIdentity,
    Line,
    NotedOptimizer,
    Passes,
    WatchedGroup,
    arguments,
    loaded_step,
    planned_epochs,
    process,
    schedule_of,
    trainer,
)
from torch_impl.recorder import Recorder

_BEHIND = ("torch",)

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

    What comes at every update is appended to a list, which costs a training least; `digest` makes facts of it, in the
    thread that writes, or before a fact is asked for.

    notebook : where facts are noted.
    """

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self._recorder: Recorder | None = None
        self._optimizers: ByIdentity[torch.optim.Optimizer, NotedOptimizer] = ByIdentity()
        self._schedulers: ByIdentity[LRScheduler, _Scheduler] = ByIdentity()
        # what is noted stays when what it is about is gone, as all is at the end of a function that trains
        self._noted: list[NotedOptimizer | _Scheduler] = []
        self._unread: list[_Scheduler] = []
        # functions that a `LambdaLR` was made with: they are asked when the run is over, and may hold on to a model
        self._functions: deque[tuple[_Scheduler, Callable[[int], float]]] = deque(maxlen=4)
        self._stepping: list[LRScheduler] = []  # schedulers whose `step` is under way, the outermost first
        self._making = 0  # optimizers and schedulers whose `__init__` is under way
        # an update, a scheduler that is stepped at a line, with an argument or without, or None: a pass back
        self._heard: list[NotedOptimizer | tuple[_Scheduler, Line, bool] | None] = []
        self._lock = threading.RLock()  # held while facts are made of it
        self._backward = 0  # passes back since the last update
        self._passes = Passes(notebook)
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
        self._recorder, self._lock = None, threading.RLock()
        self._heard.clear()
        for known in self._optimizers.found.values():
            known.source = None
        self.notebook.forked()

    def refresh(self) -> None:
        """Bring the facts up to date."""
        with self._lock:
            self.digest()
            for each in list(self._noted):
                each.refresh()
            self._passes.refresh([each for each in self._noted if isinstance(each, NotedOptimizer)])

    def digest(self) -> None:
        """Make facts of what was heard so far."""
        with self._lock:
            facts, heard = self.notebook.facts, self._heard[:]
            del self._heard[: len(heard)]  # a training that goes on meanwhile only appends
            for each in heard:
                if each is None:
                    self._backward += 1
                elif isinstance(each, NotedOptimizer):
                    each.facts.updates += 1
                    each.backward[self._backward] = each.backward.get(self._backward, 0) + 1
                    self._backward = 0
                    facts.updates += 1
                else:
                    scheduler, line, with_argument = each
                    line.called(scheduler.updates, facts, with_argument)

    @property
    def updates(self) -> int:
        """Updates of all optimizers so far."""
        self.digest()
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

    def _known(self, optimizer: torch.optim.Optimizer, place: Place | None = None) -> NotedOptimizer:
        """What is noted of an optimizer. Wrappers, as Accelerate's, share the parameter groups of another."""
        found = self._optimizers.found.get(id(optimizer))
        if found is None:
            inner = getattr(optimizer, "optimizer", None)
            if isinstance(inner, torch.optim.Optimizer) and inner.param_groups is optimizer.param_groups:
                return self._optimizers.keep(optimizer, self._known(inner))
            facts = Optimizer(len(self.notebook.facts.optimizers), type(optimizer).__name__, place)
            facts.groups = [Group(float(group["lr"])) for group in optimizer.param_groups]
            self.notebook.facts.optimizers.append(facts)
            found = self._optimizers.keep(optimizer, NotedOptimizer(facts))
            self._noted.append(found)
            self._watch_groups(optimizer)
        return found

    def _watch_groups(self, optimizer: torch.optim.Optimizer) -> None:
        """Have every group say who sets its rate."""
        groups = optimizer.param_groups
        for place, group in enumerate(groups):
            if type(group) is dict:
                watched = WatchedGroup(group)
                watched.moving, watched.wrote = self._stepping, self.wrote
                groups[place] = watched

    def wrote(self, group: WatchedGroup, frame: FrameType) -> None:
        """The rate of a group was set."""
        if self._making or not self._undo:  # or it was left alone meanwhile
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
        if known.source is None:
            known.source = recorder._met.get(optimizer)
            self._begins(sys._getframe(1))
        self._heard.append(known)
        passes = self._passes
        if passes.begun is not None or passes.by_hand or self.notebook.ends_early:
            updates = self.updates
            if passes.begun is not None:
                passes.trained()
            elif passes.by_hand:
                passes.counted(sys._getframe(1))
            self.notebook.stop_after(updates)

    def _begins(self, frame: FrameType) -> None:
        """An optimizer makes its first update."""
        facts = self.notebook.facts
        if facts.trainer is None:
            facts.trainer = trainer(frame)
            facts.planned_epochs = planned_epochs(frame) if facts.trainer else None
            facts.process.rank, facts.process.world_size = process()

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
            self.digest()
            known.facts.loaded_at, known.facts.loaded_step = known.facts.updates, loaded_step(optimizer)
            rates = [(group["lr"], group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
            known.facts.loaded_decayed = any(float(lr) != float(initial) for lr, initial in rates)
            self._watch_groups(optimizer)
            return done

        return noting_load

    def _scaling(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def noting_step(scaler: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            known = self._known(optimizer)
            self.digest()
            before = known.facts.updates
            done = step(scaler, optimizer, *args, **kwargs)
            self.digest()
            if known.facts.updates == before:
                known.facts.skipped += 1
                self._backward = 0
            return done

        return noting_step

    def _counting_backward(self, backward: Callable[..., Any]) -> Callable[..., Any]:
        heard = self._heard

        def counting(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            heard.append(None)
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
        schedulers, stepping, heard = self._schedulers.found, self._stepping, self._heard

        def noting_step(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            known = schedulers.get(id(scheduler))
            if known is None or (stepping and stepping[-1] is scheduler) or (self._reader is not None and self.is_ours):
                return step(scheduler, *args, **kwargs)
            if stepping:
                known.is_part_of(stepping[-1])
            elif not self._making:
                frame = sys._getframe(1)
                line = known.own.get((id(frame.f_code), frame.f_lasti))  # the number of its line costs more
                if line is None or id(scheduler.optimizer) != known.of:
                    line = known.line(scheduler, frame)
                heard.append((known, line, bool(args or kwargs)))
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
            self.digest()
            self._passes.begin(loader)
            return iterate(loader)

        return passing

    def optimizer_of(self, scheduler: LRScheduler) -> NotedOptimizer | None:
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


class _Scheduler:
    """What is noted of a scheduler, and how the lines that step it call.

    own : its lines in the user's own code, by their place in it. of : the identity of the optimizer that it moves.
    """

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
        self.facts = Scheduler(len(known), type(scheduler).__name__, -1, arguments(scheduler, (args, kwargs)), place)
        known.append(self.facts)
        self._is_read = False
        self._moved: NotedOptimizer | None = None
        self.of = 0
        self.own: dict[tuple[int, int], Line] = {}
        self._codes: list[CodeType] = []  # where these are, kept: another could get its identity
        self._lines: dict[tuple[str, int], Line] = {}
        self._rate = 0.0

    def is_part_of(self, outer: LRScheduler) -> None:
        """Another scheduler steps this one."""
        self.facts.part_of = self._watching.id_of(outer)

    @property
    def updates(self) -> int:
        """Updates of its optimizer, of those that facts were made of."""
        return self._watching.notebook.facts.updates if self._moved is None else self._moved.facts.updates

    def line(self, scheduler: LRScheduler, frame: FrameType) -> Line:
        """The line that steps it."""
        self._watching.digest()
        self._optimizer(scheduler)
        place = caller(frame, _BEHIND)
        key = ("", 0) if place is None else (place.file, place.line)
        line = self._lines.get(key)
        if line is None:
            self._read()
            steps = Steps(*key, 0, self._watching.updates)
            self.facts.steps.append(steps)
            line = self._lines[key] = Line(steps, self.updates, self._watching.passes)
        if is_own(frame):
            self.own[id(frame.f_code), frame.f_lasti] = line
            self._codes.append(frame.f_code)
        return line

    @property
    def calls(self) -> int:
        """How often it was stepped."""
        self._watching.digest()
        return sum(line.steps.count for line in self._lines.values())

    def refresh(self) -> None:
        """Bring it up to date."""
        scheduler = self._scheduler()
        optimizer = self._moved if scheduler is None else self._optimizer(scheduler)
        size = self._watching.notebook.facts.steps_per_epoch
        for line in self._lines.values():
            line.steps.per = line.per(size, {} if optimizer is None else optimizer.backward)

    def ask(self, function: Callable[[int], float], count: int) -> None:
        """Note what its function gives from the beginning to about this count, at some hundreds of counts."""
        asked: list[tuple[int, float]] = []
        with suppress(Exception):  # beyond the end of what it was written for, it may raise anything
            counts = range(0, count, -(-count // ASKED))
            asked.extend((each, self._rate * float(function(each))) for each in counts)
        self.facts.asked = [pair for pair in asked if math.isfinite(pair[1]) and pair[1] >= 0]

    def _optimizer(self, scheduler: LRScheduler) -> NotedOptimizer | None:
        """What is noted of the optimizer that it moves."""
        found = self._watching.optimizer_of(scheduler)
        if found is not None:
            self.of = id(scheduler.optimizer)
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
                self.facts.schedule = schedule_of(scheduler)
        except (ValueError, TypeError, AttributeError, RuntimeError) as error:
            if getattr(scheduler, "lr_lambdas", None) and isinstance(scheduler, LambdaLR):
                self._watching.keep(self, scheduler.lr_lambdas[0])
                self._rate = float(scheduler.base_lrs[0])
            self.facts.why = str(error).splitlines()[0][:300] if str(error) else type(error).__name__


def _new(cls: type, *args: Any, **kwargs: Any) -> Any:
    return object.__new__(cls)


def _all_subclasses(owner: type[Any]) -> Iterator[type[Any]]:
    for each in owner.__subclasses__():
        yield each
        yield from _all_subclasses(each)
