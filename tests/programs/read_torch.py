"""Make each of PyTorch's schedulers as a user does, step it, and say its rates and what `read` makes of it.

Prints JSON: `classes`, all that torch.optim.lr_scheduler offers; `read`, by name: class, stepping, rates, schedule.
Saves each state into the folder named as argument, as a user does.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from torch.optim import lr_scheduler as s

from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import to_json
from torch_impl import saved, schedules

CALLS = 60
CLOCK = Clock(samples=100, batch_size=8)
FOLDER = Path(sys.argv[1])

MADE = {
    "StepLR": lambda o: s.StepLR(o, 7, gamma=0.3),
    "StepLR growing": lambda o: s.StepLR(o, 20, gamma=2.0),
    "MultiStepLR": lambda o: s.MultiStepLR(o, [20, 5, 40], gamma=0.5),
    "MultiStepLR twice at one": lambda o: s.MultiStepLR(o, [10, 10, 30]),
    "MultiStepLR at 0": lambda o: s.MultiStepLR(o, [0, 30]),
    "ConstantLR": lambda o: s.ConstantLR(o, 0.25, total_iters=9),
    "ConstantLR of 0 steps": lambda o: s.ConstantLR(o, 0.25, total_iters=0),
    "LinearLR": lambda o: s.LinearLR(o),
    "LinearLR falling": lambda o: s.LinearLR(o, 1.0, 0.1, total_iters=30),
    "ExponentialLR": lambda o: s.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda o: s.PolynomialLR(o, total_iters=25, power=2.0),
    "PolynomialLR of power 1": lambda o: s.PolynomialLR(o, total_iters=25),
    "CosineAnnealingLR": lambda o: s.CosineAnnealingLR(o, 20, eta_min=1e-3),
    "CosineAnnealingWarmRestarts": lambda o: s.CosineAnnealingWarmRestarts(o, 10, T_mult=2, eta_min=1e-3),
    "CosineAnnealingWarmRestarts even": lambda o: s.CosineAnnealingWarmRestarts(o, 7),
    "OneCycleLR": lambda o: s.OneCycleLR(o, max_lr=0.5, total_steps=CALLS),
    "OneCycleLR in three": lambda o: s.OneCycleLR(
        o, max_lr=0.5, epochs=6, steps_per_epoch=10, three_phase=True, anneal_strategy="linear", pct_start=0.21
    ),
    "CyclicLR": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=4, step_size_down=9),
    "CyclicLR triangular2": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=6, mode="triangular2"),
    "CyclicLR of fractions": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=7.5, step_size_down=3.2),
    "CyclicLR exp_range": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=6, mode="exp_range", gamma=0.97),
    "LambdaLR": lambda o: s.LambdaLR(o, lambda n: 0.95 ** (n // 3)),
    "MultiplicativeLR": lambda o: s.MultiplicativeLR(o, lambda n: 0.9 if n % 4 else 0.8),
    "SequentialLR": lambda o: s.SequentialLR(
        o, [s.LinearLR(o, 0.01, total_iters=10), s.CosineAnnealingLR(o, 50)], milestones=[10]
    ),
    "SequentialLR of three": lambda o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 100), s.ExponentialLR(o, 0.9), s.StepLR(o, 4, 0.5)], milestones=[12, 33]
    ),
    "ChainedScheduler": lambda o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.9)]),
    "SequentialLR with OneCycleLR": lambda o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.OneCycleLR(o, 0.5, total_steps=80)], milestones=[5]
    ),
    "ReduceLROnPlateau": lambda o: s.ReduceLROnPlateau(o),
}


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.1, momentum=0.9)


def rates_of(make):
    """The rates of a fresh one, stepped bare."""
    stepped = optimizer()
    native = make(stepped)
    stepped.step()
    found = [stepped.param_groups[0]["lr"]]
    while len(found) < CALLS:
        native.step()
        found.append(stepped.param_groups[0]["lr"])
    return found


warnings.simplefilter("ignore")
read = {}
for name, make in MADE.items():
    for stepping in ("step", "epoch"):
        holder = optimizer()
        native = make(holder)
        told = {"class": type(native).__name__, "stepping": stepping}
        own = "LambdaLR" in name or "MultiplicativeLR" in name
        try:
            told["schedule"] = to_json(schedules.read(native, CLOCK, stepping, CALLS if own else None))
            told["rates"] = rates_of(make)
            told["notes"] = schedules.notes(native)
        except ValueError as error:
            told["error"] = str(error)
        read[f"{name} per {stepping}"] = told
    held = {"class": type(native).__name__, "scheduler": native.state_dict(), "optimizer": holder.state_dict()}
    torch.save(held, FOLDER / f"{name}.pt")
    (FOLDER / f"{name}.json").write_text(json.dumps(native.state_dict(), default=str))
    named = {"class_name": f"torch.optim.lr_scheduler.{held['class']}", "state_dict": native.state_dict()}
    torch.save(named, FOLDER / f"{name}.named.pt")
    holder.step()
    for _ in range(0 if "Plateau" in name else 7):
        native.step()
    torch.save(
        held | {"scheduler": native.state_dict(), "optimizer": holder.state_dict()}, FOLDER / f"{name}.stepped.pt"
    )
    for saved_as in ("pt", "json", "named.pt", "stepped.pt"):
        try:
            schedule, _, notes = saved.load(FOLDER / f"{name}.{saved_as}", None, CLOCK, "step")
            read[f"{name} per step"][saved_as] = [to_json(schedule), notes]
        except ValueError as error:
            read[f"{name} per step"][saved_as] = [str(error)]

wrong = {}
for path in sorted((FOLDER.parent / "wrong").glob("torch*")):
    try:
        wrong[path.name] = to_json(saved.load(path, None, CLOCK, "step")[0])
    except ValueError as error:
        wrong[path.name] = str(error)
classes = [
    name
    for name in dir(s)
    if isinstance(getattr(s, name), type) and issubclass(getattr(s, name), s.LRScheduler) and not name.startswith("_")
]
print(json.dumps({"classes": classes, "read": read, "wrong": wrong}))
