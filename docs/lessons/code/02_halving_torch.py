"""Halved every 10 epochs in PyTorch, an epoch counted wrongly and rightly."""

import json

import torch
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

loader = DataLoader(TensorDataset(torch.ones(1000, 1)), batch_size=32)


def rates(steps_per_epoch):
    """Rates of 50 epochs, for an epoch of so many steps."""
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = StepLR(optimizer, step_size=10 * steps_per_epoch, gamma=0.5)
    used = []
    for epoch in range(50):
        for (x,) in loader:
            used.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return used


wrong = rates(1000 // 32)  # one step short: the batch of 8 is a step as well
right = rates(len(loader))  # follows batch_size and drop_last

print(json.dumps({"wrong": wrong, "right": right}))
