"""The rate at every step, from ignite's `simulate_values`: ``python ignite_values.py STEPS REPEATS``."""

import json
import sys
import time

import torch
from ignite.handlers.param_scheduler import LRScheduler


def simulated(steps):
    """What ignite says that StepLR gives."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=25, gamma=0.95)
    optimizer.step()  # a scheduler warns where it is stepped before any update
    return [rate for _, rate in LRScheduler.simulate_values(num_events=steps, lr_scheduler=scheduler)]


def main():
    """Ask for all steps, several times over."""
    steps, repeats = map(int, sys.argv[1:])
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        rates = simulated(steps)
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "updates": len(rates), "last_rate": rates[-1]}))


if __name__ == "__main__":
    main()
