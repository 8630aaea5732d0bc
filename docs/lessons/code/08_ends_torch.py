"""Four schedules in PyTorch, each stepped through 400 updates, and a warm-up from 0."""

import json

import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    LinearLR,
    MultiStepLR,
    SequentialLR,
)


def sgd():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.1)


def rates(scheduler):
    used = []
    for _ in range(400):
        used.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return used


def warmed_up(optimizer):
    line = LinearLR(optimizer, start_factor=0.1, total_iters=50)
    cosine = CosineAnnealingLR(optimizer, T_max=150)
    return SequentialLR(optimizer, [line, cosine], milestones=[50])


schedulers = {
    "cosine": CosineAnnealingLR(sgd(), T_max=200),
    "restarts": CosineAnnealingWarmRestarts(sgd(), T_0=100),
    "stairs": MultiStepLR(sgd(), milestones=[100], gamma=0.1),
    "warm_up": warmed_up(sgd()),
}

found = {name: rates(scheduler) for name, scheduler in schedulers.items()}
try:
    LinearLR(sgd(), start_factor=0, total_iters=50)
except ValueError as error:
    found["from_0"] = str(error)
print(json.dumps(found))
