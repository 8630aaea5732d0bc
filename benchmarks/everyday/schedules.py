"""Schedules as people write them: of PyTorch, Transformers and Keras, and formulas as well-known projects have them.

A recipe names one and its numbers; `calls` steps it, call by call, and notes the rate after each.
"""

from __future__ import annotations

import bisect
import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.optim import lr_scheduler
from transformers.optimization import get_scheduler

from benchmarks.everyday.keras_rates import SCHEDULES
from benchmarks.everyday.keras_rates import rates as keras_rates

Number = float | int | str | tuple[int, ...]


@dataclass(frozen=True)
class Recipe:
    """A scheduler and its numbers, by the names that its library gives them; `lr` is the optimizer's own rate."""

    kind: str
    numbers: tuple[tuple[str, Number], ...]

    @classmethod
    def of(cls, kind: str, **numbers: Number) -> Recipe:
        """The recipe with these numbers."""
        return cls(kind, tuple(numbers.items()))

    def but(self, **changed: Number) -> Recipe:
        """The same with other numbers."""
        return replace(self, numbers=tuple({**dict(self.numbers), **changed}.items()))

    def __getitem__(self, name: str) -> Any:
        return dict(self.numbers)[name]

    def __contains__(self, name: str) -> bool:
        return name in dict(self.numbers)


@lru_cache(maxsize=64)
def calls(recipe: Recipe, count: int) -> np.ndarray:
    """The rate after 0, 1, … calls of the scheduler: float64, shape (count,); fewer where the library refuses more."""
    numbers = dict(recipe.numbers)
    lr = numbers.pop("lr")
    if recipe.kind in SCHEDULES:
        peak = "warmup_target" if "warmup_steps" in numbers else "initial_learning_rate"
        return keras_rates(recipe.kind, {"initial_learning_rate": 0.0, **numbers, peak: lr}, count)
    if recipe.kind in FORMULAS:
        formula = FORMULAS[recipe.kind]
        return np.array([formula(n, lr, **numbers) for n in range(count)], dtype=float)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the optimizer makes no update
        scheduler = BUILDERS[recipe.kind](optimizer, **numbers)
        rates = []
        for _ in range(count):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            try:
                scheduler.step()
            except ValueError:  # OneCycleLR, after its last step
                break
    return np.array(rates)


def plateau(lr: float, factor: float, patience: int, losses: Iterable[float]) -> np.ndarray:
    """The rate of each epoch under ReduceLROnPlateau, given the loss of each."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
    rates = []
    for loss in losses:
        rates.append(float(optimizer.param_groups[0]["lr"]))
        scheduler.step(loss)
    return np.array(rates)


def _hf(name: str) -> Callable[..., Any]:
    def build(optimizer: torch.optim.Optimizer, warmup: int = 0, total: int | None = None, **specific: Any) -> Any:
        return get_scheduler(name, optimizer, warmup, total, scheduler_specific_kwargs=specific or None)

    return build


def _warmed(after: Callable[..., Any]) -> Callable[..., Any]:
    """LinearLR, then the schedule, as torchvision's reference scripts write it."""

    def build(optimizer: torch.optim.Optimizer, warmup: int, start_factor: float, **numbers: Any) -> Any:
        first = lr_scheduler.LinearLR(optimizer, start_factor=start_factor, total_iters=warmup)
        return lr_scheduler.SequentialLR(optimizer, [first, after(optimizer, **numbers)], [warmup])

    return build


def _multistep(optimizer: torch.optim.Optimizer, milestones: tuple[int, ...], gamma: float) -> Any:
    return lr_scheduler.MultiStepLR(optimizer, list(milestones), gamma)


def _poly(optimizer: torch.optim.Optimizer, max_iter: int, power: float) -> Any:
    return lr_scheduler.LambdaLR(optimizer, lambda n: max(0.0, 1 - n / max_iter) ** power)


def _noam(optimizer: torch.optim.Optimizer, d_model: int, warmup: int) -> Any:
    """As The Annotated Transformer writes it, with lr=1."""

    def rate(step: int) -> float:
        step = max(step, 1)
        return float(d_model ** (-0.5) * min(step ** (-0.5), step * warmup ** (-1.5)))

    return lr_scheduler.LambdaLR(optimizer, rate)


BUILDERS: dict[str, Callable[..., Any]] = {
    "hf-linear": _hf("linear"),
    "hf-cosine": _hf("cosine"),
    "hf-cosine-restarts": _hf("cosine_with_restarts"),
    "hf-polynomial": _hf("polynomial"),
    "hf-constant-warmup": _hf("constant_with_warmup"),
    "hf-inverse-sqrt": _hf("inverse_sqrt"),
    "hf-cosine-min-lr": _hf("cosine_with_min_lr"),
    "hf-cosine-warmup-min-lr": _hf("cosine_warmup_with_min_lr"),
    "hf-wsd": _hf("warmup_stable_decay"),
    "hf-constant": _hf("constant"),
    "StepLR": lr_scheduler.StepLR,
    "MultiStepLR": _multistep,
    "ExponentialLR": lr_scheduler.ExponentialLR,
    "CosineAnnealingLR": lr_scheduler.CosineAnnealingLR,
    "PolynomialLR": lr_scheduler.PolynomialLR,
    "OneCycleLR": lambda optimizer, max_lr, **numbers: lr_scheduler.OneCycleLR(optimizer, max_lr, **numbers),
    "CosineAnnealingWarmRestarts": lr_scheduler.CosineAnnealingWarmRestarts,
    "LinearLR+CosineAnnealingLR": _warmed(lr_scheduler.CosineAnnealingLR),
    "LinearLR+MultiStepLR": _warmed(_multistep),
    "LinearLR+StepLR": _warmed(lr_scheduler.StepLR),
    "LinearLR+ExponentialLR": _warmed(lr_scheduler.ExponentialLR),
    "poly": _poly,
    "noam": _noam,
}


def _nanogpt(it: int, lr: float, warmup_iters: int, lr_decay_iters: int, min_lr: float) -> float:
    """`get_lr` of nanoGPT's train.py, as it has been since 2024."""
    if it < warmup_iters:
        return lr * (it + 1) / (warmup_iters + 1)
    if it > lr_decay_iters:
        return min_lr
    decay_ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    coeff = 0.5 * (1.0 + math.cos(math.pi * decay_ratio))
    return min_lr + coeff * (lr - min_lr)


def _nanogpt_2023(it: int, lr: float, warmup_iters: int, lr_decay_iters: int, min_lr: float) -> float:
    """The same as it was before: a warm-up from 0."""
    if it < warmup_iters:
        return lr * it / warmup_iters
    return _nanogpt(it, lr, warmup_iters, lr_decay_iters, min_lr)


def _detectron2(
    it: int, lr: float, milestones: tuple[int, ...], gamma: float, warmup_iters: int, warmup_factor: float
) -> float:
    """`WarmupMultiStepLR` of detectron2 with its linear warm-up."""
    alpha = it / warmup_iters if warmup_iters else 1.0
    warm = 1.0 if it >= warmup_iters else warmup_factor * (1 - alpha) + alpha
    return lr * warm * gamma ** bisect.bisect_right(milestones, it)


def _timm(t: int, lr: float, t_initial: int, lr_min: float, warmup_t: int, warmup_lr_init: float) -> float:
    """`CosineLRScheduler` of timm with one cycle; the cosine runs on under the warm-up."""
    if t < warmup_t:
        return warmup_lr_init + t * (lr - warmup_lr_init) / warmup_t
    if t < t_initial:
        return lr_min + 0.5 * (lr - lr_min) * (1 + math.cos(math.pi * t / t_initial))
    return lr_min


def _deepspeed(step: int, lr: float, warmup_num_steps: int) -> float:
    """`WarmupLR` of DeepSpeed: along a logarithm, then constant."""
    if step < warmup_num_steps:
        return lr * math.log(step + 1) / math.log(warmup_num_steps)
    return lr


FORMULAS: dict[str, Callable[..., float]] = {
    "nanogpt": _nanogpt,
    "nanogpt-2023": _nanogpt_2023,
    "detectron2": _detectron2,
    "timm": _timm,
    "deepspeed": _deepspeed,
}
