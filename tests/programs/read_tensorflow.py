"""Make each of Keras' schedules as a user does, ask it, and say its rates and what `read` makes of it.

Prints JSON: `classes`, all that keras.optimizers.schedules offers; `read`, by name: class, rates, schedule.
Saves each config into the folder named as argument, as a user does.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import EXAMPLES
from samestep.experiment.schedules.text import parse, to_json
from tf_impl import natives, saved, schedules, stand_ins

CALLS = 60
SMALL = (
    "constant:initial=1e-39",
    "cosine:initial=1e-39,floor=0.2,over=10 steps,after=hold",
    "piecewise-constant:boundaries=[5 steps],values=[0.1,1e-40]",
    "exponential:initial=0.1,factor=0.5,every=1 step",
    "linear:initial=0.1,end=0,over=10 steps",
)
CLOCK = Clock(samples=100, batch_size=8)
FOLDER = Path(sys.argv[1])
s = keras.optimizers.schedules


class MyOwn(s.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1 + step // 7)


class Renamed(s.CosineDecay):
    """A subclass that changes nothing."""


class Floored(s.CosineDecay):
    """A subclass that follows no schedule of the vocabulary."""

    def __call__(self, step):
        return keras.ops.maximum(super().__call__(step), 0.03)


MADE = {
    "ExponentialDecay to 0": s.ExponentialDecay(0.1, 7, 0.0),
    "ExponentialDecay to 0, staircase": s.ExponentialDecay(0.1, 7, 0.0, staircase=True),
    "InverseTimeDecay of 2.5 steps": s.InverseTimeDecay(0.1, 2.5, 0.5),
    "InverseTimeDecay of 0": s.InverseTimeDecay(0.1, 7, 0.0),
    "PiecewiseConstantDecay of whole numbers": s.PiecewiseConstantDecay([10, 20], [4, 2, 1]),
    "CosineDecay of a subclass": Renamed(0.1, 25, alpha=0.1),
    "CosineDecay rising": s.CosineDecay(0.1, 25, alpha=2.0),
    "CosineDecayRestarts rising": s.CosineDecayRestarts(0.1, 7, alpha=2.0, m_mul=0.8),
    "CosineDecayRestarts once": s.CosineDecayRestarts(0.1, 7, m_mul=0.0, alpha=0.1),
    "ExponentialDecay": s.ExponentialDecay(0.1, 7, 0.5),
    "ExponentialDecay staircase": s.ExponentialDecay(0.1, 7, 0.5, staircase=True),
    "ExponentialDecay of 2.5 steps": s.ExponentialDecay(0.1, 2.5, 0.5),
    "PiecewiseConstantDecay": s.PiecewiseConstantDecay([10, 20], [0.1, 0.05, 0.01]),
    "PolynomialDecay": s.PolynomialDecay(0.1, 25, power=2.0),
    "PolynomialDecay straight": s.PolynomialDecay(0.1, 25),
    "PolynomialDecay cycle": s.PolynomialDecay(0.1, 25, 0.01, power=0.5, cycle=True),
    "InverseTimeDecay": s.InverseTimeDecay(0.1, 7, 0.5),
    "InverseTimeDecay staircase": s.InverseTimeDecay(0.1, 7, 0.5, staircase=True),
    "CosineDecay": s.CosineDecay(0.1, 25, alpha=0.1),
    "CosineDecay warm-up": s.CosineDecay(0.0, 25, alpha=0.1, warmup_target=0.1, warmup_steps=10),
    "CosineDecayRestarts": s.CosineDecayRestarts(0.1, 7),
    "CosineDecayRestarts all": s.CosineDecayRestarts(0.1, 7, t_mul=1.5, m_mul=0.8, alpha=0.01),
    "MyOwn": MyOwn(),
}
read = {}
for name, native in MADE.items():
    told = {"class": type(native).__name__}
    for stepping in ("step", "epoch"):
        told[stepping] = to_json(schedules.read(native, CLOCK, stepping, CALLS if name == "MyOwn" else None))
    told["rates"] = [float(native(step)) for step in range(CALLS)]
    read[name] = told
    if name != "MyOwn" and not isinstance(native, Renamed):
        (FOLDER / f"{name}.json").write_text(json.dumps(s.serialize(native)))
        told["json"] = to_json(saved.load(FOLDER / f"{name}.json", None, CLOCK, "step")[0])
adam = keras.optimizers.Adam(MADE["CosineDecay"])
(FOLDER / "optimizer.json").write_text(json.dumps(keras.optimizers.serialize(adam)))

function = keras.callbacks.LearningRateScheduler(lambda epoch, lr: 0.1 * 0.5 ** (epoch // 3))
read["LearningRateScheduler"] = {
    "class": "LearningRateScheduler",
    "epoch": to_json(schedules.read(function, CLOCK, "epoch", CALLS)),
    "rates": [0.1 * 0.5 ** (epoch // 3) for epoch in range(CALLS)],
}
refused = {}
REFUSED = {
    "MyOwn": MyOwn(),
    "ReduceLROnPlateau": keras.callbacks.ReduceLROnPlateau(),
    "Floored": Floored(0.1, 25),
    "CosineDecay of 0": s.CosineDecay(0.0, 25, alpha=0.5),
    "ExponentialDecay of a whole number": s.ExponentialDecay(1, 7, 0.5),
    "PiecewiseConstantDecay of both": s.PiecewiseConstantDecay([10, 20], [1, 0.5, 0.1]),
    "CosineDecayRestarts that shrink": s.CosineDecayRestarts(0.1, 7, t_mul=0.5),
}
for name, native in REFUSED.items():
    try:
        schedules.read(native, CLOCK, "step")
    except ValueError as error:
        refused[name] = str(error)
printed = {}
for name, text in EXAMPLES.items():
    for stepping in ("step", "epoch"):
        held = {}
        exec(compile(schedules.source(parse(text), CLOCK, stepping), name, "exec"), held)
        native = held.get("per_epoch", held["learning_rate"])
        printed[f"{name} per {stepping}"] = to_json(schedules.read(native, CLOCK, stepping))
        if name == "cyclic, triangular" and stepping == "step":
            (FOLDER / "printed.json").write_text(json.dumps(s.serialize(native)))
            back = to_json(saved.load(FOLDER / "printed.json", None, CLOCK, "step")[0])
            read["printed and saved"] = {"class": "MyOwn", "json": back}
registered = {
    f"{package}>Cyclic": keras.saving.get_registered_object(f"{package}>Cyclic") is stand_ins.Cyclic
    for package in natives.PACKAGES
}
noted = {text: schedules.build(parse(text), CLOCK, "step").note for text in SMALL}

wrong = {}
for path in sorted((FOLDER.parent / "wrong").glob("tensorflow*")):
    try:
        wrong[path.name] = to_json(saved.load(path, None, CLOCK, "step")[0])
    except ValueError as error:
        wrong[path.name] = str(error)
classes = [
    name
    for name in dir(s)
    if isinstance(getattr(s, name), type) and issubclass(getattr(s, name), s.LearningRateSchedule)
]
held = {"printed": printed, "registered": registered, "noted": noted}
print(json.dumps({"classes": classes, "read": read, "refused": refused, "wrong": wrong, **held}))
