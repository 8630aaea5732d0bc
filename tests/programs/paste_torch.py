"""Run printed PyTorch code with nothing but PyTorch, and say the rate of each update."""

import json
import sys

import torch

rates = {}
for name, case in json.load(sys.stdin).items():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=case["base_lr"])
    given = {"optimizer": optimizer}
    exec(case["code"], given)
    assert given["base_lr"] == case["base_lr"], name
    rates[name] = []
    for step in range(case["updates"]):
        rates[name].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < case["updates"] and (case["stepping"] == "step" or (step + 1) % case["steps_per_epoch"] == 0):
            given["scheduler"].step()
assert not {"samestep", "torch_impl"} & set(sys.modules)
print(json.dumps(rates))
