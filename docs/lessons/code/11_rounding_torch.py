"""The same decay in PyTorch over 100,000 updates."""

import json

import torch

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.1)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9999)

rates = []
for _ in range(100_001):
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    scheduler.step()

print(json.dumps(rates[::50]))
