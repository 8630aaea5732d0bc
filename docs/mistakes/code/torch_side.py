"""The other side of several pairs of runs, and both sides of two: the rates that real PyTorch schedulers give.

Writes `NAME/a.csv` and `NAME/b.csv`. Each update steps the optimizer and then the scheduler; the rate in a row is the
one that the optimizer held when it stepped.
"""

import csv
import math
from pathlib import Path

import torch
from torch.optim import lr_scheduler


def optimizer_with(lr):
    """Plain SGD on one weight."""
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=lr)


def staircase():
    """A step decay."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.StepLR(optimizer, step_size=50, gamma=0.5)


def scale():
    """The rate multiplied by the number of processes."""
    processes = 4
    optimizer = optimizer_with(lr=0.1 * processes)
    return lr_scheduler.StepLR(optimizer, step_size=50, gamma=0.5)


def factor():
    """The factor left out: `gamma` is 0.1 then."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.StepLR(optimizer, step_size=50)


def period():
    """40 epochs, counted by the loader: the short last batch is one."""
    loader = torch.utils.data.DataLoader(range(100), batch_size=32)
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=40 * len(loader))


def floor():
    """The same decay, without the floor."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.ExponentialLR(optimizer, gamma=0.5 ** (1 / 50))


def gaps():
    """A step decay."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.StepLR(optimizer, step_size=50, gamma=0.5)


def length():
    """A step decay, and a loader that leaves the short last batch out."""
    optimizer = optimizer_with(lr=0.1)
    loader = torch.utils.data.DataLoader(range(1000), batch_size=32, drop_last=True)
    return lr_scheduler.StepLR(optimizer, step_size=50, gamma=0.5), len(loader)


def family():
    """A straight line to 0."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.PolynomialLR(optimizer, total_iters=320)


def parameters():
    """Half a cosine to a last rate."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=320, eta_min=0.02)


def without_eta_min():
    """The same, where the last rate was left out."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=320)


def never_falls():
    """The rate falls after a third and after two thirds of 320 steps: 106.67 and 213.33."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.MultiStepLR(optimizer, milestones=[320 / 3, 640 / 3])


def whole_milestones():
    """The same in whole steps."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.MultiStepLR(optimizer, milestones=[107, 213])


def skipped():
    """A cosine over the whole run."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=320)


def mixed_precision(scheduler, steps, not_finite):
    """The rate of each update, where the scheduler waits for those that the scaler skips."""
    used, scaler = [], torch.amp.GradScaler("cpu")
    (weight,) = scheduler.optimizer.param_groups[0]["params"]
    for step in range(steps):
        used.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.zero_grad()
        scaler.scale(weight * (math.inf if step in not_finite else 1.0)).backward()
        scale = scaler.get_scale()
        scaler.step(scheduler.optimizer)
        scaler.update()
        if scaler.get_scale() >= scale:  # else the gradients were not finite
            scheduler.step()
    return list(enumerate(used))


def unexplained():
    """A rate that waits for the loss to fall."""
    optimizer = optimizer_with(lr=0.1)
    return lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.7, patience=2)


def identical():
    """Numbers that float32 holds exactly: 1/8, and half of it."""
    optimizer = optimizer_with(lr=0.125)
    return lr_scheduler.StepLR(optimizer, step_size=50, gamma=0.5)


def train(scheduler, steps, losses=None):
    """The rate that each update used."""
    used = []
    for step in range(steps):
        used.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        if losses is None:
            scheduler.step()
        else:
            scheduler.step(losses[step])
    return list(enumerate(used))


def write(name, side, rows):
    """The rate of each update as CSV."""
    Path(name).mkdir(exist_ok=True)
    with Path(name, f"{side}.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["step", "lr"])
        out.writerows(rows)


def killed_and_resumed(rows):
    """Rows were written every 64 updates; those since then were lost at 180, where the run went on."""
    return rows[:128] + rows[180:]


def noisy_losses(seed, count):
    """Losses of a run that learns and then does not, as a validation set gives them."""
    draws = torch.rand(count, generator=torch.Generator().manual_seed(seed)).tolist()
    return [1 / (1 + step / 20) + 0.2 * draw for step, draw in enumerate(draws)]


write("staircase", "a", train(staircase(), 320))
write("scale", "b", train(scale(), 320))
write("factor", "b", train(factor(), 320))
write("period", "a", train(period(), 160))
write("floor", "b", train(floor(), 320))
write("gaps", "a", train(gaps(), 320))
write("gaps", "b", killed_and_resumed(train(gaps(), 320)))
scheduler, steps_per_epoch = length()
write("length", "b", train(scheduler, 10 * steps_per_epoch))
write("family", "b", train(family(), 320))
write("parameters", "a", train(parameters(), 320))
write("parameters", "b", train(without_eta_min(), 320))
write("never-falls", "a", train(never_falls(), 320))
write("never-falls", "b", train(whole_milestones(), 320))
write("skipped", "a", train(skipped(), 320))
write("skipped", "b", mixed_precision(skipped(), 320, not_finite={3, 11, 150}))
write("unexplained", "a", train(unexplained(), 320, noisy_losses(0, 320)))
write("unexplained", "b", train(unexplained(), 320, noisy_losses(1, 320)))
write("identical", "b", train(identical(), 320))
