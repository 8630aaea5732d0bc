"""The rates of `torch_impl.simulate` beside those that `scheduler.step()` itself gives, for every kind of schedule."""

import json
import warnings

import numpy as np
import torch

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import EXAMPLES
from samestep.experiment.schedules.text import parse
from torch_impl import schedules, simulate

CLOCK = Clock(samples=100, batch_size=8)
UPDATES = 3000


def stepped(native, count):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=native.learning_rate)
    scheduler = native.attach(optimizer)
    found = [optimizer.param_groups[0]["lr"]]
    if scheduler is None:
        return found * count, "float"
    optimizer.step()
    try:
        for _ in range(count - 1):
            scheduler.step()
            found.append(optimizer.param_groups[0]["lr"])
    except ValueError:
        pass
    return found, type(scheduler).__name__


told = {}
with warnings.catch_warnings():
    warnings.simplefilter("error")
    for name, text in EXAMPLES.items():
        native = schedules.build(parse(text), CLOCK, "step")
        expected, kind = stepped(native, UPDATES)
        found = simulate.rates(native, CLOCK, "step", UPDATES)
        told[name] = {"kind": kind, "steps": len(found), "same": np.array_equal(found, np.asarray(expected))}
print(json.dumps(told))
