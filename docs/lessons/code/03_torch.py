"""Staircase and smooth in PyTorch, stepped after every batch and once per epoch."""

import torch
from torch.optim.lr_scheduler import ExponentialLR, StepLR

import torch_impl


def train(name, each, schedule):
    """Train for 30 epochs of 32 batches, and record the rate of each update."""
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = schedule(optimizer)
    with torch_impl.record(f"torch-{name}.csv", steps_per_epoch=32):
        for epoch in range(30):
            for batch in range(32):
                optimizer.zero_grad()
                (model(torch.ones(32, 1)) - 1).square().mean().backward()
                optimizer.step()
                if each == "batch":
                    scheduler.step()
            if each == "epoch":
                scheduler.step()


S = 32  # steps per epoch

# scheduler.step() after every batch
train("smooth", "batch", lambda o: ExponentialLR(o, gamma=0.5 ** (1 / (10 * S))))
train("stairs", "batch", lambda o: StepLR(o, step_size=10 * S, gamma=0.5))

# scheduler.step() after every epoch, so that 10 are epochs
train("smooth-by-epoch", "epoch", lambda o: ExponentialLR(o, gamma=0.5 ** (1 / 10)))
train("stairs-by-epoch", "epoch", lambda o: StepLR(o, step_size=10, gamma=0.5))
