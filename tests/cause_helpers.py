"""What the tests of the causes use: schedules by name, a run of one, and a scene around two."""

from functools import cache

import numpy as np

from samestep._compare.causes.scene import Scene, Seen
from samestep._compare.infer import infer
from samestep._compare.rates import Rates
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse

EPOCH = Clock(samples=1000, batch_size=32)
STEPS = 120

SCHEDULES = {
    "constant": "constant:initial=0.1",
    "staircase": "exponential:initial=0.001,factor=0.95,every=25 steps,staircase",
    "smooth": "exponential:initial=0.1,factor=0.5,every=25 steps",
    "every-step": "exponential:initial=0.1,factor=0.99,every=1 step",
    "inverse-time": "inverse-time:initial=0.1,decay_rate=0.5,every=10 steps,staircase",
    "inverse-time-smooth": "inverse-time:initial=0.1,decay_rate=0.5,every=10 steps",
    "inverse-sqrt": "inverse-sqrt:initial=0.1,timescale=20 steps",
    "piecewise": "piecewise-constant:boundaries=[30 steps,60 steps],values=[0.1,0.01,0.001]",
    "piecewise-uneven": "piecewise-constant:boundaries=[30 steps,60 steps],values=[0.1,0.02,0.05]",
    "polynomial": "polynomial:initial=0.1,end=0,power=2,over=64 steps",
    "polynomial-end": "polynomial:initial=0.1,end=0.01,power=2,over=64 steps",
    "polynomial-cycle": "polynomial:initial=0.1,end=0.01,power=2,over=50 steps,cycle",
    "power": "power:initial=0.1,end=0,power=0.5,over=64 steps",
    "power-end": "power:initial=0.1,end=0.01,power=3,over=64 steps",
    "power-up": "power:initial=0,end=0.1,power=2,over=64 steps",
    "linear": "linear:initial=0.1,end=0.01,over=64 steps",
    "linear-up": "linear:initial=0,end=0.1,over=64 steps",
    "cosine": "cosine:initial=0.1,floor=0.01,over=96 steps,after=hold",
    "cosine-rise": "cosine:initial=0.1,floor=0.01,over=40 steps,after=rise",
    "restarts": "cosine-restarts:initial=0.1,floor=0,first=20 steps,t_mul=2,m_mul=1",
    "cosine-cycles": "cosine-cycles:initial=0.1,floor=0,over=100 steps,cycles=3",
    "restarts-lower": "cosine-restarts:initial=0.1,floor=0,first=20 steps,t_mul=2,m_mul=0.5",
    "one-cycle": "one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=120 steps,"
    "anneal_strategy=cos,after=error",
    "cyclic": "cyclic:low=0.01,max_lr=0.1,up=10 steps,down=20 steps,mode=triangular,gamma=1",
    "warm-up": "warmup:initial=0.01,over=20 steps,then=(exponential:initial=0.1,factor=0.5,every=25 steps,staircase)",
    "warm-up-from-0": "warmup:initial=0,over=20 steps,then=(cosine:initial=0.1,floor=0,over=60 steps,after=hold)",
    "warm-up-to-constant": "warmup:initial=0.01,over=20 steps,then=(constant:initial=0.1)",
}


def rates(text, steps=1600, clock=EPOCH):
    """The rates of a schedule in closed form."""
    step = np.arange(steps)
    return Rates.of(step, parse(text).rate(step, clock))


@cache
def run_of(kind):
    """What is inferred from a schedule of `SCHEDULES`."""
    return infer(rates(SCHEDULES[kind], STEPS, Clock.STEPS))


def scene(a=None, b=None, frameworks=("", ""), written=("", ""), zero=(False, False), **known):
    """Two sides that follow schedules of `SCHEDULES`, or none; what else is known of both."""
    seen = [
        Seen(None if kind is None else run_of(kind), framework, 0, STEPS - 1, digits, is_zero)
        for kind, framework, digits, is_zero in zip((a, b), frameworks, written, zero, strict=True)
    ]
    return Scene(*seen, **({"clock": EPOCH} | known))
