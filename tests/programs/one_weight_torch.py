"""Train one weight with SGD on a gradient of 1, in a plain loop: the update that each step makes is its rate.

Reads a list of [arm, clock] as JSON on standard input; prints for each the rates recorded and the updates made.
"""

import json
import sys

import torch

from samestep.experiment.clock import Clock
from samestep.experiment.plan import Arm
from torch_impl import schedules
from torch_impl.recorder import Recorder


def run(arm, clock, epochs):
    weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    native = schedules.build(arm.schedule, clock, arm.stepping)
    optimizer = torch.optim.SGD([weight], lr=native.learning_rate)
    scheduler = native.attach(optimizer)
    recorder = Recorder()
    recorder.watch(optimizer)
    made = []
    for _ in range(epochs):
        for _ in range(clock.steps_per_epoch):
            weight.data.zero_()  # so that after the update it is minus the rate, to the bit
            optimizer.zero_grad()
            weight.backward()
            optimizer.step()
            made.append(-weight.item())
            if scheduler is not None and arm.stepping == "step":
                scheduler.step()
        if scheduler is not None and arm.stepping == "epoch":
            scheduler.step()
    return {"recorded": recorder.lr, "made": made, "name": native.name}


asked = json.load(sys.stdin)
clock = Clock(**asked["clock"])
json.dump([run(Arm.model_validate(arm), clock, asked["epochs"]) for arm in asked["arms"]], sys.stdout)
