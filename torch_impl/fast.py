"""The training of `training`, in less time: the same operations of PyTorch, without what surrounds them.

PyTorch differentiates the plain model once, and the operations that this takes are noted. Each update makes those
calls again, on memory that stays. An optimizer of PyTorch, which is given all parameters as one tensor, and a scheduler
of PyTorch do the rest.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, vmap
from torch.utils._python_dispatch import TorchDispatchMode

from experiment import controls, csv_data, engines
from experiment.engines import Engine, Trained
from experiment.plan import Arm, CsvData, Plan
from torch_impl import model, schedules, training

_Tensors = tuple[torch.Tensor, ...]
_Values = dict[str, torch.Tensor]
_Gradient = Callable[..., tuple[_Values, torch.Tensor]]

_LONG = 2**15
"""Numbers in a tensor from which on a fused optimizer, which passes over it once, is faster."""

_WIDE = 2**18
"""Parameters of a network from which on threads do not only wait for each other."""


def bytes_per_seed(plan: Plan) -> int:
    """What training one more seed side by side with others takes, in bytes of `free_memory`.

    Parameters, gradients, moments; two epochs of rows and masks; what two batches leave between layers; the trace.
    """
    features = 1
    if isinstance(plan.data, CsvData) and len(plan.seeds) > 1:
        features = csv_data.read(plan.data.path, plan.data.target)[0].shape[1]
    parameters, hidden = plan.network.parameters(features), sum(plan.network.hidden)
    row = features + 1 + (hidden if plan.controls.masks == "shared" else 0)
    numbers = 8 * parameters + 2 * plan.clock.samples * row + 2 * plan.batch_size * (row + 9 * hidden + 9)
    return numbers * np.dtype(plan.precision).itemsize + 24 * plan.steps


def free_memory() -> int:
    """Memory that is free where the seeds are trained, in bytes."""
    if torch.get_default_device().type == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return engines.free_memory()


def train(
    plan: Plan, arm: Arm, seeds: Sequence[int], on_epochs: Callable[[int], None], engine: Engine
) -> list[Trained]:
    """Train one arm with several seeds, side by side.

    on_epochs : called with how many epochs were done since the last call, those of all seeds added up.
    engine : PyTorch has one fast way, whatever is asked for.
    Returns what each seed gives, in their order: the rates of `training.train` to the bit. One seed with fewer than
    32,768 parameters gives its losses to the bit as well. Otherwise they are within rounding: products of several
    seeds' matrices are summed up in another order, and a fused optimizer rounds less often.
    """
    x, y = training.data(plan)
    # PyTorch's own dropout, mapped over seeds, would draw other numbers than each seed does alone
    draws = plan.controls.masks == "native" and plan.network.dropout > 0 and plan.network.hidden
    parts = [[seed] for seed in seeds] if draws else [list(seeds)]
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
        networks = [model.build(plan, seed, x.shape[1]) for seed in seeds]
        self.network = networks[0].train()
        self.parameters = _Parameters(networks)
        native = schedules.build(arm.schedule, plan.clock, arm.stepping)
        self.descent = training.optimizer(plan, native.learning_rate, [self.parameters.flat])
        (self.group,) = self.descent.param_groups
        fused = "fused" in self.group and (len(seeds) > 1 or len(self.parameters.flat) >= _LONG)
        self.group.update({"foreach": False, "fused": True} if fused else {"foreach": False})
        self.scheduler = native.attach(self.descent)
        self.rates: list[float] = []
        self.gradients: dict[int, _Calls] = {}

    def train(self, on_epochs: Callable[[int], None]) -> list[Trained]:
        """Train, and return what each seed gives."""
        epochs = _epochs(self.plan, self.seeds, self.x, self.y)
        look_back, losses, eval_losses = self._look_back(), [], []
        # a helper draws the next epoch and looks back at the last one; with one seed that is done sooner than handed on
        with torch.no_grad(), ThreadPoolExecutor(1, "", torch.set_grad_enabled, (False,)) as helper:
            start: Callable[..., Future[Any]] = helper.submit if len(self.seeds) > 1 else _at_once
            coming = start(next, epochs)
            for epoch in range(self.plan.epochs):
                rows = coming.result()
                if epoch + 1 < self.plan.epochs:
                    coming = start(next, epochs)
                losses.append(self._epoch(rows))
                values = self.parameters.views(self.parameters.flat.detach().clone())
                eval_losses.append(start(look_back, values, self.x, self.y))
                on_epochs(len(self.seeds))
        loss = torch.cat(losses).double().cpu().numpy().T
        looked_back = torch.stack([each.result() for each in eval_losses]).reshape(len(losses), -1)
        eval_loss = looked_back.double().cpu().numpy().T
        return [Trained(np.array(self.rates), *each) for each in zip(loss, eval_loss, strict=True)]

    def _epoch(self, rows: _Tensors) -> torch.Tensor:
        """Make the updates of one epoch, and return their losses, of shape (updates, seeds)."""
        losses = self.y.new_empty((self.plan.clock.steps_per_epoch, len(self.seeds)))
        batches = zip(*(torch.split(each, self.plan.batch_size, dim=-2) for each in rows), strict=True)
        group, rates, step = self.group, self.rates, self.descent.step
        advance: Callable[[], None] = self.scheduler.step if self.scheduler is not None else lambda: None
        per_step = self.arm.stepping == "step"
        for loss, batch in zip(losses, batches, strict=False):
            gradient = self.gradients.get(batch[-1].shape[-2]) or self._gradient(batch)
            gradient(batch, loss)
            rates.append(group["lr"])
            step()
            if per_step:
                advance()
        if not per_step:
            advance()
        return losses

    def _gradient(self, batch: _Tensors) -> _Calls:
        loss = partial(_loss, self.network)
        gradient = vmap(grad_and_value(loss)) if len(self.seeds) > 1 else partial(_gradient_alone, loss)
        calls = self.gradients[batch[-1].shape[-2]] = _Calls(gradient, self.parameters, batch)
        return calls

    def _look_back(self) -> Callable[..., torch.Tensor]:
        """The loss on all data, of parameters as they were; some seeds at a time, so that what is between fits."""
        loss = partial(_loss, copy.deepcopy(self.network).eval())
        some = max(1, _WIDE // (len(self.x) * max(self.plan.network.hidden, default=1)))
        return loss if len(self.seeds) == 1 else vmap(loss, in_dims=(0, None, None), chunk_size=some)


def _at_once(function: Callable[..., Any], *args: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(function(*args))
    return done


def _loss(network: torch.nn.Module, values: _Values, *batch: torch.Tensor) -> torch.Tensor:
    """The mean squared error of the plain model with these parameters."""
    *inputs, targets = batch
    return torch.nn.functional.mse_loss(functional_call(network, values, tuple(inputs)), targets)


def _gradient_alone(
    loss: Callable[..., torch.Tensor], values: _Values, *batch: torch.Tensor
) -> tuple[_Values, torch.Tensor]:
    """As `grad_and_value`, whose gradients can be differentiated again: that takes other bits for some layers."""
    with torch.enable_grad():
        leaves = {name: value.detach().requires_grad_() for name, value in values.items()}
        found = loss(leaves, *batch)
    return dict(zip(leaves, torch.autograd.grad(found, list(leaves.values())), strict=True)), found.detach()


def _epochs(plan: Plan, seeds: Sequence[int], x: torch.Tensor, y: torch.Tensor) -> Iterator[_Tensors]:
    """What the network is called with, and the targets, of one epoch after the other.

    Each of shape (samples, ...); of several seeds (seeds, samples, ...).
    """
    if len(seeds) == 1 or plan.controls.order == "native":
        for together in zip(*(training.epochs(plan, seed, x, y) for seed in seeds), strict=True):
            yield tuple(map(_stacked, zip(*((*inputs, targets) for inputs, targets in together), strict=True)))
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


def _stacked(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Of several seeds (seeds, ...); one stays as it is."""
    return torch.stack(tuple(tensors)) if len(tensors) > 1 else tensors[0]


class _Parameters:
    """The parameters of one network, or those of several networks on top of each other, in one tensor.

    flat : Parameter with its gradient, all that the optimizer sees: it treats each number by itself.
    values, gradients : views of it by name, of the shape that the network has; with several, (seeds, ...).
    """

    def __init__(self, networks: Sequence[torch.nn.Module]) -> None:
        every = [dict(network.named_parameters()) for network in networks]
        values = {name: _stacked([each[name].detach() for each in every]) for name in every[0]}
        self.shapes = {name: value.shape for name, value in values.items()}
        # each begins where memory of its own would: some kernels are chosen by that
        self.starts = [0, *accumulate(-(-value.numel() // 16) * 16 for value in values.values())]
        self.flat = torch.nn.Parameter(next(iter(values.values())).new_zeros(self.starts[-1]))
        self.flat.grad = torch.zeros_like(self.flat)
        self.values, self.gradients = self.views(self.flat.detach()), self.views(self.flat.grad)
        for name, value in values.items():
            self.values[name].copy_(value)

    def views(self, flat: torch.Tensor) -> _Values:
        """The parameters, as views of a tensor like `flat`."""
        shapes = zip(self.starts, self.shapes.items(), strict=False)
        return {name: flat[start : start + math.prod(shape)].view(shape) for start, (name, shape) in shapes}


class _Calls:
    """The operations that a gradient consists of. Called with a batch, they fill the gradients and the loss."""

    def __init__(self, gradient: _Gradient, parameters: _Parameters, batch: _Tensors) -> None:
        self.batch = [each.clone(memory_format=torch.contiguous_format) for each in batch]
        on_gpu = {each.device for each in self.batch if each.is_cuda}
        with torch.random.fork_rng(on_gpu), _Noting() as noting:
            found, self.loss = gradient(parameters.values, *self.batch)
        for name, memory in parameters.gradients.items():
            noting.write_into(memory, found[name])
        self.calls = [each.call() for each in noting.noted]

    def __call__(self, batch: _Tensors, loss: torch.Tensor) -> None:
        torch._foreach_copy_(self.batch, batch)
        for call in self.calls:
            call()
        loss.copy_(self.loss)


@dataclass
class _Operation:
    """One operation. result : where it goes, or None where an argument is changed. out : its name for that, if any."""

    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: dict[str, Any]
    result: torch.Tensor | None = None
    out: str | None = None

    def call(self) -> Callable[[], Any]:
        """What does it again, on the same memory."""
        again, result = partial(self.function, *self.args, **self.kwargs), self.result
        if result is None:
            return again
        return partial(again, **{self.out: result}) if self.out else lambda: result.copy_(again())

    def uses(self, place: int) -> bool:
        """Whether it reads or writes the memory at this address."""
        tensors = (each for each in (*self.args, self.result) if isinstance(each, torch.Tensor))
        return any(each.untyped_storage().data_ptr() == place for each in tensors)


class _Noting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # PyTorch has no types here
    """Notes the operations that are done, apart from those that are done for good: views, and constants."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.noted: list[_Operation] = []

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do what is asked for, and note it."""
        kwargs = kwargs or {}
        result = op(*args, **kwargs)
        if not op.is_view and op.overloadpacket.__name__ not in ("_unsafe_view", "empty_like", "ones_like"):
            changes = op._schema.is_mutable
            self.noted.append(_Operation(op, args, kwargs) if changes else _again(op, args, kwargs, result))
        return result

    def write_into(self, memory: torch.Tensor, found: torch.Tensor) -> None:
        """Have what was found written into other memory: at once where nothing else needs it, or else by a copy."""
        place = found.untyped_storage().data_ptr()
        users = [each for each in self.noted if each.uses(place)]
        result = users[0].result
        same = result is not None and result.numel() == found.numel()
        if len(users) == 1 and result is not None and same and result.is_contiguous() and found.is_contiguous():
            users[0].result = memory.view(result.shape)
        else:
            self.noted.append(_Operation(memory.copy_, (found,), {}))


def _again(op: Any, args: Sequence[Any], kwargs: dict[str, Any], result: torch.Tensor) -> _Operation:
    """The operation with memory for its result, if that can be, by the quickest way that gives the same bits."""
    name, own = op.overloadpacket.__name__, [(each.name, str(each.type)) for each in op._schema.arguments]
    # the one would draw other numbers each time, the other warns of resizing its memory
    if torch.Tag.nondeterministic_seeded in op.tags or name == "mse_loss":
        return _Operation(op, args, kwargs, result)
    for other in (getattr(op.overloadpacket, overload) for overload in op.overloadpacket.overloads()):
        out = [each.name for each in other._schema.arguments if each.is_out]
        if len(out) == 1 and own == [
            (each.name, str(each.type)) for each in other._schema.arguments if not each.is_out
        ]:
            for function in (getattr(torch, name, other), getattr(torch._C._nn, name, other), other):
                trial = torch.empty_like(result)
                with suppress(TypeError):  # Python's way in takes other arguments
                    function(*args, **kwargs, **{out[0]: trial})
                    if torch.equal(trial, result):
                        return _Operation(function, args, kwargs, result, out[0])
    return _Operation(op, args, kwargs, result)
