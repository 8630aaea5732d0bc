"""Record the rate and the loss of each update of a Keras run."""

from __future__ import annotations

import platform
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from samestep.experiment.recording import UNKNOWN, Recording, Source, not_a_loss

_FIT_ROWS, _LOOP_ROWS = 1024, 16384  # updates that a compiled step notes before they must be read


@contextmanager
def record(
    path: str | Path | None, arm: str | None = None, steps_per_epoch: int | None = None, start: int | None = None
) -> Iterator[Recorder]:
    """A Recorder that is released at the end of the block.

    Args:
        path: see `Recorder`, also for the other arguments.
        arm: a name for the recording.
        steps_per_epoch: updates in an epoch.
        start: step of the first update.

    Yields:
        The Recorder: pass it to ``fit(callbacks=[recorder])``, or let it `watch` an optimizer in a loop of your own.

    Example:
        >>> import keras
        >>> weight, optimizer = keras.Variable(1.0), keras.optimizers.SGD(0.125)
        >>> with record(None) as recorder:
        ...     recorder.watch(optimizer)
        ...     optimizer.apply([keras.ops.ones(())], [weight])
        ...     recorder.log(0.5)
        >>> recorder.lr, recorder.loss
        ([0.125], [0.5])
    """
    recorder = Recorder(path, arm, steps_per_epoch, start)
    try:
        yield recorder
    finally:
        recorder.release()


class Recorder(keras.callbacks.Callback):
    """Records the rate that each update used, and the loss of its batch: ``fit(callbacks=[recorder])``.

    Args:
        path: file that gets one row per update; its name ends in `.csv`. A recording that is there already is
            continued. None keeps everything in memory, as `lr` and `loss`.
        arm: a name for the recording; by default the class of the optimizer: ``Adam``, of several ``Adam-1``.
        steps_per_epoch: updates in an epoch; by default a row has the epoch of `fit`, and none in a loop of
            your own.
        start: step of the first update; by default 0, or the step after the last one in the file.

    Raises:
        ValueError: one of these is not possible, or `path` cannot be recorded into; the message is one line.

    Example:
        >>> import keras, numpy as np
        >>> network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> network.compile(keras.optimizers.SGD(0.125), "mse")
        >>> recorder = Recorder()
        >>> _ = network.fit(np.ones((4, 1)), np.ones((4, 1)), batch_size=2, verbose=0, callbacks=[recorder])
        >>> recorder.lr
        [0.125, 0.125]
    """

    def __init__(
        self,
        path: str | Path | None = None,
        arm: str | None = None,
        steps_per_epoch: int | None = None,
        start: int | None = None,
    ) -> None:
        super().__init__()
        versions = {"python": platform.python_version(), "tensorflow": tf.__version__, "keras": keras.__version__}
        self._recording = Recording("tensorflow", versions, path, arm, steps_per_epoch, start)
        self._recording.drain = self._drain
        self._recording.is_over, self._recording.let_go = self._is_over, self.release
        self._in_fit = False
        self._notes: dict[int, _Notes] = {}  # by identity of the optimizer
        self._step = _Step()
        self._undo: list[Callable[[], None]] = []
        self._compiled: tuple[list[Any], Any] = ([], None)  # what a compiled step belongs to, and the step
        self._unread = 0
        self._next_epoch = 0
        self._shift: int | None = None

    @property
    def lr(self) -> list[float]:
        """The rate of each update, in order; empty if there is a file."""
        return self._recording.lr

    @property
    def loss(self) -> list[float]:
        """The loss of each update, in order, NaN if none is known; empty if there is a file."""
        return self._recording.loss

    def watch(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Record every update of this optimizer, until `release`. `fit` watches the optimizer of the model.

        In a loop of your own, watch before the step is compiled. The rate is read inside the compiled step. Outside,
        `optimizer.learning_rate` is the rate of the next update after a batch, and even before a batch it can differ
        by 8 ULP: the compiled step rounds differently.
        """
        self._watch(optimizer, _LOOP_ROWS)

    def log(self, loss: float) -> None:
        """Log the loss of the last update, or of the next one: a number, or a tensor of one.

        The first call decides which. Before the first update, each loss belongs to the next update, and several
        before one update make a mean. After the first update, each loss belongs to the last update. Under `fit` the
        recorder knows the loss.

        Raises:
            TypeError: `loss` is no number and no tensor.
            ValueError: `loss` is a tensor of several values.
        """
        try:
            value = float(loss.numpy().item() if hasattr(loss, "numpy") else loss)
        except (TypeError, ValueError):
            raise not_a_loss(loss) from None
        self._recording.tell(value)

    def release(self) -> None:
        """Restore the optimizers and the model, write the last rows and close the file."""
        watched = [notes for notes in self._notes.values() if notes.attached]
        while self._undo:
            self._undo.pop()()
        self._in_fit = False
        self._recording.close()
        for notes in watched:
            notes.check(self._recording.say)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as `fit` begins: put the notes into model and optimizer."""
        if self._in_fit:  # an earlier one was broken off
            self.release()
        model = self.model
        self._recording.reopen()
        self._in_fit = True
        executions = int(model.steps_per_execution)
        self._watch(model.optimizer, max(_FIT_ROWS, 1 << (2 * executions).bit_length()))
        self._recording.flush()
        before = model.train_function
        belongs_to = [model, before, model.optimizer, *(notes.rows for notes in self._notes.values())]
        if list(map(id, self._compiled[0])) != list(map(id, belongs_to)):  # the very same things, not equal ones
            with _replaced(model, "train_step", self._step.noting(model)):
                model.make_train_function(force=True)  # compiled anew, with the notes in it
            self._compiled = belongs_to, model.train_function
        model.train_function = self._counting(self._compiled[1], executions)
        self._undo.append(lambda: setattr(model, "train_function", before))
        self._shift = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as an epoch begins: rows say which one it is."""
        if self._shift is None:
            self._shift = 0 if self._recording.start is not None else max(0, self._first_free_epoch() - epoch)
        for notes in self._notes.values():
            notes.begin_epoch(epoch + self._shift)
        self._next_epoch = epoch + self._shift

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as an epoch ends: a later `fit` goes on behind it."""
        self._next_epoch = epoch + (self._shift or 0) + 1

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as `fit` ends: leave all as it was."""
        self.release()
        for notes in self._notes.values():
            notes.begin_epoch(UNKNOWN)

    def _watch(self, optimizer: keras.optimizers.Optimizer, rows: int) -> None:
        self._recording.reopen()
        while hasattr(optimizer, "inner_optimizer"):  # LossScaleOptimizer: the one within does the updates
            optimizer = optimizer.inner_optimizer
        notes = self._notes.get(id(optimizer))
        if notes is None:
            source = self._recording.updates.source(type(optimizer).__name__, [None])
            notes = self._notes[id(optimizer)] = _Notes(optimizer, source, self._step)
        if not notes.attached:
            self._undo.append(notes.attach(rows))

    def _counting(self, compiled: Callable[[Any], Any], executions: int) -> Callable[[Any], Any]:
        """The compiled step, and its notes read before they are full."""
        rows = min(notes.capacity for notes in self._notes.values())

        def counted(iterator: Any) -> Any:
            if self._unread + executions > rows:
                self._recording.flush()
            logs = compiled(iterator)
            self._unread += executions  # afterwards: whoever reads meanwhile may or may not have seen these
            return logs

        return counted

    def _is_over(self) -> bool:
        """Whether `fit` began and was broken off: Keras calls no callback then. What else is under way is not known."""
        return self._in_fit and not any(_calls(frame, self) for frame in sys._current_frames().values())

    def _first_free_epoch(self) -> int:
        """The epoch after the last one that was recorded, or that one itself where it was cut off."""
        if self._next_epoch or not self._recording.last:
            return self._next_epoch
        _, epoch, batch = max(self._recording.last.values())
        if epoch == UNKNOWN:
            return 0
        updates = (self.params.get("steps") or 0) // _accumulation(self.model.optimizer)
        return epoch + 1 if updates and batch + 1 >= updates else epoch

    def _drain(self) -> None:
        """Read what the compiled steps noted."""
        self._unread = 0
        for notes in self._notes.values():
            for rate, loss, epoch, batch in notes.read(self._recording.say):
                self._recording.updates.commit(notes.source, [rate], loss, epoch, batch)


class _Step:
    """What is known of the training step under way: tensors while it is compiled."""

    def __init__(self) -> None:
        self.loss: Any = None
        # sum and number of the losses since the last update, where gradients are accumulated
        self.losses = tf.Variable([0.0, 0.0], dtype=tf.float64, trainable=False)

    def noting(self, model: keras.Model) -> Callable[[Any], Any]:
        """The model's `train_step`, with the batch's own loss noted: `logs["loss"]` is the epoch's running mean."""
        train_step, compute_loss = model.train_step, model.compute_loss
        accumulates = _accumulation(model.optimizer) > 1

        def noting_loss(*args: Any, **kwargs: Any) -> Any:
            loss = compute_loss(*args, **kwargs)
            self.loss = tf.convert_to_tensor(loss)
            if accumulates:
                self.losses.assign_add(tf.stack([tf.cast(loss, tf.float64), 1.0]))
            return loss

        def noting_step(data: Any) -> Any:
            with _replaced(model, "compute_loss", noting_loss):
                try:
                    return train_step(data)
                finally:
                    self.loss = None

        return noting_step

    def mean_loss(self, optimizer: keras.optimizers.Optimizer) -> Any:
        """The loss of the update under way, or None: over all batches whose gradients it is made of."""
        if self.loss is None or _accumulation(optimizer) == 1:
            return self.loss
        total, number = tf.unstack(self.losses)
        with tf.control_dependencies([total, number]):
            self.losses.assign([0.0, 0.0])
        return total / number


class _Notes:
    """The updates of one optimizer, noted by the compiled step in variables of its own, and read now and then.

    count : int64, how many updates were noted.
    rows : float64, shape (capacity, 3): rate, loss, and whether there is a loss; update n in row n % capacity.
    """

    def __init__(self, optimizer: keras.optimizers.Optimizer, source: Source, step: _Step) -> None:
        self.optimizer, self.source, self.step = optimizer, source, step
        self.count = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.rows: Any = None
        self.capacity = self.seen = self.batch = 0
        self.before = (0, 0)  # updates noted, and batches that the optimizer was given, when it was last attached
        self.epoch = UNKNOWN
        self.epochs: list[tuple[int, int]] = []  # the first update of each epoch to come, and the epoch
        self.attached = False

    def attach(self, capacity: int) -> Callable[[], None]:
        """Have every update noted. capacity : a power of 2. Returns what undoes it."""
        if capacity > self.capacity:
            self.rows = tf.Variable(tf.zeros((capacity, 3), tf.float64), trainable=False)
            self.capacity = capacity
        self.seen = int(self.count)
        self.before = self.seen, int(self.optimizer.iterations)
        self.attached = True
        rows, optimizer, first = self.rows, self.optimizer, False
        apply, update_step = optimizer.apply, optimizer.update_step

        def noting_apply(*args: Any, **kwargs: Any) -> Any:
            nonlocal first
            first = True
            return apply(*args, **kwargs)

        def noting_update_step(gradient: Any, variable: Any, learning_rate: Any) -> Any:
            nonlocal first
            if first:  # all variables of an update share its rate
                self._note(rows, learning_rate)
                first = False
            return update_step(gradient, variable, learning_rate)

        undo = [_replace(optimizer, "apply", noting_apply), _replace(optimizer, "update_step", noting_update_step)]
        return lambda: self._detach(undo)

    def read(self, say: Callable[..., None]) -> Iterator[tuple[float, float | None, int | None, int | None]]:
        """Rate, loss, epoch and batch of each update since the last call."""
        # in this order: a step writes the row first, then the count
        count = int(self.count)
        if count == self.seen:
            return
        rows = self.rows.numpy()
        missed = count - self.seen - self.capacity
        if missed > 0:  # only in a loop that makes more than this many updates in one call
            say("%s: %d updates of one call have no row; rows go on at their own steps.", self.source.name, missed)
            self.source.step += missed
            self.seen += missed
        for update in range(self.seen, count):
            rate, loss, known = rows[update % self.capacity].tolist()
            self.batch += 1
            while self.epochs and self.epochs[0][0] <= update:
                _, self.epoch = self.epochs.pop(0)
                self.batch = 0
            place = (None, None) if self.epoch == UNKNOWN else (self.epoch, self.batch)
            yield rate, loss if known else None, *place
        self.seen = count

    def begin_epoch(self, epoch: int) -> None:
        """The updates from here on are of this epoch."""
        self.epochs.append((int(self.count), epoch))

    def check(self, say: Callable[..., None]) -> None:
        """Say so where updates were made and none was noted."""
        seen, iterations = self.before
        if self.seen == seen and int(self.optimizer.iterations) > iterations:
            say("%s: no update was noted. Watch the optimizer before its step is compiled.", self.source.name)

    def _detach(self, undo: list[Callable[[], None]]) -> None:
        for each in reversed(undo):
            each()
        self.attached = False

    def _note(self, rows: Any, learning_rate: Any) -> None:
        # few operations, since each costs microseconds in every step
        loss = self.step.mean_loss(self.optimizer)
        rate = tf.convert_to_tensor(learning_rate)
        if loss is None:
            note = [rate, tf.zeros((), rate.dtype), tf.zeros((), rate.dtype)]
        elif loss.dtype == rate.dtype:
            note = [rate, loss, tf.ones((), rate.dtype)]
        else:
            note = [tf.cast(rate, tf.float64), tf.cast(loss, tf.float64), tf.ones((), tf.float64)]
        place = tf.bitwise.bitwise_and(self.count, rows.shape[0] - 1)
        noted = rows.scatter_update(tf.IndexedSlices(tf.cast(tf.stack(note), tf.float64), place))
        with tf.control_dependencies([noted] if tf.inside_function() else []):
            self.count.assign_add(1, read_value=False)


def _accumulation(optimizer: Any) -> int:
    return getattr(getattr(optimizer, "inner_optimizer", optimizer), "gradient_accumulation_steps", None) or 1


def _calls(frame: types.FrameType | None, callback: keras.callbacks.Callback) -> bool:
    """Whether a thread, its innermost frame given, is within a call that has this callback in its list."""
    while frame is not None:
        for value in tuple(frame.f_locals.values()):
            if isinstance(value, keras.callbacks.CallbackList) and any(each is callback for each in value.callbacks):
                return True
        frame = frame.f_back
    return False


def _replace(owner: Any, name: str, value: Any) -> Callable[[], None]:
    """Give one object an attribute of its own. Returns what takes it away again."""
    own, before = name in owner.__dict__, owner.__dict__.get(name)
    setattr(owner, name, value)
    return lambda: setattr(owner, name, before) if own else delattr(owner, name)


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    undo = _replace(owner, name, value)
    try:
        yield
    finally:
        undo()
