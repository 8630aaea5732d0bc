"""Runs in round numbers: a schedule, how often it is stepped, and for how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.everyday.schedules import Number, Recipe, calls

STEPS_PER_EPOCH = (10, 20, 25, 32, 40, 50, 57, 63, 79, 98, 100, 125, 157, 196, 200, 250, 391, 500)
EPOCHS = (2, 3, 4, 5, 8, 10, 12, 20, 30, 50, 60, 90, 100)
TOTALS = (500, 600, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 8000, 10_000)
MOST = 12_000
FINE = (5e-5, 2e-5, 3e-5, 1e-4, 2e-4, 3e-4, 5e-4, 1e-3)
COARSE = (0.1, 0.1, 0.01, 0.05, 0.02, 0.2, 1e-3)


@dataclass(frozen=True)
class Run:
    """A run of so many updates whose scheduler is stepped once per update, or once per epoch."""

    recipe: Recipe
    updates: int
    steps_per_epoch: int | None = None
    per: str = "step"

    def but(self, **changed: Number) -> Run:
        """The same with other numbers of the schedule."""
        return replace(self, recipe=self.recipe.but(**changed))

    def at(self, called: np.ndarray) -> np.ndarray:
        """The rate after so many calls of the scheduler."""
        rates = calls(self.recipe, int(called.max()) + 1)
        return np.asarray(rates[called[called < len(rates)]])

    def called(self) -> np.ndarray:
        """How often the scheduler was called before each update."""
        step = np.arange(self.updates)
        return step // self.steps_per_epoch if self.per == "epoch" and self.steps_per_epoch else step

    def rates(self) -> np.ndarray:
        """The rate that each update used."""
        return self.at(self.called())

    @property
    def unit(self) -> int:
        """Updates for one call of the scheduler."""
        return self.steps_per_epoch if self.per == "epoch" and self.steps_per_epoch else 1


class Draws:
    """Round numbers, from one generator."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random

    def of(self, values: Sequence[Any]) -> Any:
        """One of these."""
        return values[int(self.random.integers(len(values)))]

    def other(self, value: float, values: Sequence[Any]) -> Any:
        """One of these that is another."""
        return self.of([each for each in values if each != value])

    def chance(self, share: float) -> bool:
        """Whether something of this probability happens."""
        return bool(self.random.random() < share)

    def length(self) -> tuple[int, int | None]:
        """Updates of a run, and how many an epoch has, if the run counts in epochs."""
        if self.chance(0.35):
            return int(self.of(TOTALS)), None
        while True:
            steps, epochs = int(self.of(STEPS_PER_EPOCH)), int(self.of(EPOCHS))
            if 300 <= steps * epochs <= MOST:
                return steps * epochs, steps

    def warmup(self, total: int, other: int = 0) -> int:
        """Warm-up steps: a share of all, or a round number."""
        shares = [math.ceil(share * total) for share in (0.03, 0.05, 0.06, 0.1, 0.2)]
        counts = [each for each in (10, 20, 50, 100, 200, 500, 1000) if 0.01 * total <= each <= 0.3 * total]
        known = [each for each in (*shares, *counts) if abs(each - other) > max(5, 0.02 * other)]
        return int(self.of(known))

    def run(self, kinds: Sequence[str] = ()) -> Run:
        """A run with a schedule of one of these kinds."""
        return KINDS[str(self.of(kinds or list(KINDS)))](self)

    def epochs(self, least: int = 10) -> tuple[int, int]:
        """Steps per epoch and epochs, with at least so many epochs."""
        while True:
            steps, epochs = int(self.of(STEPS_PER_EPOCH)), int(self.of((10, 12, 20, 30, 50, 60, 90, 100, 120, 200)))
            if epochs >= least and 300 <= steps * epochs <= MOST:
                return steps, epochs


def _hf(kind: str, **more: Callable[[Draws, int, float], Number]) -> Callable[[Draws], Run]:
    def draw(draws: Draws) -> Run:
        total, epoch = draws.length()
        lr = draws.of(FINE)
        warmup = (
            0 if draws.chance(0.2) and kind not in ("hf-constant-warmup", "hf-inverse-sqrt") else draws.warmup(total)
        )
        numbers: dict[str, Number] = {"lr": lr, "warmup": warmup}
        if kind not in ("hf-constant-warmup", "hf-inverse-sqrt"):
            numbers["total"] = total
        numbers |= {name: each(draws, total, lr) for name, each in more.items()}
        return Run(Recipe.of(kind, **numbers), total, epoch)

    return draw


def _torch(kind: str, numbers: Callable[[Draws, int, int], dict[str, Number]]) -> Callable[[Draws], Run]:
    """A schedule that counts calls: per epoch, as the tutorials have it, or per step."""

    def draw(draws: Draws) -> Run:
        steps, epochs = draws.epochs()
        lr = draws.of(COARSE)
        if draws.chance(0.6):
            return Run(Recipe.of(kind, lr=lr, **numbers(draws, epochs, epochs)), steps * epochs, steps, "epoch")
        return Run(Recipe.of(kind, lr=lr, **numbers(draws, steps * epochs, epochs)), steps * epochs, steps)

    return draw


def _milestones(draws: Draws, count: int) -> tuple[int, ...]:
    """At 30, 60 and 80, or 50 and 75 per cent, or the like."""
    shares = draws.of(
        [(0.3, 0.6, 0.8), (0.5, 0.75), (0.3, 0.6, 0.9), (0.6, 0.8), (0.5, 0.8), (0.4, 0.7), (0.25, 0.5, 0.75)]
    )
    return tuple(round(share * count) for share in shares)


def _one_cycle(draws: Draws) -> Run:
    total, epoch = draws.length()
    lr = draws.of((0.1, 0.01, 1e-3, 3e-4, 0.05))
    pct = draws.of((0.3, 0.3, 0.1, 0.2, 0.05))
    anneal = draws.of(("cos", "cos", "linear"))
    numbers = {"max_lr": lr, "total_steps": total, "pct_start": pct, "anneal_strategy": anneal}
    return Run(Recipe.of("OneCycleLR", lr=lr, **numbers), total, epoch)


def _nanogpt(kind: str) -> Callable[[Draws], Run]:
    def draw(draws: Draws) -> Run:
        total = int(draws.of(TOTALS))
        lr = draws.of((6e-4, 1e-3, 3e-4))
        numbers = {"warmup_iters": draws.warmup(total), "lr_decay_iters": total, "min_lr": draws.of((lr / 10, 0.0))}
        return Run(Recipe.of(kind, lr=lr, **numbers), total)

    return draw


def _detectron2(draws: Draws) -> Run:
    total = int(draws.of((1000, 1500, 3000, 6000, 9000)))
    numbers = {
        "milestones": draws.of(
            [(total * 2 // 3, total * 8 // 9), (total // 2, total * 3 // 4), (total * 3 // 5, total * 4 // 5)]
        ),
        "gamma": 0.1,
        "warmup_iters": draws.warmup(total),
        "warmup_factor": draws.of((0.001, 1 / 3, 0.1)),
    }
    return Run(Recipe.of("detectron2", lr=draws.of((0.02, 0.0025, 0.01, 0.1)), **numbers), total)


def _noam(draws: Draws) -> Run:
    total = int(draws.of((2000, 4000, 8000, 10_000)))
    warmup = draws.of([each for each in (200, 400, 500, 1000, 4000) if each < total])
    return Run(Recipe.of("noam", lr=draws.of((1.0, 1.0, 2.0, 0.5)), d_model=draws.of((512, 256)), warmup=warmup), total)


def _deepspeed(draws: Draws) -> Run:
    total, epoch = draws.length()
    return Run(Recipe.of("deepspeed", lr=draws.of(FINE), warmup_num_steps=draws.warmup(total)), total, epoch)


def _timm(draws: Draws) -> Run:
    steps, epochs = draws.epochs()
    total = steps * epochs
    warmup = steps * draws.of([each for each in (1, 3, 5, 10) if each <= epochs // 4])
    numbers = {
        "t_initial": total,
        "lr_min": draws.of((0.0, 1e-5, 1e-6)),
        "warmup_t": warmup,
        "warmup_lr_init": draws.of((1e-6, 1e-5, 1e-4)),
    }
    return Run(Recipe.of("timm", lr=draws.of((0.1, 0.05, 5e-3, 1e-3)), **numbers), total, steps)


def _warmed(kind: str, numbers: Callable[[Draws, int, int], dict[str, Number]]) -> Callable[[Draws], Run]:
    """Per epoch with a warm-up of epochs, or per step with a warm-up of one epoch or more."""

    def draw(draws: Draws) -> Run:
        steps, epochs = draws.epochs(20)
        per = "epoch" if draws.chance(0.4) else "step"
        count = epochs if per == "epoch" else steps * epochs
        warmup = draws.of((5, 5, 3, 10)) * (1 if per == "epoch" else max(1, steps // 5))
        warmup = min(warmup, count // 5)
        start = draws.of((0.01, 0.1, 1 / 3, 0.001))
        recipe = Recipe.of(
            kind, lr=draws.of(COARSE), warmup=warmup, start_factor=start, **numbers(draws, count - warmup, epochs)
        )
        return Run(recipe, steps * epochs, steps, per)

    return draw


def _keras(kind: str, numbers: Callable[[Draws, int, int], dict[str, Number]]) -> Callable[[Draws], Run]:
    """A schedule of Keras, which counts updates."""

    def draw(draws: Draws) -> Run:
        steps, epochs = draws.epochs()
        lr = draws.of((1e-3, 0.01, 0.1, 1e-4, 3e-4))
        return Run(Recipe.of(kind, lr=lr, **numbers(draws, steps * epochs, steps)), steps * epochs, steps)

    return draw


def _keras_warmed(draws: Draws, count: int, steps: int) -> dict[str, Number]:
    warmup = steps * draws.of((1, 2, 3))
    return {"decay_steps": count - warmup, "warmup_steps": warmup, "alpha": draws.of((0.0, 0.0, 0.1, 0.01))}


def _keras_decay(draws: Draws, count: int, steps: int) -> dict[str, Number]:
    every = draws.of([steps, 10 * steps, count // 10, count // 5])
    rate = draws.of((0.95, 0.96, 0.9) if every == steps else (0.5, 0.1, 0.9))
    return {"decay_steps": every, "decay_rate": rate, "staircase": draws.of((True, True, False))}


def _step_size(draws: Draws, count: int, epochs: int) -> dict[str, Number]:
    return {
        "step_size": max(1, round(count * draws.of((0.1, 0.2, 0.25, 1 / 3, 0.5)))),
        "gamma": draws.of((0.1, 0.5, 0.9, 0.1, 0.2)),
    }


def _gamma(draws: Draws, count: int, epochs: int) -> dict[str, Number]:
    return {"gamma": draws.of((0.9, 0.95, 0.97, 0.98) if count <= 200 else (0.999, 0.9995, 0.9999, 0.998))}


KINDS: dict[str, Callable[[Draws], Run]] = {
    "hf-linear": _hf("hf-linear"),
    "hf-cosine": _hf("hf-cosine"),
    "hf-cosine-restarts": _hf("hf-cosine-restarts", num_cycles=lambda draws, total, lr: draws.of((1, 2, 3, 4))),
    "hf-polynomial": _hf("hf-polynomial", power=lambda draws, total, lr: draws.of((1.0, 2.0, 0.5, 3.0))),
    "hf-constant-warmup": _hf("hf-constant-warmup"),
    "hf-inverse-sqrt": _hf("hf-inverse-sqrt"),
    "hf-cosine-min-lr": _hf("hf-cosine-min-lr", min_lr=lambda draws, total, lr: lr / draws.of((10, 10, 5, 100))),
    "hf-cosine-warmup-min-lr": _hf(
        "hf-cosine-warmup-min-lr",
        min_lr=lambda draws, total, lr: lr / draws.of((10, 100)),
        warmup_lr_rate=lambda draws, total, lr: draws.of((0.1, 0.01)),
    ),
    "hf-constant": lambda draws: Run(Recipe.of("hf-constant", lr=draws.of(FINE)), draws.length()[0]),
    "hf-wsd": _hf(
        "hf-wsd",
        num_decay_steps=lambda draws, total, lr: round(total * draws.of((0.1, 0.2, 0.25))),
        decay_type=lambda draws, total, lr: draws.of(("linear", "cosine", "1-sqrt")),
    ),
    "StepLR": _torch("StepLR", _step_size),
    "MultiStepLR": _torch(
        "MultiStepLR",
        lambda draws, count, epochs: {"milestones": _milestones(draws, count), "gamma": draws.of((0.1, 0.1, 0.5, 0.2))},
    ),
    "ExponentialLR": _torch("ExponentialLR", _gamma),
    "CosineAnnealingLR": _torch(
        "CosineAnnealingLR",
        lambda draws, count, epochs: {"T_max": count, "eta_min": draws.of((0.0, 0.0, 1e-4, 1e-5, 1e-6))},
    ),
    "PolynomialLR": _torch(
        "PolynomialLR", lambda draws, count, epochs: {"total_iters": count, "power": draws.of((0.9, 1.0, 2.0))}
    ),
    "poly": _torch("poly", lambda draws, count, epochs: {"max_iter": count, "power": draws.of((0.9, 0.9, 2.0))}),
    "OneCycleLR": _one_cycle,
    "CosineAnnealingWarmRestarts": _torch(
        "CosineAnnealingWarmRestarts",
        lambda draws, count, epochs: {
            "T_0": max(2, round(count * draws.of((0.1, 0.2, 0.25)))),
            "T_mult": draws.of((1, 2)),
            "eta_min": draws.of((0.0, 1e-5)),
        },
    ),
    "LinearLR+CosineAnnealingLR": _warmed(
        "LinearLR+CosineAnnealingLR",
        lambda draws, count, epochs: {"T_max": count, "eta_min": draws.of((0.0, 0.0, 1e-5, 1e-4))},
    ),
    "LinearLR+MultiStepLR": _warmed(
        "LinearLR+MultiStepLR", lambda draws, count, epochs: {"milestones": _milestones(draws, count), "gamma": 0.1}
    ),
    "LinearLR+StepLR": _warmed(
        "LinearLR+StepLR", lambda draws, count, epochs: {"step_size": max(1, round(count / 3)), "gamma": 0.1}
    ),
    "LinearLR+ExponentialLR": _warmed("LinearLR+ExponentialLR", _gamma),
    "noam": _noam,
    "deepspeed": _deepspeed,
    "nanogpt": _nanogpt("nanogpt"),
    "nanogpt-2023": _nanogpt("nanogpt-2023"),
    "detectron2": _detectron2,
    "timm": _timm,
    "keras-exponential": _keras("keras-exponential", _keras_decay),
    "keras-cosine": _keras(
        "keras-cosine",
        _keras_warmed,
    ),
    "keras-cosine-cold": _keras(
        "keras-cosine", lambda draws, count, steps: {"decay_steps": count, "alpha": draws.of((0.0, 0.0, 0.1, 0.01))}
    ),
    "keras-polynomial": _keras(
        "keras-polynomial",
        lambda draws, count, steps: {
            "decay_steps": count,
            "end_learning_rate": draws.of((1e-6, 1e-5)),
            "power": draws.of((1.0, 0.9, 2.0, 0.5)),
        },
    ),
    "keras-restarts": _keras(
        "keras-restarts",
        lambda draws, count, steps: {
            "first_decay_steps": round(count * draws.of((0.1, 0.2, 0.25))),
            "t_mul": draws.of((1.0, 2.0)),
            "m_mul": draws.of((1.0, 1.0, 0.9)),
        },
    ),
}
