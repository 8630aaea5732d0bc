"""What a porter writes so that the differences that mattered are gone: sentences, and code to paste."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from samestep.experiment import differences
from samestep.experiment.plan import Adam, AdamW, Framework, Momentum, Plan, RMSprop

from .ladder import Ladder
from .variants import DEFAULT_EPSILON, EPSILONS


@dataclass(frozen=True)
class Advice:
    """What to do about some of the differences.

    difference : their names, joined by commas. code : for the framework that is changed; Python that runs as it is.
    """

    difference: str
    sentence: str
    code: str


def advice(ladder: Ladder) -> tuple[Advice, ...]:
    """What to write in the mended framework, for every difference that alone leaves more than rounding does."""
    mattered = {rung.name for rung in ladder.rungs if rung.alone is not None and rung.alone.max_relative > ladder.bound}
    mended, plan = ladder.experiment.mended, ladder.experiment.plan
    names = [each.name for each in differences.of(plan) if each.name in mattered]
    found = [each for each in _settings(plan, mended) if each.difference in mattered]
    if names:
        found.append(_in_torch(plan, names) if mended == "torch" else _in_keras(plan, names))
    return tuple(found)


def _settings(plan: Plan, mended: Framework) -> Iterator[Advice]:
    """What is mended outside the formulas of the optimizer."""
    yield Advice("weights", *_WEIGHTS[mended])
    yield Advice(
        "order",
        "Two generators never shuffle alike. Draw the order once, with NumPy, and give it to both.",
        _ORDER[mended],
    )
    yield Advice(
        "masks",
        "Two generators never drop the same units. Compare with dropout 0, or over many seeds, or multiply with masks "
        "that NumPy drew.",
        "",
    )
    epsilon = getattr(plan.optimizer, "epsilon", None)
    yield Advice(
        DEFAULT_EPSILON,
        f"Keras' default epsilon is {EPSILONS['tensorflow']:g}, PyTorch's {EPSILONS['torch']:g}. Pass it.",
        _EPSILON[mended].format(optimizer=_class(plan), rate=_rate(plan), epsilon=epsilon),
    )


def _in_torch(plan: Plan, names: Sequence[str]) -> Advice:
    rates = " keras_rates are those that Keras used, as tf_impl.Recorder writes them." * ("rates in float32" in names)
    return Advice(
        ", ".join(names),
        f"These are in the formulas. No hyperparameter changes them: a hook sets the numbers of each update.{rates}",
        torch_hook(plan, names),
    )


def _in_keras(plan: Plan, names: Sequence[str]) -> Advice:
    given = "rates in float32" in names
    rates = (
        " torch_rates are those that PyTorch used, as torch_impl.Recorder writes them; a LearningRateScheduler goes."
        if given
        else ""
    )
    return Advice(
        ", ".join(names),
        f"These are in the formulas. No hyperparameter changes them: another update_step does.{rates}",
        "from tf_impl.corrections import correct\n\n"
        "# before the model is compiled\n"
        f"correct(optimizer, plan, {list(names)!r}{', torch_rates' if given else ''})\n",
    )


def _class(plan: Plan) -> str:
    return type(plan.optimizer).__name__


def _rate(plan: Plan) -> float:
    return plan.arms[0].schedule.base_lr


def torch_hook(plan: Plan, names: Collection[str]) -> str:
    """A function that has a PyTorch optimizer do what Keras' does: Python source.

    names : of `experiment.differences` that are taken away. The source defines ``as_keras(optimizer)``, or
    ``as_keras(optimizer, keras_rates)`` where these are among them.
    """
    rates = "rates in float32" in names
    body = [line for part in _parts(plan, names) for line in part.splitlines()]
    before = "\n".join(f"            {line}" for line in body)
    return _HOOK.format(arguments=", keras_rates" * rates, body=before)


def _parts(plan: Plan, names: Collection[str]) -> Iterator[str]:
    """What is done to a parameter group before each update, in this order."""
    if "rates in float32" in names:
        yield 'group["lr"] = float(keras_rates[updates - 1])'
    if "constants in float32" in names:
        held = "momentum" if isinstance(plan.optimizer, Momentum) else "weight_decay"
        yield f'group["{held}"] = float(np.float32(group["{held}"]))'
    if "weight decay in one factor" in names:
        yield _SUBTRACTED
    chosen = plan.optimizer
    if isinstance(chosen, Adam | AdamW):
        yield from _of_adam(plan, names)
    if isinstance(chosen, Momentum) and "rate in the velocity" in names:
        yield _VELOCITY
    if isinstance(chosen, RMSprop) and "epsilon placement" in names:
        yield _ROOT


def _of_adam(plan: Plan, names: Collection[str]) -> Iterator[str]:
    if "beta_2 in float32" in names:
        yield _SECOND_MOMENT
    if not {"epsilon placement", "beta powers in float32"} & set(names):
        return
    yield 'own = [1 - beta**updates for beta in group["betas"]]'
    if "beta powers in float32" in names:
        kind = f"np.{plan.precision}"
        yield f'keras = [float(1 - {kind}(np.float32(beta)) ** {kind}(updates)) for beta in group["betas"]]'
        if "epsilon placement" in names:
            yield 'group["eps"] /= math.sqrt(own[1])'
        else:
            yield 'group["eps"] *= math.sqrt(keras[1] / own[1])'
        if isinstance(plan.optimizer, AdamW):
            yield "factor = math.sqrt(keras[1] / own[1]) * own[0] / keras[0]"
            yield 'group["lr"] *= factor\ngroup["weight_decay"] /= factor  # PyTorch multiplies it with the rate'
        else:
            yield 'group["lr"] *= math.sqrt(keras[1] / own[1]) * own[0] / keras[0]'
    else:
        yield 'group["eps"] /= math.sqrt(own[1])'


_HOOK = """\
import math

import numpy as np
import torch


def as_keras(optimizer{arguments}):
    updates, undo = 0, []

    def before(optimizer, args, kwargs):
        nonlocal updates
        updates += 1
        for group in optimizer.param_groups:
            undo.append((group, dict(group)))
{body}

    def after(optimizer, args, kwargs):
        for group, numbers in undo:
            group.update(numbers)  # schedulers go on with their own
        undo.clear()

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)
"""

_SUBTRACTED = """\
decay, group["weight_decay"] = group["weight_decay"], 0.0
with torch.no_grad():
    for weight in group["params"]:
        weight.sub_(weight * decay * group["lr"])"""

_SECOND_MOMENT = """\
for weight in group["params"]:
    state = optimizer.state[weight]
    for moment in {"exp_avg_sq", "max_exp_avg_sq"} & state.keys():
        state[moment] = state[moment].double()"""

_VELOCITY = """\
for weight in group["params"]:
    weight.grad = weight.grad * group["lr"]
group["lr"] = 1.0"""

_ROOT = """\
alpha, eps = group["alpha"], group["eps"]
for weight in group["params"]:
    state = optimizer.state[weight]
    if not state:
        state["step"] = torch.zeros(())
        state["square_avg"] = torch.full_like(weight, eps)
    state["square_avg"].add_((1 - alpha) / alpha * eps)
group["eps"] = 0.0"""

_TORCH_WEIGHTS = """\
for layer in model.modules():
    if isinstance(layer, torch.nn.Linear):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
"""

_TORCH_ORDER = """\
for epoch in range(epochs):
    order = np.random.default_rng([seed, epoch]).permutation(len(x))
    for rows in np.array_split(order, range(batch_size, len(x), batch_size)):
        inputs, targets = x[rows], y[rows]
"""

_KERAS_WEIGHTS = """\
def as_torch(inputs):
    limit = inputs**-0.5
    draw = keras.initializers.RandomUniform(-limit, limit)
    return {"kernel_initializer": draw, "bias_initializer": keras.initializers.RandomUniform(-limit, limit)}


layer = keras.layers.Dense(width, **as_torch(inputs))
"""

_KERAS_ORDER = """\
for epoch in range(epochs):
    order = np.random.default_rng([seed, epoch]).permutation(len(x))
    model.fit(x[order], y[order], batch_size=batch_size, shuffle=False)
"""

_WEIGHTS: dict[Framework, tuple[str, str]] = {
    "torch": (
        (
            "Keras' Dense begins with Glorot uniform kernels and zero biases, PyTorch's Linear with both uniform "
            "within 1 / sqrt(inputs). This draws from Keras' distribution; for the same numbers copy Keras' kernels, "
            "transposed."
        ),
        _TORCH_WEIGHTS,
    ),
    "tensorflow": (
        (
            "PyTorch's Linear begins with kernels and biases uniform within 1 / sqrt(inputs), Keras' Dense with Glorot "
            "uniform kernels and zero biases. This draws from PyTorch's distribution; for the same numbers copy its "
            "weights, transposed."
        ),
        _KERAS_WEIGHTS,
    ),
}
_ORDER: dict[Framework, str] = {"torch": _TORCH_ORDER, "tensorflow": _KERAS_ORDER}
_EPSILON: dict[Framework, str] = {
    "torch": "optimizer = torch.optim.{optimizer}(model.parameters(), lr={rate!r}, eps={epsilon!r})\n",
    "tensorflow": "optimizer = keras.optimizers.{optimizer}({rate!r}, epsilon={epsilon!r})\n",
}
