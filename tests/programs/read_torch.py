"""Make each of PyTorch's schedulers as a user does, step it, and say its rates and what `read` makes of it.

Prints JSON: `classes`, all that torch.optim.lr_scheduler offers; `read`, by name: class, stepping, rates, schedule.
Saves each state into the folder named as argument, as a user does.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
import transformers
from torch.optim import lr_scheduler as s
from torch.optim.swa_utils import SWALR

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import EXAMPLES
from samestep.experiment.schedules.text import parse, to_json
from torch_impl import saved, schedules, simulate

CALLS = 60
CLOCK = Clock(samples=100, batch_size=8)
FOLDER = Path(sys.argv[1])


class Renamed(s.StepLR):
    """A subclass that changes nothing."""


class Floored(s.StepLR):
    """A subclass that follows no schedule of the vocabulary."""

    def get_lr(self):
        return [max(0.02, rate) for rate in super().get_lr()]


class Table(s.StepLR):
    """A subclass that has no rates beyond its table, and a list where PyTorch has a Counter."""

    def __init__(self, o):
        self.milestones = [1, 2]
        super().__init__(o, 7)

    def get_lr(self):
        return [[0.1, 0.2, 0.3][self.last_epoch]]


def without_a_rate(o):
    o.param_groups[0]["lr"] = 0.0
    return o


def nested(first, o, until=2):
    return s.SequentialLR(
        o, [s.SequentialLR(o, [first, s.StepLR(o, 5)], [until]), s.ExponentialLR(o, 0.9)], milestones=[9]
    )


MADE = {
    "StepLR of 2.5 calls": lambda o: s.StepLR(o, 2.5, gamma=0.5),
    "StepLR of 600.6 calls": lambda o: s.StepLR(o, 600.6),
    "StepLR to 0": lambda o: s.StepLR(o, 7, gamma=0.0),
    "StepLR of a subclass": lambda o: Renamed(o, 7),
    "StepLR of a subclass that differs": lambda o: Floored(o, 7),
    "StepLR of a rate of 0": lambda o: s.StepLR(without_a_rate(o), 7),
    "ExponentialLR to 0": lambda o: s.ExponentialLR(o, 0.0),
    "MultiStepLR of parts of a call": lambda o: s.MultiStepLR(o, [10.5, 30.0, 40.2]),
    "MultiStepLR that never falls": lambda o: s.MultiStepLR(o, [10.5, 40.2]),
    "ConstantLR from 0": lambda o: s.ConstantLR(o, 0.0, total_iters=9),
    "CosineAnnealingWarmRestarts rising": lambda o: s.CosineAnnealingWarmRestarts(o, 10, T_mult=2, eta_min=0.3),
    "OneCycleLR to 0": lambda o: s.OneCycleLR(o, max_lr=0.5, total_steps=CALLS, final_div_factor=float("inf")),
    "CyclicLR growing": lambda o: s.CyclicLR(o, 0.01, 0.1, step_size_up=6, mode="exp_range", gamma=1.02),
    "CyclicLR of a function": lambda o: s.CyclicLR(o, 0.01, 0.1, 6, scale_fn=lambda x: 0.9**x, scale_mode="iterations"),
    "SWALR": lambda o: SWALR(o, 0.02, anneal_epochs=12),
    "SWALR of a line": lambda o: SWALR(o, 0.2, anneal_epochs=12, anneal_strategy="linear"),
    "SWALR at once": lambda o: SWALR(o, 0.02, anneal_epochs=0),
    "SequentialLR in SequentialLR": lambda o: nested(s.ConstantLR(o, 0.5, 2), o),
    "SequentialLR in SequentialLR, of one call": lambda o: nested(s.ConstantLR(o, 0.5, 2), o, 1),
    "SequentialLR in SequentialLR, three deep": lambda o: s.SequentialLR(
        o, [nested(s.ConstantLR(o, 0.5, 2), o, 4), s.StepLR(o, 3)], milestones=[15]
    ),
    "SequentialLR in SequentialLR, smooth first": lambda o: nested(s.ExponentialLR(o, 0.5), o),
    "SequentialLR then SequentialLR": lambda o: s.SequentialLR(
        o, [s.StepLR(o, 5), s.SequentialLR(o, [s.StepLR(o, 5), s.StepLR(o, 3)], [2])], milestones=[9]
    ),
    "SequentialLR of a chain": lambda o: s.SequentialLR(
        o, [s.ChainedScheduler([s.ConstantLR(o, 0.5, 3), s.StepLR(o, 4)]), s.ExponentialLR(o, 0.9)], milestones=[9]
    ),
    "SequentialLR with CyclicLR": lambda o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.CyclicLR(o, 0.01, 0.5, 8)], milestones=[5]
    ),
    "SequentialLR with CyclicLR first": lambda o: s.SequentialLR(
        o, [s.CyclicLR(o, 0.01, 0.5, 8), s.LinearLR(o, 0.1, total_iters=5)], milestones=[32]
    ),
    "ChainedScheduler with a cosine": lambda o: s.ChainedScheduler(
        [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 20)]
    ),
    "ChainedScheduler with a cosine and a decay": lambda o: s.ChainedScheduler(
        [s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 20)]
    ),
    "ChainedScheduler with a cosine to a floor": lambda o: s.ChainedScheduler(
        [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 20, 0.01)]
    ),
    "ChainedScheduler with restarts last": lambda o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, 5), s.CosineAnnealingWarmRestarts(o, 10)]
    ),
    "ChainedScheduler with restarts first": lambda o: s.ChainedScheduler(
        [s.CosineAnnealingWarmRestarts(o, 10), s.ConstantLR(o, 0.1, 5)]
    ),
    "ChainedScheduler with a function": lambda o: s.ChainedScheduler(
        [s.LinearLR(o, 0.1, total_iters=5), s.MultiplicativeLR(o, lambda n: 0.9)]
    ),
    "transformers constant": transformers.get_constant_schedule,
    "transformers constant, warmed up": lambda o: transformers.get_constant_schedule_with_warmup(o, 10),
    "transformers linear": lambda o: transformers.get_linear_schedule_with_warmup(o, 10, 40),
    "transformers linear, no warm-up": lambda o: transformers.get_linear_schedule_with_warmup(o, 0, 40),
    "transformers cosine": lambda o: transformers.get_cosine_schedule_with_warmup(o, 10, 40),
    "transformers cosine, 1.5 cycles": lambda o: transformers.get_cosine_schedule_with_warmup(o, 10, 40, 1.5),
    "transformers cosine to a floor": lambda o: transformers.get_cosine_with_min_lr_schedule_with_warmup(
        o, 10, 40, min_lr=0.01
    ),
    "transformers restarts": lambda o: transformers.get_cosine_with_hard_restarts_schedule_with_warmup(o, 10, 40, 3),
    "transformers restarts, no whole cycles": (
        lambda o: transformers.get_cosine_with_hard_restarts_schedule_with_warmup(o, 0, 40, 3)
    ),
    "transformers polynomial": lambda o: transformers.get_polynomial_decay_schedule_with_warmup(o, 10, 40, 1e-3, 2.0),
    "transformers inverse square root": lambda o: transformers.get_inverse_sqrt_schedule(o, 10),
    "transformers inverse square root of a timescale": lambda o: transformers.get_inverse_sqrt_schedule(o, 0, 25),
    "transformers cosine from its warm-up's last step": (
        lambda o: transformers.get_scheduler(
            "cosine_warmup_with_min_lr", o, 10, 40, {"min_lr": 0.01, "warmup_lr_rate": 0.3}
        )
    ),
    "transformers stable, one minus the square root": lambda o: transformers.get_wsd_schedule(
        o, num_warmup_steps=10, num_decay_steps=20, num_stable_steps=9, warmup_type="cosine", decay_type="1-sqrt"
    ),
    "transformers stable": lambda o: transformers.get_wsd_schedule(
        o, num_warmup_steps=10, num_decay_steps=20, num_training_steps=50, min_lr_ratio=0.1, decay_type="linear"
    ),
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
    if "Plateau" not in name:
        try:
            rates = rates_of(make)
        except (ArithmeticError, NotImplementedError):
            rates = []
    for stepping in ("step", "epoch"):
        holder = optimizer()
        native = make(holder)
        told = {"class": type(native).__name__, "stepping": stepping}
        own = "LambdaLR" in name or "MultiplicativeLR" in name
        try:
            told["schedule"] = to_json(schedules.read(native, CLOCK, stepping, CALLS if own else None))
            told["rates"] = rates
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
            schedule, asked, notes = saved.load(FOLDER / f"{name}.{saved_as}", None, CLOCK, "step")
            proof = simulate.rates(asked, CLOCK, "step", CALLS).tolist()
            read[f"{name} per step"][saved_as] = [to_json(schedule), notes, proof == rates[: len(proof)] != []]
        except ValueError as error:
            read[f"{name} per step"][saved_as] = [str(error)]


def by_hand(native):
    native.step()
    native.optimizer.param_groups[0]["lr"] = 0.03


def stepped(native, *calls):
    """The scheduler after calls, each with what it is given, or after what something else does."""
    native.optimizer.step()
    for each in calls:
        if callable(each):
            each(native)
        else:
            native.step(*([] if each is None else [each]))
    return native


def resumed(o, calls=4):
    o.param_groups[0].update(initial_lr=0.1, lr=0.1 * 0.9**calls)
    return s.ExponentialLR(o, 0.9, last_epoch=4)


def two_groups(make):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(()))]} for _ in range(2)]
    return make(torch.optim.SGD(groups, lr=0.1, momentum=0.9))


LIVE = {
    "as made": lambda: s.StepLR(optimizer(), 5),
    "after calls": lambda: stepped(s.StepLR(optimizer(), 5), None, None, None),
    "by a part of a call": lambda: stepped(s.CosineAnnealingWarmRestarts(optimizer(), 10), 0.3),
    "to a part of a call": lambda: stepped(s.CosineAnnealingWarmRestarts(optimizer(), 10), None, 5.75),
    "to a part of a call of StepLR": lambda: stepped(s.StepLR(optimizer(), 5), 0.5),
    "by hand": lambda: stepped(s.StepLR(optimizer(), 5), None, by_hand),
    "by hand, of a function": lambda: stepped(s.LambdaLR(optimizer(), lambda n: 0.9**n), None, by_hand),
    "resumed one call off": lambda: resumed(optimizer()),
    "resumed where it was": lambda: resumed(optimizer(), 5),
    "by a table": lambda: stepped(Table(optimizer()), None, None),
    "two max_lr": lambda: two_groups(lambda o: s.CyclicLR(o, [1, 1], [5, 7], 4, cycle_momentum=False)),
    "two functions": lambda: two_groups(lambda o: s.LambdaLR(o, [lambda n: 1.0, lambda n: 0.5])),
    "two of one": lambda: two_groups(lambda o: s.LambdaLR(o, lambda n: 1.0)),
    "two rates": lambda: two_groups(lambda o: s.OneCycleLR(o, [0.5, 0.25], total_steps=9, cycle_momentum=False)),
    "never falls": lambda: s.MultiStepLR(optimizer(), [600.6, 900.9]),
}


groups = {}
for name in ("two max_lr", "two functions", "two rates"):
    native = LIVE[name]()
    calls = 7 if name == "two functions" else None
    read_of = [to_json(schedules.read(native, CLOCK, "step", calls, group=index)) for index in (0, 1)]
    native.optimizer.step()
    lr = [[group["lr"] for group in native.optimizer.param_groups]]
    for _ in range(6):
        native.step()
        lr.append([group["lr"] for group in native.optimizer.param_groups])
    groups[name] = {"read": read_of, "rates": list(zip(*lr, strict=True))}
live = {name: schedules.notes(make()) for name, make in LIVE.items()}

printed = {}
for name, text in EXAMPLES.items():
    for stepping in ("step", "epoch"):
        meant = parse(text)
        built = schedules.build(meant, CLOCK, stepping)
        held = {"optimizer": torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], built.learning_rate, momentum=0.9)}
        exec(compile(schedules.source(meant, CLOCK, stepping), name, "exec"), held)
        printed[f"{name} per {stepping}"] = to_json(schedules.read(held["scheduler"], CLOCK, stepping))

holder = optimizer()
made = [s.StepLR(holder, 7, gamma=0.3).state_dict(), s.ExponentialLR(holder, 0.9).state_dict()]
torch.save({"lr_schedulers": made, "optimizer_states": [holder.state_dict()]}, FOLDER / "two.ckpt")
read["StepLR per step"]["two"] = saved.load(FOLDER / "two.ckpt", None, CLOCK, "step")[2]

holder = optimizer()
cycle = MADE["OneCycleLR"](holder).state_dict()
del cycle["_anneal_func_type"]
older = {"class": "OneCycleLR", "scheduler": cycle | {"anneal_func": "<function OneCycleLR._annealing_cos at 0x7f>"}}
older["optimizer"] = {
    "param_groups": [{key: holder.param_groups[0][key] for key in ("initial_lr", "max_lr", "min_lr")}]
}
(FOLDER / "older.json").write_text(json.dumps(older))
read["OneCycleLR per step"]["older"] = to_json(saved.load(FOLDER / "older.json", None, CLOCK, "step")[0])

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
print(
    json.dumps({"classes": classes, "read": read, "wrong": wrong, "live": live, "groups": groups, "printed": printed})
)
