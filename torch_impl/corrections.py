"""PyTorch's own optimizers, made to do what Keras' do: hooks set the numbers of each update before it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np
import torch

from samestep.experiment.differences import Name
from samestep.experiment.plan import Adam, AdamW, Momentum, Plan, RMSprop

Group = dict[str, Any]
"""A parameter group: hyperparameters of the update to come."""


def correct(
    optimizer: torch.optim.Optimizer, plan: Plan, names: Collection[Name], rates: np.ndarray | None = None
) -> None:
    """Remove differences between the frameworks: from now on each update does what Keras' would.

    After each update the group has its own numbers again, so that schedulers continue with theirs.

    Args:
        optimizer: as `training.optimizer` makes it for this plan.
        plan: the experiment.
        names: differences to remove, of `experiment.differences`; names that do not apply to the optimizer do nothing.
        rates: float64, one for each update: those of Keras, for ``rates in float32``.
    """
    rules = _Rules(optimizer, plan, names, rates)
    optimizer.register_step_pre_hook(rules.before)
    optimizer.register_step_post_hook(rules.after)


class _Rules:
    def __init__(
        self, optimizer: torch.optim.Optimizer, plan: Plan, names: Collection[Name], rates: np.ndarray | None
    ) -> None:
        self.plan, self.names, self.rates = plan, frozenset(names), rates
        self.number: type[np.floating[Any]] = np.dtype(plan.precision).type
        self.updates = 0
        self.undo: list[Callable[[], None]] = []

    def before(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Set the numbers of the update to come."""
        self.updates += 1
        for group in optimizer.param_groups:
            self.undo.append(partial(group.update, dict(group)))
            if "rates in float32" in self.names and self.rates is not None:
                group["lr"] = float(self.rates[self.updates - 1])
            if "constants in float32" in self.names:
                self._round_constants(group)
            if "weight decay in one factor" in self.names and "weight_decay" in group:
                self._subtract_weight_decay(group)
            chosen = self.plan.optimizer
            if isinstance(chosen, Adam | AdamW):
                self._as_adam(group)
                if "beta_2 in float32" in self.names:
                    _widen_second_moments(optimizer, group)
            elif isinstance(chosen, Momentum) and "rate in the velocity" in self.names:
                self._put_rate_into_gradient(group)
            elif isinstance(chosen, RMSprop) and "epsilon placement" in self.names:
                self._put_epsilon_under_the_root(optimizer, group)

    def after(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Leave everything as it was."""
        while self.undo:
            self.undo.pop()()

    def _round_constants(self, group: Group) -> None:
        """``float32(c)`` for c: momentum, weight decay.

        Source: `ops.cast` of a Python number goes through float32, keras/src/optimizers/{sgd,base_optimizer}.py.
        """
        for name in ("momentum", "weight_decay"):
            if name in group:
                group[name] = float(np.float32(group[name]))

    def _subtract_weight_decay(self, group: Group) -> None:
        """Keras: ``w - w * wd * lr``. PyTorch: ``w * (1 - lr wd)``, the factor rounded to the weights' precision.

        Source: keras/src/optimizers/base_optimizer.py, torch/optim/adam.py.
        """
        decay, group["weight_decay"] = group["weight_decay"], 0.0
        with torch.no_grad():
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.sub_(weight * decay * group["lr"])

    def _as_adam(self, group: Group) -> None:
        """Keras: ``w -= lr sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + eps)``, the powers of float32(b).

        PyTorch: ``w -= lr / (1 - b1**t) * m / (sqrt(v) / sqrt(1 - b2**t) + eps)``. PyTorch's formula gives Keras' with
        ``eps / sqrt(1 - b2**t)`` for eps, and with lr multiplied by what the powers of float32 change.

        Source: keras/src/optimizers/adam.py, torch/optim/adam.py.
        """
        ours = [1 - beta**self.updates for beta in group["betas"]]
        theirs = list(ours)
        if "beta powers in float32" in self.names:
            # cast to float32 even where the variables are float64, and raised to the power as what they are
            theirs = [float(1 - self.number(np.float32(beta)) ** self.number(self.updates)) for beta in group["betas"]]
        roots = math.sqrt(ours[1]), math.sqrt(theirs[1])
        if "epsilon placement" in self.names:
            group["eps"] /= roots[1]
        lr = group["lr"]
        group["lr"] *= roots[1] / roots[0] * ours[0] / theirs[0]
        group["eps"] *= roots[1] / roots[0]
        if lr:
            group["weight_decay"] *= lr / group["lr"]  # PyTorch multiplies it with the rate

    def _put_rate_into_gradient(self, group: Group) -> None:
        """Keras: ``m = mu m - lr g; w += m``. PyTorch: ``b = mu b + g; w -= lr b``.

        PyTorch does what Keras does with ``lr g`` for g and 1 for lr. So also with Nesterov's momentum.

        Source: keras/src/optimizers/sgd.py, torch/optim/sgd.py.
        """
        for weight in group["params"]:
            if weight.grad is not None:
                self.undo.append(partial(setattr, weight, "grad", weight.grad))
                weight.grad = weight.grad * group["lr"]
        group["lr"] = 1.0

    def _put_epsilon_under_the_root(self, optimizer: torch.optim.Optimizer, group: Group) -> None:
        """Keras: ``w -= lr g / sqrt(v + eps)``. PyTorch: ``w -= lr g / (sqrt(v) + eps)``.

        With ``u = v + eps`` in the place of v, PyTorch does what Keras does. Both decay, ``v = a v + (1 - a) g**2``,
        so u needs ``(1 - a) / a * eps`` more before each update.

        Source: keras/src/optimizers/rmsprop.py, torch/optim/rmsprop.py.
        """
        alpha, eps = group["alpha"], group["eps"]
        group["eps"] = 0.0
        for weight in group["params"]:
            state = optimizer.state[weight]
            if not state:  # as PyTorch begins, but with u
                state["step"] = torch.zeros(())
                state["square_avg"] = torch.full_like(weight, eps)
            state["square_avg"].add_((1 - alpha) / alpha * eps)


def _widen_second_moments(optimizer: torch.optim.Optimizer, group: Group) -> None:
    """Keras: ``v += (g**2 - v) (1 - b2)``. PyTorch: ``v = b2 v + (1 - b2) g**2``.

    In float32 PyTorch's b2 is float32(b2): 0.999 is 1.3e-8 too large, and over the 1 / (1 - b2) updates that v
    remembers this adds up to 1.3e-5 of it. Kept in float64, v decays with b2 itself. The first update has no v yet.

    Source: keras/src/optimizers/adam.py, torch/optim/adam.py.
    """
    for weight in group["params"]:
        state = optimizer.state[weight]
        for name in {"exp_avg_sq", "max_exp_avg_sq"} & state.keys():
            state[name] = state[name].double()
