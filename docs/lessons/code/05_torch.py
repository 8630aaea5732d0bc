"""A weight that shows the rate, in PyTorch: the loss is the weight itself, so SGD moves it by exactly the rate."""

import json

import torch

import torch_impl

weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
optimizer = torch.optim.SGD([weight], lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=25, gamma=0.95)

before, moved, after = [], [], []
with torch_impl.record("torch.csv", steps_per_epoch=32):
    for _ in range(64):
        torch.nn.init.zeros_(weight)
        optimizer.zero_grad()
        weight.backward()

        before.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        moved.append(-weight.item())  # the rate it used
        scheduler.step()
        after.append(optimizer.param_groups[0]["lr"])

print(json.dumps({"before": before, "moved": moved, "after": after}))
