"""Runs code that a fix shows, in the framework it is for, and tells the rates that come of it.

python run_snippets.py tensorflow|torch, with a JSON list on standard input. Each has `code`, run once; `loop`, run for
each update instead of `scheduler.step()` (PyTorch); `base_lr`; `updates`.
"""

import json
import os
import sys


def keras_rates(asked):
    import keras

    names = {"keras": keras}
    exec(asked["code"], names)
    rate = names["learning_rate"]
    if isinstance(rate, float):
        return [rate] * asked["updates"]
    return [float(rate(keras.ops.convert_to_tensor(step))) for step in range(asked["updates"])]


def torch_rates(asked):
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=asked["base_lr"], momentum=0.5)
    names = {"torch": torch, "optimizer": optimizer, "updates": 0}
    exec(asked["code"], names)
    rates = []
    for _ in range(asked["updates"]):
        rates.append(optimizer.param_groups[0]["lr"])
        exec(asked.get("loop") or "optimizer.step()\nscheduler.step()", names)
    return rates


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    told = {"tensorflow": keras_rates, "torch": torch_rates}[sys.argv[1]]
    json.dump([told(asked) for asked in json.load(sys.stdin)], sys.stdout)
