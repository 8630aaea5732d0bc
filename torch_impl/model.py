"""The network in PyTorch."""

from __future__ import annotations

import torch

from samestep.experiment import controls
from samestep.experiment.plan import Plan

_ACTIVATIONS = {
    "elu": torch.nn.ELU,
    "linear": torch.nn.Identity,
    "relu": torch.nn.ReLU,
    "sigmoid": torch.nn.Sigmoid,
    "silu": torch.nn.SiLU,
    "softplus": torch.nn.Softplus,
    "tanh": torch.nn.Tanh,
}


def build(plan: Plan, seed: int, features: int) -> torch.nn.Module:
    """Dense layers, each followed by dropout, and one dense output.

    features : columns of x.
    Called with x of shape (batch, features). Where the masks are shared it takes them as further inputs, one of shape
    (batch, width) per hidden layer, and multiplies with them; without them nothing is dropped.
    Returns predictions of shape (batch, 1).
    """
    torch.manual_seed(controls.native_seed(seed, controls.Purpose.WEIGHTS))  # the native way to weights and dropout
    model = _Network(plan, features).to(getattr(torch, plan.precision))
    if plan.controls.weights == "shared":
        with torch.no_grad():
            shared = (array for kernel, bias in controls.weights(plan, seed, features) for array in (kernel.T, bias))
            for parameter, array in zip(model.parameters(), shared, strict=True):
                parameter.copy_(torch.from_numpy(array))
    return model


class _Network(torch.nn.Module):
    def __init__(self, plan: Plan, features: int) -> None:
        super().__init__()
        network = plan.network
        sizes = [features, *network.hidden, 1]
        self.dense = torch.nn.ModuleList(map(torch.nn.Linear, sizes[:-1], sizes[1:]))
        self.activation = _ACTIVATIONS[network.activation]()
        self.dropout = torch.nn.Dropout(0.0 if plan.controls.masks == "shared" else network.dropout)

    def forward(self, x: torch.Tensor, *masks: torch.Tensor) -> torch.Tensor:
        *hidden, output = self.dense
        for layer, dense in enumerate(hidden):
            x = self.dropout(self.activation(dense(x)))
            if masks:
                x = x * masks[layer]
        prediction: torch.Tensor = output(x)
        return prediction
