"""What a porter writes so that the differences that mattered are gone: sentences, and code to paste."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from textwrap import indent

from samestep.experiment import differences
from samestep.experiment.differences import Name
from samestep.experiment.plan import AdamW, Framework, Momentum, Plan, RMSprop

from .ladder import Ladder
from .variants import DEFAULT_EPSILON, EPSILONS, RATES


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
    return (*found, _in_formulas(plan, mended, names)) if names else tuple(found)


def _settings(plan: Plan, mended: Framework) -> Iterator[Advice]:
    """What is mended outside the formulas of the optimizer."""
    yield Advice("weights", _WEIGHTS_DIFFER[mended], _WEIGHTS[mended])
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
    optimizer, epsilon = type(plan.optimizer).__name__, getattr(plan.optimizer, "epsilon", None)
    yield Advice(
        DEFAULT_EPSILON,
        f"Keras' default epsilon is {EPSILONS['tensorflow']:g}, PyTorch's {EPSILONS['torch']:g}. Pass it.",
        _EPSILON[mended].format(optimizer=optimizer, rate=plan.arms[0].schedule.base_lr, epsilon=epsilon),
    )


def _in_formulas(plan: Plan, mended: Framework, names: Sequence[str]) -> Advice:
    """What is mended in each update. Rates that are given come from the other framework's run."""
    given = RATES in names
    if mended == "torch":
        how, code = "a hook sets the numbers of each update.", torch_hook(plan, names)
        rates = "keras_rates are those that Keras used, as tf_impl.Recorder writes them."
    else:
        how, code = "another update_step does.", _CORRECT.format(names=names, rates=", torch_rates" * given)
        rates = (
            "torch_rates are those that PyTorch used, as torch_impl.Recorder writes them; a LearningRateScheduler goes."
        )
    sentence = f"These are in the formulas. No hyperparameter changes them: {how}{f' {rates}' * given}"
    return Advice(", ".join(names), sentence, code)


def torch_hook(plan: Plan, names: Collection[str]) -> str:
    """A function that has a PyTorch optimizer do what Keras' does: Python source.

    names : of `experiment.differences` that are taken away. The source defines ``as_keras(optimizer)``, or
    ``as_keras(optimizer, keras_rates)`` where these are among them.
    """
    body = indent("\n".join(_parts(plan, names)), " " * 12)
    return _HOOK.format(arguments=", keras_rates" * (RATES in names), body=body)


def _parts(plan: Plan, names: Collection[str]) -> Iterator[str]:
    """What is done to a parameter group before each update, in this order."""
    if RATES in names:
        yield 'group["lr"] = float(keras_rates[updates - 1])'
    if "constants in float32" in names:
        held = "momentum" if isinstance(plan.optimizer, Momentum) else "weight_decay"
        yield f'group["{held}"] = float(np.float32(group["{held}"]))'
    for name, part in _ALONE.items():
        if name in names:
            yield part
    if isinstance(plan.optimizer, RMSprop) and "epsilon placement" in names:
        yield _ROOT
    elif "epsilon placement" in names or "beta powers in float32" in names:
        yield from _of_adam(plan, names)


def _of_adam(plan: Plan, names: Collection[str]) -> Iterator[str]:
    """Epsilon and the powers of the betas, which act on one another."""
    yield 'own = [1 - beta**updates for beta in group["betas"]]'
    powers, kind = "beta powers in float32" in names, f"np.{plan.precision}"
    if powers:
        yield f'keras = [float(1 - {kind}(np.float32(beta)) ** {kind}(updates)) for beta in group["betas"]]'
    root = "math.sqrt(keras[1] / own[1])"
    yield 'group["eps"] /= math.sqrt(own[1])' if "epsilon placement" in names else f'group["eps"] *= {root}'
    factor = f"{root} * own[0] / keras[0]"
    if powers and isinstance(plan.optimizer, AdamW):
        yield f"factor = {factor}"
        yield 'group["lr"] *= factor\ngroup["weight_decay"] /= factor  # PyTorch multiplies it with the rate'
    elif powers:
        yield f'group["lr"] *= {factor}'


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

_CORRECT = """\
from tf_impl.corrections import correct

# before the model is compiled
correct(optimizer, plan, {names!r}{rates})
"""

_ALONE: dict[Name, str] = {
    "weight decay in one factor": """\
decay, group["weight_decay"] = group["weight_decay"], 0.0
with torch.no_grad():
    for weight in group["params"]:
        weight.sub_(weight * decay * group["lr"])""",
    "beta_2 in float32": """\
for weight in group["params"]:
    state = optimizer.state[weight]
    for moment in {"exp_avg_sq", "max_exp_avg_sq"} & state.keys():
        state[moment] = state[moment].double()""",
    "rate in the velocity": """\
for weight in group["params"]:
    weight.grad = weight.grad * group["lr"]
group["lr"] = 1.0""",
}
"""What takes one difference away, whatever else is taken away."""

_ROOT = """\
alpha, eps = group["alpha"], group["eps"]
for weight in group["params"]:
    state = optimizer.state[weight]
    if not state:
        state["step"] = torch.zeros(())
        state["square_avg"] = torch.full_like(weight, eps)
    state["square_avg"].add_((1 - alpha) / alpha * eps)
group["eps"] = 0.0"""

_WEIGHTS_DIFFER: dict[Framework, str] = {
    "torch": (
        "Keras' Dense begins with Glorot uniform kernels and zero biases, PyTorch's Linear with both uniform within "
        "1 / sqrt(inputs). This draws from Keras' distribution; for the same numbers copy Keras' kernels, transposed."
    ),
    "tensorflow": (
        "PyTorch's Linear begins with kernels and biases uniform within 1 / sqrt(inputs), Keras' Dense with Glorot "
        "uniform kernels and zero biases. This draws from PyTorch's distribution; for the same numbers copy its "
        "weights, transposed."
    ),
}

_WEIGHTS: dict[Framework, str] = {
    "torch": """\
for layer in model.modules():
    if isinstance(layer, torch.nn.Linear):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
""",
    "tensorflow": """\
def as_torch(inputs):
    limit = inputs**-0.5
    draw = keras.initializers.RandomUniform(-limit, limit)
    return {"kernel_initializer": draw, "bias_initializer": keras.initializers.RandomUniform(-limit, limit)}


layer = keras.layers.Dense(width, **as_torch(inputs))
""",
}

_ORDER: dict[Framework, str] = {
    "torch": """\
for epoch in range(epochs):
    order = np.random.default_rng([seed, epoch]).permutation(len(x))
    for rows in np.array_split(order, range(batch_size, len(x), batch_size)):
        inputs, targets = x[rows], y[rows]
""",
    "tensorflow": """\
for epoch in range(epochs):
    order = np.random.default_rng([seed, epoch]).permutation(len(x))
    model.fit(x[order], y[order], batch_size=batch_size, shuffle=False)
""",
}

_EPSILON: dict[Framework, str] = {
    "torch": "optimizer = torch.optim.{optimizer}(model.parameters(), lr={rate!r}, eps={epsilon!r})\n",
    "tensorflow": "optimizer = keras.optimizers.{optimizer}({rate!r}, epsilon={epsilon!r})\n",
}
