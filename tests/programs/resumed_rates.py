"""Say the rates of real PyTorch runs that go another way from a step on: as JSON, for each name the rates of a and b.

Every update asks the optimizer for its rate, and then steps the scheduler, unless the gradient scaler skipped it.
"""

import json
import math
import warnings

import torch
from torch.optim import lr_scheduler
from transformers import get_scheduler

warnings.simplefilter("ignore")  # that the optimizer makes no update before the scheduler's first step


def optimizer_with(lr=0.1, state=None):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(()))], lr=lr)
    if state is not None:
        optimizer.load_state_dict(state)
    return optimizer


def train(scheduler, steps, not_finite=()):
    """The rate of each update; of those in `not_finite` the scaler finds gradients that are not finite."""
    optimizer, used, scaler = scheduler.optimizer, [], torch.amp.GradScaler("cpu")
    (weight,) = optimizer.param_groups[0]["params"]
    for step in range(steps):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        scaler.scale(weight * (math.inf if step in not_finite else 1.0)).backward()
        scale = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        if scaler.get_scale() >= scale:
            scheduler.step()
    return used


def warmed(kind, total):
    return get_scheduler(kind, optimizer_with(), num_warmup_steps=40, num_training_steps=total)


def resumed(make, longer, step, total):
    """Saved after `step` updates, and loaded into the scheduler of the longer run."""
    first = make()
    used = train(first, step)
    then = longer()
    then.load_state_dict({**first.state_dict(), "lr_lambdas": [None]})
    then.optimizer.param_groups[0]["lr"] = then.base_lrs[0] * then.lr_lambdas[0](step)
    return used + train(then, total - step)


def from_decayed(make, step, total):
    """The optimizer's state is loaded, and a new scheduler is made over it."""
    first = make(optimizer_with())
    used = train(first, step)
    return used + train(make(optimizer_with(state=first.optimizer.state_dict())), total - step)


def repeated(scheduler, step, saved, total):
    """Stopped after `step` updates, and resumed from what was saved after fewer."""
    used = train(scheduler, total)
    return used[:step] + used[saved : total - step + saved]


def ramped_again(make, step, steps, total):
    """Warmed up over its schedule once more, from a step on."""
    scheduler = make()
    used = train(scheduler, total)
    ramp = [min((n - step) / steps, 1.0) if n >= step else 1.0 for n in range(total)]
    return [rate * part for rate, part in zip(used, ramp, strict=True)]


def plateau(seed, total):
    """A rate that waits for noisy losses to fall, by tens of updates."""
    losses = torch.rand(total // 10, generator=torch.Generator().manual_seed(seed)).tolist()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer_with(), factor=0.5, patience=2)
    used = []
    for epoch, draw in enumerate(losses):
        used += [scheduler.optimizer.param_groups[0]["lr"]] * 10
        scheduler.step(1 / (1 + epoch / 8) + 0.1 * draw)
    return used


def cosine(optimizer):
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=400)


def polynomial(optimizer):
    return lr_scheduler.PolynomialLR(optimizer, total_iters=400, power=2.0)


def floored(optimizer):
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=400, eta_min=1e-3)


told = {}
for kind in ("linear", "cosine"):
    run = train(warmed(kind, 400), 400)
    longer = resumed(lambda kind=kind: warmed(kind, 400), lambda kind=kind: warmed(kind, 800), 150, 800)
    told[f"{kind} resumed longer"] = run, longer
    told[f"{kind} until it was resumed longer"] = longer, train(warmed(kind, 800), 800)
    told[f"{kind} epoch repeated"] = run, repeated(warmed(kind, 400), 200, 160, 400)
    told[f"{kind} updates skipped"] = train(warmed(kind, 900), 900), train(warmed(kind, 900), 900, {60, 61, 200, 500})
    told[f"{kind} warmed up again"] = run, ramped_again(lambda kind=kind: warmed(kind, 400), 150, 80, 400)
for make in (cosine, polynomial, floored):
    told[f"{make.__name__} from the decayed rate"] = train(make(optimizer_with()), 400), from_decayed(make, 150, 400)
stairs = lr_scheduler.MultiStepLR(optimizer_with(), milestones=[120, 240, 360])
told["milestones never reached"] = (
    train(stairs, 400),
    train(lr_scheduler.MultiStepLR(optimizer_with(), milestones=[120.5, 240.5, 360.5]), 400),
)
told["cosine never stepped"] = train(cosine(optimizer_with()), 400), [0.1] * 400
for seed in range(6):
    told[f"plateaus {seed}"] = plateau(seed, 400), plateau(seed + 100, 400)
kinds = {
    "cosine": train(cosine(optimizer_with()), 400),
    "warm-up": train(warmed("linear", 400), 400),
    "exponential": train(lr_scheduler.ExponentialLR(optimizer_with(), 0.99), 400),
    "one-cycle": train(lr_scheduler.OneCycleLR(optimizer_with(), 0.1, total_steps=400), 399),
    "restarts": train(lr_scheduler.CosineAnnealingWarmRestarts(optimizer_with(), 100), 400),
}
for one, ours in kinds.items():
    for other, theirs in kinds.items():
        if one < other:
            told[f"{one} and {other}"] = ours, theirs
            told[f"{one}, then {other}"] = ours, ours[:200] + theirs[200:]
print(json.dumps(told))
