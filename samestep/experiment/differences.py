"""What the two frameworks do differently with one plan, although every hyperparameter is the same.

Each difference can be taken away from either framework: `torch_impl.corrections` has PyTorch do what Keras does,
`tf_impl.corrections` Keras what PyTorch does. With all of them gone, only the rounding of sums is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from samestep.experiment.plan import Adam, AdamW, Momentum, Plan, RMSprop

Name = Literal[
    "epsilon placement",
    "beta powers in float32",
    "beta_2 in float32",
    "rate in the velocity",
    "weight decay in one factor",
    "constants in float32",
    "rates in float32",
]
NAMES: tuple[Name, ...] = get_args(Name)


@dataclass(frozen=True)
class Difference:
    """One thing that the two frameworks compute differently.

    keras, torch : what each does. sources : the files that say so.
    """

    name: Name
    keras: str
    torch: str
    sources: tuple[str, str]


def of(plan: Plan) -> tuple[Difference, ...]:
    """The differences that a plan's optimizer has; none is there that cannot change a number."""
    chosen = plan.optimizer
    adam, momentum = isinstance(chosen, Adam | AdamW), isinstance(chosen, Momentum)
    decays = isinstance(chosen, AdamW) and chosen.weight_decay > 0
    there = {
        _ADAM_EPSILON: adam,
        _BETA_POWERS: adam,
        _BETA_2: adam and plan.precision == "float32",
        _RMSPROP_EPSILON: isinstance(chosen, RMSprop),
        _VELOCITY: momentum,
        _WEIGHT_DECAY: decays,
        _CONSTANTS: plan.precision == "float64" and (decays or momentum),
        _RATES: True,
    }
    return tuple(difference for difference, has in there.items() if has)


_ADAM = ("keras/src/optimizers/adam.py", "torch/optim/adam.py")

_ADAM_EPSILON = Difference(
    "epsilon placement",
    keras="lr sqrt(1 - b2**t) / (1 - b1**t) * m / (sqrt(v) + eps)",
    torch="lr / (1 - b1**t) * m / (sqrt(v) / sqrt(1 - b2**t) + eps)",
    sources=_ADAM,
)
_RMSPROP_EPSILON = Difference(
    "epsilon placement",
    keras="lr * g / sqrt(v + eps)",
    torch="lr * g / (sqrt(v) + eps)",
    sources=("keras/src/optimizers/rmsprop.py", "torch/optim/rmsprop.py"),
)
_BETA_POWERS = Difference(
    "beta powers in float32",
    keras="float32(b)**t, even where the weights are float64",
    torch="b**t in float64",
    sources=_ADAM,
)
_BETA_2 = Difference(
    "beta_2 in float32",
    keras="v + (g**2 - v) (1 - b2)",
    torch="b2 v + (1 - b2) g**2: float32(b2) is off by d, which makes v off by up to d / (1 - b2)",
    sources=_ADAM,
)
_VELOCITY = Difference(
    "rate in the velocity",
    keras="m = mu m - lr g; w += m: each gradient keeps the rate it came with",
    torch="m = mu m + g; w -= lr m: the present rate moves all gradients so far",
    sources=("keras/src/optimizers/sgd.py", "torch/optim/sgd.py"),
)
_WEIGHT_DECAY = Difference(
    "weight decay in one factor",
    keras="w - w * wd * lr",
    torch="w * (1 - lr wd), a factor so near 1 that float32 rounds the decay away in part",
    sources=("keras/src/optimizers/base_optimizer.py", "torch/optim/adam.py"),
)
_CONSTANTS = Difference(
    "constants in float32",
    keras="momentum and weight decay rounded to float32, even where the weights are float64",
    torch="both in float64",
    sources=("keras/src/optimizers/sgd.py, base_optimizer.py", "torch/optim/sgd.py, adam.py"),
)
_RATES = Difference(
    "rates in float32",
    keras="the schedule is computed in float32, from a float32 step",
    torch="the schedule is computed in float64",
    sources=("keras/src/optimizers/schedules/learning_rate_schedule.py", "torch/optim/lr_scheduler.py"),
)
