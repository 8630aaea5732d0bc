"""Measure the facts of docs/facts.md that are PyTorch's. Prints JSON."""

import json
import math
import warnings

import numpy as np
import torch
from torch.optim import lr_scheduler as s

warnings.simplefilter("ignore")


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1.0)


def rates(scheduler, calls):
    group = scheduler.optimizer.param_groups[0]
    found = [group["lr"]]
    for _ in range(calls):
        scheduler.step()
        found.append(group["lr"])
    return found


def climbs(t_max, eta_min):
    """How far CosineAnnealingLR lies from its closed form before and after T_max, relative to its peak of 1."""
    found = rates(s.CosineAnnealingLR(optimizer(), t_max, eta_min), 2 * t_max)
    closed_form = [eta_min + (1 - eta_min) * math.cos(math.pi / 2 * n / t_max) ** 2 for n in range(2 * t_max + 1)]
    apart = [abs(rate - meant) for rate, meant in zip(found, closed_form, strict=True)]
    return [max(apart[: t_max + 1]), max(apart[t_max + 1 :])]


def calls_until_it_raises(make, most=5000):
    try:
        scheduler = make(optimizer())
    except (ZeroDivisionError, ValueError) as error:
        return [0, type(error).__name__]
    for call in range(1, most):
        try:
            scheduler.step()
        except (ValueError, OverflowError, ZeroDivisionError) as error:
            return [call, type(error).__name__]
    return [most, None]


def second_moment():
    """What Adam remembers of the squares of 5,000 gradients, for each of 64 weights."""
    weight = torch.nn.Parameter(torch.zeros(64))
    adam = torch.optim.Adam([weight], betas=(0.9, 0.999))
    for gradient in np.random.default_rng(0).standard_normal((5000, 64), np.float32):
        weight.grad = torch.from_numpy(gradient)
        adam.step()
    return adam.state[weight]["exp_avg_sq"].tolist()


def apart(parts, calls):
    """At each call, how far a chain lies from the product of its parts; each of these from an optimizer of rate 1."""
    o = optimizer()
    chain = rates(s.ChainedScheduler([part(o) for part in parts]), calls)
    alone = [rates(part(optimizer()), calls) for part in parts]
    return [abs(rate - math.prod(each)) for rate, *each in zip(chain, *alone, strict=True)]


def nested(first):
    """A sequence of which the first part is a sequence: 3 calls of `first`, then 0.5 of the rate."""
    o = optimizer()
    inner = s.SequentialLR(o, [first(o), s.ConstantLR(o, 0.5, 99)], milestones=[3])
    return rates(s.SequentialLR(o, [inner, s.StepLR(o, 99)], milestones=[6]), 7)


def raises(make, calls=12):
    try:
        rates(make(optimizer()), calls)
    except (ArithmeticError, NotImplementedError) as error:
        return type(error).__name__


def state_of_a_scale_fn(scale_fn):
    made = s.CyclicLR(optimizer(), 0.1, 1.0, step_size_up=4, cycle_momentum=False, scale_fn=scale_fn)
    return {key: value for key, value in made.state_dict().items() if key != "base_lrs"}


def exponential(o):
    return s.ExponentialLR(o, 0.9)


def cosine(o):
    return s.CosineAnnealingLR(o, 10)


def multiplicative(o):
    return s.MultiplicativeLR(o, lambda n: 0.8)


facts = {
    "milestones": {end: rates(s.MultiStepLR(optimizer(), [end]), 12)[-1] for end in (5, 5.0, 5.5)},
    "step_size": [n for n, rate in enumerate(rates(s.StepLR(optimizer(), 2.5, 0.5), 20)) if rate != 0.5 ** (n // 5)],
    "nested": {"constant": nested(lambda o: s.ConstantLR(o, 1.0, 0)), "exponential": nested(exponential)},
    "sequence_to_sequence": raises(
        lambda o: s.SequentialLR(o, [exponential(o), s.SequentialLR(o, [cosine(o), cosine(o)], [2])], [2])
    ),
    "constant_from_0": raises(lambda o: s.ConstantLR(o, 0.0, 5)),
    "chain_with_a_cosine": apart([exponential, cosine], 15),
    "chain_with_a_multiplier": max(apart([exponential, multiplicative], 15)),
    "scale_fn": state_of_a_scale_fn(None) == state_of_a_scale_fn(lambda x: 0.5),
    "climbs": {t_max: climbs(t_max, 0.01) for t_max in (100, 20_000, 100_000)},
    "one_cycle": calls_until_it_raises(lambda o: s.OneCycleLR(o, 1.0, total_steps=5, cycle_momentum=False)),
    "one_cycle_without_a_rise": calls_until_it_raises(
        lambda o: s.OneCycleLR(o, 1.0, total_steps=10, pct_start=0.1, cycle_momentum=False)
    ),
    "triangular2": calls_until_it_raises(
        lambda o: s.CyclicLR(o, 0.1, 1.0, step_size_up=1, mode="triangular2", cycle_momentum=False)
    ),
    "chain_after_a_setter": rates(
        (lambda o: s.ChainedScheduler([s.LambdaLR(o, lambda n: 1.0), s.StepLR(o, 2, 0.5)]))(optimizer()), 5
    ),
    "second_moment": second_moment(),
}
print(json.dumps(facts))
