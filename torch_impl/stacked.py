"""The plain network of several seeds, stacked: one tensor has all their parameters, one name after the other.

PyTorch differentiates the plain model once, and the operations that this takes are noted. Each update makes those
calls again, on memory that stays.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import torch
from torch.func import functional_call, grad_and_value, vmap
from torch.utils._python_dispatch import TorchDispatchMode

from samestep.experiment.plan import Plan
from samestep.experiment.programs import engines
from torch_impl import model

Tensors = tuple[torch.Tensor, ...]
_Values = dict[str, torch.Tensor]
_Gradient = Callable[..., tuple[_Values, torch.Tensor]]


class Stacked:
    """The networks of several seeds.

    parameters : Parameter with its gradient, all that the optimizer sees: it treats each number by itself.
    """

    def __init__(self, plan: Plan, seeds: Sequence[int], x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y, self.number = x, y, len(seeds)
        networks = [model.build(plan, seed, x.shape[1]) for seed in seeds]
        self.network, self.evaluated = networks[0].train(), copy.deepcopy(networks[0]).eval()
        every = [dict(network.named_parameters()) for network in networks]
        values = {name: stacked([each[name].detach() for each in every]) for name in every[0]}
        self.shapes = {name: value.shape for name, value in values.items()}
        # each begins where memory of its own would: some kernels are chosen by that
        self.starts = [0, *accumulate(-(-value.numel() // 16) * 16 for value in values.values())]
        self.parameters = torch.nn.Parameter(next(iter(values.values())).new_zeros(self.starts[-1]))
        self.parameters.grad = torch.zeros_like(self.parameters)
        self.values, self.gradients = self._views(self.parameters.detach()), self._views(self.parameters.grad)
        for name, value in values.items():
            self.values[name].copy_(value)
        self.together = engines.together(len(x), plan.network.hidden)
        self.calls: dict[int, _Calls] = {}

    def gradient(self, batch: Tensors, loss: torch.Tensor) -> None:
        """Fill the gradient of the parameters, and the loss of each seed, from what the plain model is called with."""
        rows = batch[-1].shape[-2]
        if rows not in self.calls:
            of_one = partial(_loss, self.network)
            gradient = vmap(grad_and_value(of_one)) if self.number > 1 else partial(_gradient_alone, of_one)
            self.calls[rows] = _Calls(gradient, self.values, self.gradients, batch)
        self.calls[rows](batch, loss)

    def evaluate(self, parameters: torch.Tensor) -> torch.Tensor:
        """The loss of each seed on all data, with nothing dropped, of parameters as they were."""
        loss = partial(_loss, self.evaluated)
        of_each = loss if self.number == 1 else vmap(loss, in_dims=(0, None, None), chunk_size=self.together)
        return of_each(self._views(parameters), self.x, self.y)

    def _views(self, parameters: torch.Tensor) -> _Values:
        """The parameters by name, as views in the shape that the network has; with several, (seeds, ...)."""
        shapes = zip(self.starts, self.shapes.items(), strict=False)
        return {name: parameters[start : start + math.prod(shape)].view(shape) for start, (name, shape) in shapes}


def stacked(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Of several seeds (seeds, ...); one stays as it is."""
    return torch.stack(tuple(tensors)) if len(tensors) > 1 else tensors[0]


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


class _Calls:
    """The operations that a gradient consists of. Called with a batch, they fill the gradients and the loss."""

    def __init__(self, gradient: _Gradient, values: _Values, gradients: _Values, batch: Tensors) -> None:
        self.batch = [each.clone(memory_format=torch.contiguous_format) for each in batch]
        on_gpu = {each.device for each in self.batch if each.is_cuda}
        with torch.random.fork_rng(on_gpu), _Noting() as noting:
            found, self.loss = gradient(values, *self.batch)
        for name, memory in gradients.items():
            noting.write_into(memory, found[name])
        self.calls = [each.call() for each in noting.noted]

    def __call__(self, batch: Tensors, loss: torch.Tensor) -> None:
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


class _Noting(TorchDispatchMode):
    """Notes the operations that are done, apart from those that are done for good: views, and constants."""

    def __init__(self) -> None:
        super().__init__()
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
        taken = [(each.name, str(each.type)) for each in other._schema.arguments if not each.is_out]
        if len(out) == 1 and taken == own:
            for function in (getattr(torch, name, other), getattr(torch._C._nn, name, other), other):
                trial = torch.empty_like(result)
                with suppress(TypeError):  # Python's way in takes other arguments
                    function(*args, **kwargs, **{out[0]: trial})
                    if torch.equal(trial, result):
                        return _Operation(function, args, kwargs, result, out[0])
    return _Operation(op, args, kwargs, result)
