"""The four schedules in PyTorch, their ends written out."""

import json
import math

import torch
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, LambdaLR, MultiStepLR


def sgd():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.1)


def rates(scheduler):
    used = []
    for _ in range(400):
        used.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return used


def held_cosine(step, over):
    x = min(step / over, 1)  # holds the floor
    return (1 + math.cos(math.pi * x)) / 2


def warmed_up(step):
    if step < 50:
        return step / 50  # LambdaLR may begin at 0
    return held_cosine(step - 50, over=150)


schedulers = {
    "cosine": LambdaLR(sgd(), lambda step: held_cosine(step, over=200)),
    "restarts": CosineAnnealingWarmRestarts(sgd(), T_0=100, T_mult=1),
    # 100 is the first step with the new rate
    "stairs": MultiStepLR(sgd(), milestones=[100], gamma=0.1),
    "warm_up": LambdaLR(sgd(), warmed_up),
}

found = {name: rates(scheduler) for name, scheduler in schedulers.items()}
print(json.dumps(found))
