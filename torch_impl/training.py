"""The training in PyTorch: the usual loop, with the rate looked up per step or per epoch.

This is the reference to read. `torch_impl.fast` makes the same updates in less time.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Collection, Iterable, Iterator

import numpy as np
import torch

from samestep.experiment import controls
from samestep.experiment.controls import Purpose
from samestep.experiment.differences import Name
from samestep.experiment.plan import Adam, AdamW, Arm, Momentum, Plan, QuestionData, RMSprop
from samestep.experiment.programs.engines import Device, Trained, no_gpu
from torch_impl import model, schedules
from torch_impl.corrections import correct
from torch_impl.recorder import Recorder


def prepare(plan: Plan, device: Device = "cpu") -> None:
    """Set the process up for a plan: its precision, the device, and the same bits from every run.

    Raises:
        PlanError: there is no such device.
    """
    if device == "gpu":
        if not torch.cuda.is_available():
            raise no_gpu("PyTorch")
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it products differ from run to run
        torch.set_default_device("cuda")
    torch.backends.cuda.matmul.allow_tf32 = False  # 10 bits of a product in the place of 23
    torch.set_default_dtype(getattr(torch, plan.precision))
    torch.use_deterministic_algorithms(True)


def versions() -> dict[str, str]:
    """Versions of the framework."""
    return {"torch": torch.__version__}


def optimizer(plan: Plan, learning_rate: float, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """The plan's optimizer with every hyperparameter written out."""
    chosen = plan.optimizer
    match chosen:
        case Adam() | AdamW():
            kind = torch.optim.AdamW if isinstance(chosen, AdamW) else torch.optim.Adam
            return kind(
                parameters,
                lr=learning_rate,
                betas=(chosen.beta_1, chosen.beta_2),
                eps=chosen.epsilon,
                amsgrad=chosen.amsgrad,
                weight_decay=chosen.weight_decay if isinstance(chosen, AdamW) else 0.0,
            )
        case Momentum():
            return torch.optim.SGD(
                parameters, lr=learning_rate, momentum=chosen.momentum, dampening=0.0, nesterov=chosen.nesterov
            )
        case RMSprop():
            return torch.optim.RMSprop(
                parameters, lr=learning_rate, alpha=chosen.rho, eps=chosen.epsilon, momentum=0.0, centered=False
            )
        case _:
            return torch.optim.SGD(parameters, lr=learning_rate, momentum=0.0, dampening=0.0, nesterov=False)


def train(
    plan: Plan,
    arm: Arm,
    seed: int,
    on_epoch: Callable[[int], None],
    without: Collection[Name] = (),
    rates: np.ndarray | None = None,
) -> Trained:
    """Train one arm with one seed.

    Args:
        plan: the experiment.
        arm: one of its arms.
        seed: one of its seeds.
        on_epoch: called with each epoch, from 0, after it.
        without: differences between the frameworks to remove, see `correct`.
        rates: float64, one for each update: those of the other framework, for ``rates in float32``.
    """
    x, y = data(plan)
    network = model.build(plan, seed, x.shape[1])
    native = schedules.build(arm.schedule, plan.clock, arm.stepping)
    descent = optimizer(plan, native.learning_rate, network.parameters())
    scheduler = native.attach(descent)
    mse = torch.nn.MSELoss()
    recorder = Recorder()
    recorder.watch(descent)
    correct(descent, plan, without, rates)
    batches = controls.batches(plan, epochs(plan, seed, x, y))
    eval_loss = []
    for epoch in range(plan.epochs):
        network.train()
        for inputs, targets in itertools.islice(batches, plan.clock.steps_per_epoch):
            descent.zero_grad()
            loss = mse(network(*inputs), targets)
            loss.backward()
            descent.step()
            recorder.log(loss.item())
            if scheduler is not None and arm.stepping == "step":
                scheduler.step()
        if scheduler is not None and arm.stepping == "epoch":
            scheduler.step()
        network.eval()
        with torch.no_grad():
            eval_loss.append(mse(network(*nothing_dropped(plan, x)), y).item())
        on_epoch(epoch)
    return Trained(recorder.lr, recorder.loss, eval_loss)


def epochs(
    plan: Plan, seed: int, x: torch.Tensor, y: torch.Tensor
) -> Iterator[tuple[tuple[torch.Tensor, ...], torch.Tensor]]:
    """The rows of one epoch after the other, in the order and with the masks of the controls.

    Yields:
        The inputs of the network, x first and then the masks, and the targets; each of shape (samples, ...).
    """
    shuffling = torch.Generator("cpu").manual_seed(controls.native_seed(seed, Purpose.ORDER))
    for epoch in range(plan.epochs):
        if plan.controls.order == "shared":
            order = torch.from_numpy(controls.order(plan, seed, epoch))
        else:
            order = torch.randperm(len(x), generator=shuffling, device="cpu")  # what DataLoader(shuffle=True) draws
        masks = controls.masks(plan, seed, epoch) if plan.controls.masks == "shared" else []
        yield (x[order], *(torch.from_numpy(mask).to(x.device) for mask in masks)), y[order]


def nothing_dropped(plan: Plan, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The inputs of the network to predict x: without masks nothing is dropped."""
    return (x,)


def data(plan: Plan) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows to learn from: x of shape (samples, features) and y of shape (samples, 1), on the process' device."""
    device = torch.get_default_device()
    if plan.controls.data == "shared" or not isinstance(plan.data, QuestionData):
        x, y = map(torch.from_numpy, controls.data(plan))
        return x.to(device), y.to(device)
    drawing = torch.Generator("cpu").manual_seed(controls.native_seed(plan.data.seed, Purpose.DATA))
    shape = (plan.data.samples, 1)
    x = 2.0 * torch.rand(shape, generator=drawing, device="cpu")
    y = x**2 + plan.data.noise * torch.randn(shape, generator=drawing, device="cpu")
    return x.to(device), y.to(device)
