"""What the classes and functions that make a schedule take: as tables, without their frameworks."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from samestep.experiment.schedules.calls import DEPENDS_ON_LOSSES

KERAS = {
    "CosineDecay": "initial_learning_rate, decay_steps, alpha=0.0, name='', warmup_target=None, warmup_steps=0",
    "CosineDecayRestarts": "initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name=''",
    "ExponentialDecay": "initial_learning_rate, decay_steps, decay_rate, staircase=False, name=''",
    "InverseTimeDecay": "initial_learning_rate, decay_steps, decay_rate, staircase=False, name=''",
    "PiecewiseConstantDecay": "boundaries, values, name=''",
    "PolynomialDecay": (
        "initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False, name=''"
    ),
}
"""The arguments of each class of Keras that can be read, as its documentation has them. Names do not matter."""

TORCH = {
    "ChainedScheduler": "schedulers, optimizer=None",
    "ConstantLR": "optimizer, factor=0.3333333333333333, total_iters=5, last_epoch=-1",
    "CosineAnnealingLR": "optimizer, T_max, eta_min=0.0, last_epoch=-1",
    "CosineAnnealingWarmRestarts": "optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1",
    "CyclicLR": (
        "optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode='triangular', gamma=1.0, "
        "scale_fn=None, scale_mode='cycle', cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, last_epoch=-1"
    ),
    "ExponentialLR": "optimizer, gamma, last_epoch=-1",
    "LinearLR": "optimizer, start_factor=0.3333333333333333, end_factor=1.0, total_iters=5, last_epoch=-1",
    "MultiStepLR": "optimizer, milestones, gamma=0.1, last_epoch=-1",
    "OneCycleLR": (
        "optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, "
        "anneal_strategy='cos', cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0, "
        "final_div_factor=10000.0, three_phase=False, last_epoch=-1"
    ),
    "PolynomialLR": "optimizer, total_iters=5, power=1.0, last_epoch=-1",
    "SequentialLR": "optimizer, schedulers, milestones, last_epoch=-1",
    "StepLR": "optimizer, step_size, gamma=0.1, last_epoch=-1",
}
"""The arguments of each class of PyTorch that can be read, as its documentation has them."""

SIGNATURES = {**KERAS, **TORCH}

OPTIMIZERS = (
    *("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "RAdam"),
    *("RMSprop", "Rprop", "SGD", "SparseAdam"),
)
"""Optimizers of PyTorch, which take the rate after the parameters."""

OF_A_FUNCTION = "{} calls a function, which samestep does not run. Write the schedule that the function gives."
UNREADABLE = {
    **dict.fromkeys(("LambdaLR", "MultiplicativeLR", "LearningRateScheduler"), OF_A_FUNCTION),
    "ReduceLROnPlateau": DEPENDS_ON_LOSSES,
    "SWALR": "{} goes on from the rate that it finds, which no code says. Record a run and compare its trace.",
}
"""Classes of both frameworks that can't be read from their arguments, and why."""

NEEDED = inspect.Parameter.empty
"""The default of an argument that has none."""


def bound(
    name: str, given: Sequence[Any], named: Mapping[str, Any], takes: Mapping[str, str] = SIGNATURES
) -> dict[str, Any]:
    """The arguments of a class or function by their names, with its defaults.

    Args:
        name: The class or function.
        given: Arguments without a name.
        named: Those with one.
        takes: What each class or function takes; by default the classes of both frameworks.

    Raises:
        ValueError: An argument is missing, there twice or not one of the class.

    Example:
        >>> bound("StepLR", ["optimizer", 30], {"gamma": 0.5})
        {'optimizer': 'optimizer', 'step_size': 30, 'gamma': 0.5, 'last_epoch': -1}
    """
    known = defaults(name, takes)
    if next(iter(known)) == "optimizer" or name == "ChainedScheduler":
        named = {key: value for key, value in named.items() if key != "verbose"}  # of PyTorch before 2.7
    unknown = [key for key in named if key not in known]
    if unknown:
        raise ValueError(f"{name} has no argument {unknown[0][:60]!r}. {hint(unknown[0], known)}")
    if len(given) > len(known):
        raise ValueError(f"{name}: got {len(given)} arguments. It takes {', '.join(known)}.")
    placed = dict(zip(known, given, strict=False))
    twice = next((key for key in placed if key in named), None)
    if twice:
        raise ValueError(f"{name}: {twice} is there twice, as {placed[twice]!r} and {named[twice]!r}. Keep one.")
    missing = [key for key, default in known.items() if default is NEEDED and key not in {**placed, **named}]
    if missing:
        raise ValueError(f"{name}: {missing[0]} is missing. Add {missing[0]}=….")
    return {**known, **placed, **named}


def defaults(name: str, takes: Mapping[str, str] = SIGNATURES) -> dict[str, Any]:
    """The arguments of a class or function with their defaults, in order."""
    parts = [part.partition("=") for part in takes[name].split(", ")]
    return {key: ast.literal_eval(default) if equals else NEEDED for key, equals, default in parts}


def hint(name: str, known: Iterable[str]) -> str:
    """The known name that is nearest, or all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
