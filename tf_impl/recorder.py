"""Record what each update of a Keras run used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


class Recorder(keras.callbacks.Callback):
    """Notes the rate that each update was multiplied with, and the batch's own loss: ``fit(callbacks=[recorder])``.

    lr, loss : lists of float, one of each per update.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lr: list[float] = []
        self.loss: list[float] = []
        self._rate: Any = None
        self._loss: Any = None
        self._first_variable: Any = None
        self._undo: list[Callable[[], None]] = []

    def watch(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Note the rate of every update of this optimizer, until `release`.

        The rate is taken inside the compiled step. Asked from outside, `optimizer.learning_rate` is after a batch the
        next update's rate, and even before one it can lie 8 ULP off: the compiled step rounds differently.
        """
        update_step = optimizer.update_step

        def noting(gradient: Any, variable: Any, learning_rate: Any) -> Any:
            if (
                self._first_variable is None or self._first_variable is variable
            ):  # all variables of an update share its rate
                self._first_variable = variable
                self._rate = _note(self._rate, learning_rate)
            return update_step(gradient, variable, learning_rate)

        self._rate = self._first_variable = None
        optimizer.update_step = noting
        self._undo.append(lambda: setattr(optimizer, "update_step", update_step))

    def log(self, loss: float) -> None:
        """Note the loss of the update just done, and the rate that it used."""
        self.lr.append(float(self._rate.numpy()))
        self.loss.append(loss)

    def release(self) -> None:
        """Leave optimizer and model as they were."""
        while self._undo:
            self._undo.pop()()

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as `fit` begins: put the notes into model and optimizer."""
        model = self.model
        compute_loss = model.compute_loss

        def noting(*args: Any, **kwargs: Any) -> Any:
            loss = compute_loss(*args, **kwargs)  # logs["loss"] is the epoch's running mean, this the batch's own
            self._loss = _note(self._loss, loss)
            return loss

        self._loss = None
        self.watch(model.optimizer)
        model.compute_loss = noting
        model.make_train_function(force=True)  # compiled anew, with the notes in it
        self._undo.append(lambda: setattr(model, "compute_loss", compute_loss))

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Keras calls this after each update: read the notes."""
        self.log(float(self._loss.numpy()))

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Keras calls this as `fit` ends: leave all as it was."""
        self.release()
        self.model.train_function = None


def _note(variable: tf.Variable | None, value: tf.Tensor) -> tf.Variable:
    """Have the compiled step assign a scalar to a variable, made at first need with the scalar's own dtype."""
    value = tf.convert_to_tensor(value)
    if variable is None:
        with tf.init_scope():
            variable = tf.Variable(tf.zeros((), value.dtype))
    variable.assign(value)
    return variable
