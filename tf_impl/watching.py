"""Watch a Keras run from outside: its updates, and who made its schedules, asked them and set its rates, and where."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import keras
import tensorflow as tf

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.functions import asked_by
from samestep.experiment.watching import (
    Group,
    Notebook,
    Optimizer,
    Place,
    Scheduler,
    Steps,
    Writes,
    caller,
    epoch_of,
    frames,
)
from tf_impl import reading
from tf_impl.noted import arguments, schedule_of, takes_rate
from tf_impl.recorder import Recorder, _accumulation

_logger = logging.getLogger("samestep")
_BEHIND = ("keras", "tensorflow", "tf_keras")
_CALLBACKS = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
_WRITES_OF_OURS = ("learning_rate_scheduler.py", "reduce_lr_on_plateau.py")


def watch(notebook: Notebook) -> Watching:
    """Watch whatever this process trains from here on, until it is told to end.

    Args:
        notebook: Where facts are noted; the rates go into its recording.

    Returns:
        What watches; its `finish` writes all that is left.
    """
    return Watching(notebook)


class Watching:
    """Puts itself around Keras' public entry points: optimizers, schedules, callbacks, `fit`.

    notebook : where facts are noted.
    """

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self._made: weakref.WeakKeyDictionary[Any, Place] = weakref.WeakKeyDictionary()
        self._met: dict[int, _Met] = {}  # by identity of the optimizer
        self._recorder: _Inside | None = None
        self._epoch: int | None = None  # of a loop that cuts its batches by hand
        self._fits = 0  # how many calls of fit are under way
        self._undo: list[Callable[[], None]] = []
        self._said = False
        self.attach()

    @property
    def recorder(self) -> _Inside:
        """What records the rates; its file is made now, if it was not."""
        if self._recorder is None:
            self._recorder = _Inside(self)
        return self._recorder

    def detach(self) -> None:
        """Take everything off again; what was noted stays."""
        while self._undo:
            self._undo.pop()()

    def finish(self) -> None:
        """Write all that is left, and take everything off again."""
        self.detach()
        if self._recorder is not None:
            self._recorder.release()
            self.refresh()
        facts = self.notebook.facts
        while facts.epochs and facts.epochs[-1] >= facts.updates:  # a pass that trained nothing
            facts.epochs.pop()
        self.notebook.write()

    def forked(self) -> None:
        """This process is a copy of the one that was watched: that one's file is not its own."""
        self._recorder = None
        self._met.clear()
        self.notebook.forked()

    def refresh(self) -> None:
        """Bring the facts up to date with what the compiled steps counted."""
        with self.quietly():
            for met in self._met.values():
                met.refresh()
        facts = self.notebook.facts
        facts.updates = self.updates

    @property
    def updates(self) -> int:
        """Updates of all optimizers so far, as far as they were read."""
        return sum(self.recorder.step_of(met.optimizer) for met in self._met.values()) if self._met else 0

    def meet(self, optimizer: Any, place: Place | None) -> None:
        """An optimizer makes its first update, or `fit` begins with it."""
        with self.quietly():
            self._met_of(optimizer).asks(place)

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """A training is worth more than what is noted of it: an error here is said once, and does not end it."""
        try:
            yield
        except Exception as error:
            if not self._said:
                _logger.warning("Some facts of the run are not noted: %s: %s", type(error).__name__, error)
            self._said = True

    def _met_of(self, optimizer: Any) -> _Met:
        while hasattr(optimizer, "inner_optimizer"):
            optimizer = optimizer.inner_optimizer
        if id(optimizer) not in self._met:
            self._met[id(optimizer)] = _Met(optimizer, self)
        return self._met[id(optimizer)]

    def called(self, callback: Any, optimizer: Any, place: Place | None) -> None:
        """A callback that sets the rate is called once more, in an epoch of `fit`."""
        with self.quietly():
            self._met_of(optimizer).called(callback, place)

    def resumed(self, optimizer: Any) -> None:
        """`fit` begins at a later epoch, and its optimizer has made no update."""
        met = self._met_of(optimizer)
        if met.rate is None:  # what counts epochs goes on at the right one
            met.facts.loaded_at, met.facts.loaded_decayed = 0, True

    def stop(self) -> None:
        """Read what was noted so far; end the run where it has made its updates."""
        if self._recorder is not None:
            self._recorder.flush()
        self.notebook.stop_after(self.updates)

    def begin_pass(self, updates_per_pass: int | None = None, planned: int | None = None) -> None:
        """A pass over the data begins. planned : how many there will be from here on."""
        self.stop()
        facts, begun = self.notebook.facts, self.updates
        if updates_per_pass:
            facts.steps_per_epoch = updates_per_pass
        if planned is not None:
            facts.planned_epochs = len(facts.epochs) + planned
        if not facts.epochs or facts.epochs[-1] != begun:
            self.notebook.stop_before_pass(len(facts.epochs) + 1)
            facts.epochs.append(begun)
        if facts.steps_per_epoch is None and len(facts.epochs) > 1:  # of several optimizers, all may step in each batch
            facts.steps_per_epoch = max(each.updates for each in facts.optimizers)

    def attach(self) -> None:
        """Put ourselves around what is watched."""
        self._wrap(keras.optimizers.Optimizer, "__init__", self._noting_place)
        self._wrap(keras.optimizers.Optimizer, "apply", self._meeting)
        self._wrap(keras.Variable, "assign", self._noting_write)
        self._wrap(keras.Model, "fit", self._fitting)
        self._wrap(keras.Model, "train_on_batch", self._batching)
        self._wrap(tf.data.Dataset, "__iter__", self._passing)
        for callback in _CALLBACKS:
            self._wrap(callback, "__init__", self._noting_place)
        schedule = keras.optimizers.schedules.LearningRateSchedule

        def noting_new(cls: type, *args: Any, **kwargs: Any) -> Any:
            made = _new(cls)
            self._note(made, sys._getframe(1))
            return made

        schedule.__new__ = noting_new
        # a class that once had `__new__` cannot be without: Python's own would refuse the arguments
        self._undo.append(lambda: setattr(schedule, "__new__", _new))

    def _wrap(self, owner: type, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        owner = next(each for each in owner.__mro__ if name in vars(each))
        before = vars(owner)[name]
        setattr(owner, name, functools.wraps(before)(around(before)))
        self._undo.append(lambda: setattr(owner, name, before))

    def _note(self, made: Any, frame: FrameType) -> None:
        place = caller(frame, _BEHIND)
        if place is not None:
            try:
                self._made[made] = place
            except TypeError:  # a class whose objects have no hash
                return

    def place(self, made: Any) -> Place | None:
        """The line that made something."""
        try:
            return self._made.get(made)
        except TypeError:
            return None

    def _noting_place(self, init: Callable[..., Any]) -> Callable[..., Any]:
        def noting_init(made: Any, *args: Any, **kwargs: Any) -> None:
            self._note(made, sys._getframe(1))
            init(made, *args, **kwargs)

        return noting_init

    def _meeting(self, apply: Callable[..., Any]) -> Callable[..., Any]:
        def meeting_apply(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            if id(optimizer) not in self._met or not self.recorder.is_watching(optimizer):
                with tf.init_scope():  # a step may be under way that is being compiled
                    self.meet(optimizer, caller(sys._getframe(1), _BEHIND))
                    self.recorder.watch(optimizer)
                return optimizer.apply(*args, **kwargs)
            if self.notebook.ends_early and tf.executing_eagerly():
                self.stop()
            return apply(optimizer, *args, **kwargs)

        return meeting_apply

    def _noting_write(self, assign: Callable[..., Any]) -> Callable[..., Any]:
        def noting_assign(variable: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
            met = next((each for each in self._met.values() if each.rate is variable), None) if self._met else None
            if met is not None:
                with self.quietly():
                    self._write(met, sys._getframe(1))
            return assign(variable, value, *args, **kwargs)

        return noting_assign

    def _write(self, met: _Met, frame: FrameType) -> None:
        callback = None
        for each in frames(frame):
            if each.f_code.co_filename.endswith(_WRITES_OF_OURS):
                return
            if callback is None and isinstance(each.f_locals.get("self"), keras.callbacks.Callback):
                callback = type(each.f_locals["self"]).__name__
        place = caller(frame, _BEHIND)
        if place is not None:
            self.recorder.flush()
            met.written(place, f"The callback {callback}" if callback else "The code")

    def _batching(self, train_on_batch: Callable[..., Any]) -> Callable[..., Any]:
        def batching(*args: Any, **kwargs: Any) -> Any:
            self._by_hand(sys._getframe(1))
            done = train_on_batch(*args, **kwargs)
            if self.notebook.ends_early:
                self.stop()
            return done

        return batching

    def _by_hand(self, frame: FrameType) -> None:
        """A batch is trained on that the code cut itself: an epoch begins where what it calls `epoch` is one more."""
        if self.notebook.facts.epochs and self._epoch is None:
            return  # it goes through a dataset
        epoch, before = epoch_of(frame), self._epoch
        if epoch is not None and before is not None and epoch == before + 1:
            if not self.notebook.facts.epochs:
                self.notebook.facts.epochs.append(0)
            self.begin_pass()
        self._epoch = epoch

    def _passing(self, iterate: Callable[..., Any]) -> Callable[..., Any]:
        def passing(data: Any) -> Any:
            if not self._fits and tf.executing_eagerly():
                self.begin_pass()
            return iterate(data)

        return passing

    def _fitting(self, fit: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(fit)

        def fitting(model: Any, *args: Any, **kwargs: Any) -> Any:
            place = caller(sys._getframe(1), _BEHIND)
            try:
                given = signature.bind(model, *args, **kwargs)
            except TypeError:
                return fit(model, *args, **kwargs)  # which says what is wrong
            arguments = given.arguments
            callbacks = arguments.get("callbacks")
            inside = self.recorder
            if isinstance(callbacks, keras.callbacks.CallbackList):
                others = list(callbacks.callbacks)
                callbacks.append(inside)
            else:
                others = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
                arguments["callbacks"] = [*others, inside]
            inside.begins(place, arguments.get("epochs", 1), arguments.get("initial_epoch", 0), others)
            self._fits += 1
            try:
                return fit(*given.args, **given.kwargs)
            finally:
                self._fits -= 1
                inside.ends()
                if isinstance(callbacks, keras.callbacks.CallbackList) and inside in callbacks.callbacks:
                    callbacks.callbacks.remove(inside)

        return fitting


class _Inside(Recorder):
    """The recorder within `fit` and loops: it stays when `fit` ends, and notes the facts as an epoch begins."""

    def __init__(self, watching: Watching) -> None:
        super().__init__(watching.notebook.path)
        self._watching = watching
        self._place: Place | None = None
        self._planned = self._from = self._round = 0
        self._before_fit: Any = None
        self._setting: list[Any] = []  # callbacks that set the rate
        recorded = self._recording.drain

        def drain() -> None:
            recorded()
            watching.refresh()
            watching.notebook.write()

        self._recording.drain = drain

    def begins(self, place: Place | None, epochs: int, initial_epoch: int, callbacks: list[Any]) -> None:
        """`fit` is called."""
        self._place, self._planned, self._from, self._round = place, epochs, initial_epoch, 0
        self._setting = [each for each in callbacks if isinstance(each, _CALLBACKS)]

    def ends(self) -> None:
        """`fit` is over, or was broken off."""
        if self._in_fit:
            self.on_train_end()

    def flush(self) -> None:
        """Read what the compiled steps noted so far."""
        self._recording.flush()

    def is_watching(self, optimizer: Any) -> bool:
        """Whether an optimizer's updates are noted."""
        notes = self._notes.get(id(optimizer))
        return notes is not None and notes.attached

    def step_of(self, optimizer: Any) -> int:
        """Updates of an optimizer that were read so far."""
        notes = self._notes.get(id(optimizer))
        return 0 if notes is None else notes.source.step

    def arms_of(self, optimizer: Any) -> list[str]:
        """What its rows are called."""
        notes = self._notes.get(id(optimizer))
        return [] if notes is None else list(notes.source.arms)

    def _counting(self, compiled: Callable[[Any], Any], executions: int) -> Callable[[Any], Any]:
        counted = super()._counting(compiled, executions)
        if not self._watching.notebook.ends_early:
            return counted

        def stopping(iterator: Any) -> Any:
            self._watching.stop()
            return counted(iterator)

        return stopping

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as `fit` begins."""
        self._before_fit = self.model.train_function
        super().on_train_begin(logs)
        self._watching.notebook.facts.trainer = "keras"
        self._watching.meet(self.model.optimizer, self._place)
        if self._from and not int(self.model.optimizer.iterations):
            self._watching.resumed(self.model.optimizer)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as an epoch begins."""
        batches, times = self.params.get("steps"), _accumulation(self.model.optimizer)
        planned = self._planned - self._from if not self._round else None
        self._round += 1
        self._watching.begin_pass(batches and max(1, batches // times), planned)
        super().on_epoch_begin(epoch, logs)
        for callback in self._setting:
            self._watching.called(callback, self.model.optimizer, self._place)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as `fit` ends: the model is as it was, and its optimizer is still watched."""
        self.model.train_function = self._before_fit
        self._in_fit = False
        self._recording.flush()
        for notes in self._notes.values():
            notes.begin_epoch(-1)


class _Met:
    """An optimizer that trains, and what sets its rate.

    facts : what is noted of it. rate : the variable that holds its rate; None where a schedule object does.
    """

    def __init__(self, optimizer: Any, watching: Watching) -> None:
        self.optimizer, self._watching = optimizer, watching
        held = optimizer._learning_rate
        self.rate = held if isinstance(held, keras.Variable) else None
        known = watching.notebook.facts.optimizers
        self.facts = Optimizer(len(known), type(optimizer).__name__, watching.place(optimizer), updates=0)
        # a schedule is not asked: it may be the user's own
        self.facts.groups.append(
            Group(float(getattr(held, "initial_learning_rate", 0.0) if self.rate is None else held))
        )
        known.append(self.facts)
        watching.notebook.facts.accumulation = _accumulation(optimizer)
        self._schedules: dict[int, Scheduler] = {}  # by identity of the object
        self._asked: Steps | None = None
        self._counted = 0  # batches that the optimizer was given before the place that asks now

    def asks(self, place: Place | None) -> None:
        """The schedule object, if there is one, is asked at another line from here on."""
        self.refresh()
        held = self.optimizer._learning_rate
        if not isinstance(held, keras.optimizers.schedules.LearningRateSchedule):
            self._asked = None
            return
        per = "micro-batch" if _accumulation(self.optimizer) > 1 else "update"
        self._asked = self._steps(self._scheduler(held), place, per)
        self._counted = self._batches() - self._asked.count

    def called(self, callback: Any, place: Place | None) -> None:
        """A callback sets the rate."""
        steps = self._steps(self._scheduler(callback), place, "epoch")
        steps.count += 1
        steps.last_at = self._watching.updates

    def written(self, place: Place, by: str) -> None:
        """A line sets the rate."""
        writes, now = self._watching.notebook.facts.writes, self._watching.updates
        known = (each for each in writes if (each.optimizer, each.file, each.line) == (self.facts.id, *_line(place)))
        found = next(known, None)
        if found is None:
            found = Writes(self.facts.id, 0, place.file, place.line, by, 0, now)
            writes.append(found)
        found.count += 1
        found.last_at = now

    def refresh(self) -> None:
        """Bring the counts up to date."""
        recorder = self._watching.recorder
        self.facts.updates, self.facts.arms = recorder.step_of(self.optimizer), recorder.arms_of(self.optimizer)
        if self._asked is not None:
            count = self._batches() - self._counted
            if count != self._asked.count:
                self._asked.count, self._asked.last_at = count, self._watching.updates

    def _batches(self) -> int:
        """How many batches it was given: `iterations` counts updates where gradients are accumulated."""
        return int(self.optimizer._iterations)

    def _steps(self, scheduler: Scheduler, place: Place | None, per: str) -> Steps:
        line = ("", 0) if place is None else _line(place)
        for steps in scheduler.steps:
            if (steps.file, steps.line) == line:
                return steps
        scheduler.steps.append(Steps(*line, 0, self._watching.updates, self._watching.updates, per))
        return scheduler.steps[-1]

    def _scheduler(self, held: Any) -> Scheduler:
        if id(held) not in self._schedules:
            known = self._watching.notebook.facts.schedulers
            scheduler = Scheduler(len(known), type(held).__name__, self.facts.id, arguments(held))
            scheduler.made, scheduler.groups = self._watching.place(held), 1
            scheduler.began_at = self._batches()
            asked = held
            if isinstance(held, keras.callbacks.LearningRateScheduler):
                asked, _ = asked_by(held.schedule, reading.KNOWN, Clock.STEPS, "step")
                scheduler.arguments["takes_rate"] = takes_rate(held.schedule)
            try:
                scheduler.schedule = schedule_of(asked)
            except ValueError as error:
                scheduler.why = str(error)
            self._schedules[id(held)] = scheduler
            known.append(scheduler)
        return self._schedules[id(held)]


def _new(cls: type, *args: Any, **kwargs: Any) -> Any:
    return object.__new__(cls)


def _line(place: Place) -> tuple[str, int]:
    return place.file, place.line
