"""Say the rates of Transformers' own schedulers: a list of [function, arguments] of JSON in, a list of rates out.

The optimizer is made with a rate of 1, and the scheduler is stepped 100 times.
"""

import json
import sys

import torch
from transformers import optimization

told = []
for name, arguments in json.load(sys.stdin):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1.0)
    scheduler = getattr(optimization, name)(optimizer, **arguments)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    told.append(rates)
print(json.dumps(told))
