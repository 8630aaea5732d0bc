"""What PyTorch draws from seed 0, and where it draws it from."""

import json

import torch

torch.manual_seed(0)
rows = torch.rand(4)
order = torch.randperm(8)
dropped = torch.nn.Dropout(0.25)(torch.ones(1, 8))

layer = torch.nn.Linear(100, 100)
kernel, bias = (weight.detach().abs().max().item() for weight in (layer.weight, layer.bias))

drawn = {"rows": rows, "order": order, "dropout": dropped[0]}
print(json.dumps({name: values.tolist() for name, values in drawn.items()} | {"kernel": kernel, "bias": bias}))
