"""Loops in PyTorch that follow the two schedules of Keras, and three that do not."""

import json
import warnings

import torch
from torch.optim.lr_scheduler import ExponentialLR, StepLR

S = 32  # steps per epoch
used = {}


def an_optimizer():
    """One that begins at 0.1."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.1)


def note(name):
    """Note the rate that the coming update uses."""
    used.setdefault(name, []).append(optimizer.param_groups[0]["lr"])


# Stairs: 10 calls are 10 epochs, since step() is called once an epoch.
optimizer = an_optimizer()
scheduler = StepLR(optimizer, step_size=10, gamma=0.5)
for epoch in range(50):
    for batch in range(S):
        note("stairs, step() after each epoch")
        optimizer.step()
    scheduler.step()

# The same stairs: 10 * S calls are 10 epochs, since step() is called after each batch.
optimizer = an_optimizer()
scheduler = StepLR(optimizer, step_size=10 * S, gamma=0.5)
for epoch in range(50):
    for batch in range(S):
        note("stairs, step() after each batch")
        optimizer.step()
        scheduler.step()

# Smooth: the factor of one step, so that 10 * S of them make 0.5.
optimizer = an_optimizer()
scheduler = ExponentialLR(optimizer, gamma=0.5 ** (1 / (10 * S)))
for epoch in range(50):
    for batch in range(S):
        note("smooth, step() after each batch")
        optimizer.step()
        scheduler.step()

with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")

    # Stairs, 10 calls long, in the inner loop.
    optimizer = an_optimizer()
    scheduler = StepLR(optimizer, step_size=10, gamma=0.5)
    for epoch in range(50):
        for batch in range(S):
            note("stairs, the wrong loop")
            optimizer.step()
            scheduler.step()

    # The factor of one epoch, multiplied with after each batch.
    optimizer = an_optimizer()
    scheduler = ExponentialLR(optimizer, gamma=0.5 ** (1 / 10))
    for epoch in range(50):
        for batch in range(S):
            note("smooth, unconverted")
            optimizer.step()
            scheduler.step()

silent = len(warned) == 0
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")

    # Stepped before the optimizer.
    optimizer = an_optimizer()
    scheduler = StepLR(optimizer, step_size=10 * S, gamma=0.5)
    for epoch in range(50):
        for batch in range(S):
            scheduler.step()
            note("stairs, step() first")
            optimizer.step()

print(json.dumps({"used": used, "silent": silent, "warned": [str(each.message) for each in warned]}))
