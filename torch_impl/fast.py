"""The training of `training`, in less time: the same operations of PyTorch, without what surrounds them.

The gradient of the plain model is PyTorch's, of one seed or of many side by side. An optimizer of PyTorch, which is
given all parameters as one tensor, and a scheduler of PyTorch do the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from samestep.experiment import controls
from samestep.experiment.plan import Arm, Plan
from samestep.experiment.programs import engines
from samestep.experiment.programs.engines import Engine, Trained
from torch_impl import schedules, training
from torch_impl.stacked import Stacked, Tensors, stacked

_LONG = 2**15
"""Numbers in a tensor from which on a fused optimizer, which passes over it once, is faster."""

_WIDE = 2**18
"""Parameters of a network from which on threads do not only wait for each other."""


def bytes_per_seed(plan: Plan) -> int:
    """Bytes of `free_memory` that one more seed takes.

    Parameters, gradients, moments; two epochs of rows and masks; what two batches leave between layers; the trace.
    """
    features = training.data(plan)[0].shape[1] if len(plan.seeds) > 1 else 1
    parameters, hidden = plan.network.parameters(features), sum(plan.network.hidden)
    row = features + 1 + (hidden if plan.controls.masks == "shared" else 0)
    numbers = 8 * parameters + 2 * plan.clock.samples * row + 2 * plan.batch_size * (row + 9 * hidden + 9)
    return numbers * np.dtype(plan.precision).itemsize + 24 * plan.steps


def free_memory() -> int:
    """Bytes of free memory on the device."""
    if torch.get_default_device().type == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return engines.free_memory()


def train(
    plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], engine: Engine
) -> list[Trained]:
    """Train one arm with several seeds, side by side.

    Args:
        plan: the experiment.
        arm: one of its arms.
        seeds: the seeds to train.
        on_epochs: called with the number of epochs since the last call, summed over all seeds.
        engine: PyTorch has one fast way for every engine.

    Returns:
        One result for each seed, in order: the rates of `training.train` to the bit. The losses of one seed with fewer
        than 32,768 parameters are those to the bit as well. Otherwise they agree within rounding: matrix products of
        several seeds are summed in another order, and a fused optimizer rounds less often.
    """
    x, y = training.data(plan)
    # PyTorch's own dropout, mapped over seeds, would draw other numbers than each seed does alone
    parts = [[seed] for seed in seeds] if controls.draws_natively(plan) else [list(seeds)]
    threads = torch.get_num_threads()
    torch.set_num_threads(threads if plan.network.parameters(x.shape[1]) >= _WIDE else 1)
    try:
        return [each for part in parts for each in _Run(plan, arm, part, x, y).train(on_epochs)]
    finally:
        torch.set_num_threads(threads)


class _Run:
    """One arm with one seed, or with several side by side."""

    def __init__(self, plan: Plan, arm: Arm, seeds: Sequence[int], x: torch.Tensor, y: torch.Tensor) -> None:
        self.plan, self.arm, self.seeds, self.x, self.y = plan, arm, seeds, x, y
        self.stacked = Stacked(plan, seeds, x, y)
        native = schedules.build(arm.schedule, plan.clock, arm.stepping)
        self.descent = training.optimizer(plan, native.learning_rate, [self.stacked.parameters])
        (self.group,) = self.descent.param_groups
        fused = "fused" in self.group and (len(seeds) > 1 or len(self.stacked.parameters) >= _LONG)
        self.group.update({"foreach": False, "fused": True} if fused else {"foreach": False})
        self.scheduler = native.attach(self.descent)
        self.rates: list[float] = []

    def train(self, on_epochs: Callable[[int], None]) -> list[Trained]:
        """Train, and return what each seed gives."""
        epochs = _epochs(self.plan, self.seeds, self.x, self.y)
        losses, eval_losses = [], []
        # a helper draws the next epoch and looks back at the last one; with one seed that is done sooner than handed on
        with torch.no_grad(), ThreadPoolExecutor(1, "", torch.set_grad_enabled, (False,)) as helper:
            start: Callable[..., Future[Any]] = helper.submit if len(self.seeds) > 1 else _at_once
            coming = start(next, epochs)
            for epoch in range(self.plan.epochs):
                rows = coming.result()
                if epoch + 1 < self.plan.epochs:
                    coming = start(next, epochs)
                losses.append(self._epoch(rows))
                eval_losses.append(start(self.stacked.evaluate, self.stacked.parameters.detach().clone()))
                on_epochs(len(self.seeds))
        loss = torch.cat(losses).double().cpu().numpy().T
        looked_back = torch.stack([each.result() for each in eval_losses]).reshape(len(losses), -1)
        eval_loss = looked_back.double().cpu().numpy().T
        return [Trained(np.array(self.rates), *each) for each in zip(loss, eval_loss, strict=True)]

    def _epoch(self, rows: Tensors) -> torch.Tensor:
        """Make the updates of one epoch, and return their losses, of shape (updates, seeds)."""
        losses = self.y.new_empty((self.plan.clock.steps_per_epoch, len(self.seeds)))
        batches = zip(*(torch.split(each, self.plan.batch_size, dim=-2) for each in rows), strict=True)
        group, rates, step = self.group, self.rates, self.descent.step
        advance: Callable[[], None] = self.scheduler.step if self.scheduler is not None else lambda: None
        per_step = self.arm.stepping == "step"
        for loss, batch in zip(losses, batches, strict=False):
            self.stacked.gradient(batch, loss)
            rates.append(group["lr"])
            step()
            if per_step:
                advance()
        if not per_step:
            advance()
        return losses


def _at_once(function: Callable[..., Any], *args: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(function(*args))
    return done


def _epochs(plan: Plan, seeds: Sequence[int], x: torch.Tensor, y: torch.Tensor) -> Iterator[Tensors]:
    """What the network is called with, and the targets, of one epoch after the other.

    Each of shape (samples, ...); of several seeds (seeds, samples, ...).
    """
    if len(seeds) == 1 or plan.controls.order == "native":
        for together in zip(*(training.epochs(plan, seed, x, y) for seed in seeds), strict=True):
            yield tuple(map(stacked, zip(*((*inputs, targets) for inputs, targets in together), strict=True)))
        return
    draws = controls.Draws(plan)
    for epoch in range(plan.epochs):
        orders = torch.from_numpy(np.stack([draws.order(seed, epoch) for seed in seeds]))
        yield (x[orders], *(mask.to(x.device) for mask in _masks(plan, draws, seeds, epoch)), y[orders])


def _masks(plan: Plan, draws: controls.Draws, seeds: Sequence[int], epoch: int) -> list[torch.Tensor]:
    """The shared masks of all seeds in one epoch, each of shape (seeds, samples, width)."""
    if plan.controls.masks == "native":
        return []
    kept = controls.kept(plan)
    masks = [np.empty((len(seeds), plan.clock.samples, width), plan.precision) for width in plan.network.hidden]
    for number, seed in enumerate(seeds):
        for mask, keeps in zip(masks, draws.keeps(seed, epoch), strict=True):
            np.multiply(keeps, kept, out=mask[number])
    return list(map(torch.from_numpy, masks))
