"""Keras' own optimizers, made to do what PyTorch's do: another `update_step` on the same optimizer and variables."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from samestep.experiment.differences import Name
from samestep.experiment.plan import Adam, AdamW, Momentum, Plan, RMSprop


def correct(
    optimizer: keras.optimizers.Optimizer, plan: Plan, names: Collection[Name], rates: np.ndarray | None = None
) -> None:
    """Remove differences between the frameworks: from now on each update does what PyTorch's would.

    Call it before the training step is compiled.

    Args:
        optimizer: as `training.optimizer` makes it for this plan.
        plan: the experiment.
        names: differences to remove, of `experiment.differences`; names that do not apply to the optimizer do nothing.
        rates: float64, one for each update: those of PyTorch, for ``rates in float32``. They also replace any
            `LearningRateScheduler`.
    """
    rules, chosen = _Rules(optimizer, frozenset(names)), plan.optimizer
    if "rates in float32" in names and rates is not None:
        optimizer.learning_rate = _Given(rates)
    if isinstance(chosen, Adam | AdamW) and _OF_ADAM & rules.names:
        optimizer.update_step = rules.as_adam
    elif isinstance(chosen, Momentum) and {"rate in the velocity", "constants in float32"} & rules.names:
        optimizer.update_step = rules.as_momentum
    elif isinstance(chosen, RMSprop) and "epsilon placement" in names:
        optimizer.update_step = rules.as_rmsprop
    if isinstance(chosen, AdamW) and {"weight decay in one factor", "constants in float32"} & rules.names:
        optimizer._apply_weight_decay = rules.decay_weights


_OF_ADAM: frozenset[Name] = frozenset({"epsilon placement", "beta powers in float32", "beta_2 in float32"})


class _Given(keras.optimizers.schedules.LearningRateSchedule):
    """Rates as they are, one for each step, in float64."""

    def __init__(self, rates: np.ndarray) -> None:
        super().__init__()
        self.rates = rates

    def __call__(self, step: Any) -> Any:
        """The rate of a step: float64."""
        return tf.gather(tf.constant(self.rates, tf.float64), tf.cast(step, tf.int64))

    def get_config(self) -> dict[str, Any]:
        """What it is made of."""
        return {"rates": self.rates.tolist()}


class _Rules:
    """PyTorch's updates on Keras' variables."""

    def __init__(self, optimizer: keras.optimizers.Optimizer, names: frozenset[Name]) -> None:
        self.optimizer, self.names = optimizer, names

    def as_adam(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras: ``w -= lr sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + eps)``, the powers of float32(b).

        PyTorch: ``w -= lr / (1 - b1**t) * m / (sqrt(v) / sqrt(1 - b2**t) + eps)``. In float32 v differs as well, since
        Keras has ``v += (g**2 - v) (1 - b2)`` and PyTorch ``v = b2 v + (1 - b2) g**2``.

        Source: keras/src/optimizers/adam.py, torch/optim/adam.py.
        """
        own, kind = self.optimizer, variable.dtype
        lr, g = tf.cast(learning_rate, kind), tf.cast(gradient, kind)
        index = own._get_variable_index(variable)
        m, v = own._momentums[index], own._velocities[index]
        m.assign_add((g - m) * (1 - own.beta_1))
        if "beta_2 in float32" in self.names:
            v.assign(own.beta_2 * v + (1 - own.beta_2) * tf.square(g))
        else:
            v.assign_add((tf.square(g) - v) * (1 - own.beta_2))
        if own.amsgrad:
            v_hat = own._velocity_hats[index]
            v_hat.assign(tf.maximum(v_hat, v))
            v = v_hat
        rest = [self._one_minus_power(beta, kind) for beta in (own.beta_1, own.beta_2)]
        if "epsilon placement" in self.names:
            step = lr / rest[0] * m / (tf.sqrt(v) / tf.sqrt(rest[1]) + own.epsilon)
        else:
            step = lr * tf.sqrt(rest[1]) / rest[0] * m / (tf.sqrt(v) + own.epsilon)
        variable.assign_sub(step)

    def as_momentum(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras: ``m = mu m - lr g; w += m``. PyTorch: ``b = mu b + g; w -= lr b``.

        Source: keras/src/optimizers/sgd.py, torch/optim/sgd.py.
        """
        own, kind = self.optimizer, variable.dtype
        lr, g = tf.cast(learning_rate, kind), tf.cast(gradient, kind)
        m = own.momentums[own._get_variable_index(variable)]
        momentum = self._constant(own.momentum, kind)
        if "rate in the velocity" in self.names:
            m.assign(m * momentum + g)
            variable.assign_sub(lr * (g + momentum * m if own.nesterov else m))
        else:
            m.assign(m * momentum - g * lr)
            variable.assign_add(m * momentum - g * lr if own.nesterov else m)

    def as_rmsprop(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Keras: ``w -= lr g / sqrt(v + eps)``. PyTorch: ``w -= lr g / (sqrt(v) + eps)``.

        Source: keras/src/optimizers/rmsprop.py, torch/optim/rmsprop.py.
        """
        own, kind = self.optimizer, variable.dtype
        lr, g = tf.cast(learning_rate, kind), tf.cast(gradient, kind)
        v = own._velocities[own._get_variable_index(variable)]
        v.assign(own.rho * v + (1 - own.rho) * tf.square(g))
        variable.assign_sub(lr * g / (tf.sqrt(v) + own.epsilon))

    def decay_weights(self, variables: Any) -> None:
        """Keras: ``w - w * wd * lr``. PyTorch: ``w * (1 - lr wd)``.

        Source: keras/src/optimizers/base_optimizer.py, torch/optim/adam.py.
        """
        for variable in variables:
            rate = tf.convert_to_tensor(self.optimizer.learning_rate)
            decay = self._constant(self.optimizer.weight_decay, variable.dtype)
            if "weight decay in one factor" in self.names:
                # PyTorch computes the factor as a Python number, and rounds it once
                factor = 1 - tf.cast(rate, tf.float64) * self._constant(self.optimizer.weight_decay, "float64")
                variable.assign(variable * tf.cast(factor, variable.dtype))
            else:
                variable.assign(variable - variable * decay * tf.cast(rate, variable.dtype))

    def _one_minus_power(self, beta: float, kind: str) -> Any:
        """``1 - b**t`` as each framework has it."""
        if "beta powers in float32" in self.names:
            exact = tf.constant(beta, tf.float64) ** tf.cast(self.optimizer.iterations + 1, tf.float64)
            return tf.cast(1 - exact, kind)
        return 1 - tf.cast(tf.constant(beta, tf.float32), kind) ** tf.cast(self.optimizer.iterations + 1, kind)

    def _constant(self, value: float, kind: str) -> Any:
        if "constants in float32" in self.names:
            return tf.constant(value, kind)
        return tf.cast(tf.constant(value, tf.float32), kind)
