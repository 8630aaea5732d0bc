"""Adam in PyTorch, in float64, fed with the gradients of a file: as it comes, with Keras' epsilon, and with the fix."""

import json
import math

import numpy as np
import torch

from samestep.experiment.recording import read_recording


def as_keras(optimizer, keras_rates):
    updates, undo = 0, []

    def before(optimizer, args, kwargs):
        nonlocal updates
        updates += 1
        for group in optimizer.param_groups:
            undo.append((group, dict(group)))
            group["lr"] = float(keras_rates[updates - 1])
            own = [1 - beta**updates for beta in group["betas"]]
            keras = [float(1 - np.float64(np.float32(beta)) ** np.float64(updates)) for beta in group["betas"]]
            group["eps"] /= math.sqrt(own[1])
            group["lr"] *= math.sqrt(keras[1] / own[1]) * own[0] / keras[0]

    def after(optimizer, args, kwargs):
        for group, numbers in undo:
            group.update(numbers)  # schedulers go on with their own
        undo.clear()

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)


def train(eps, keras_rates=None):
    weights = torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))
    optimizer = torch.optim.Adam([weights], lr=1e-3, eps=eps)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=25, gamma=0.95)
    if keras_rates is not None:
        as_keras(optimizer, keras_rates)

    path = []
    for gradient in np.load("gradients.npy"):
        weights.grad = torch.from_numpy(gradient)
        optimizer.step()
        scheduler.step()
        path.append(weights.tolist())
    return path


rates = read_recording("keras.csv")["lr"]
print(json.dumps({"default": train(1e-8), "same": train(1e-7), "fixed": train(1e-7, rates)}))
