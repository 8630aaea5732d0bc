"""One schedule for every row of the table of schedules: each kind, and each condition that changes what it becomes."""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "constant": "constant:initial=0.1",
    "exponential, staircase": "exponential:initial=0.1,factor=0.5,every=2 epochs,staircase",
    "exponential, smooth": "exponential:initial=0.1,factor=0.5,every=2 epochs",
    "inverse time": "inverse-time:initial=0.1,decay_rate=0.5,every=1 epoch,staircase",
    "piecewise constant, powers of one factor": (
        "piecewise-constant:boundaries=[2 epochs,4 epochs],values=[0.1,0.01,0.001]"
    ),
    "piecewise constant, two values, rising": "piecewise-constant:boundaries=[1 epoch],values=[0.01,0.1]",
    "piecewise constant, any values": "piecewise-constant:boundaries=[1 epoch,3 epochs],values=[0.1,0.05,0.01]",
    "polynomial, to 0": "polynomial:initial=0.1,end=0,power=2,over=4 epochs",
    "polynomial, to an end rate": "polynomial:initial=0.1,end=0.01,power=2,over=4 epochs",
    "polynomial, cycle": "polynomial:initial=0.1,end=0.01,power=0.5,over=2 epochs,cycle",
    "linear": "linear:initial=0.1,end=0.01,over=4 epochs",
    "linear, from 0": "linear:initial=0,end=0.1,over=4 epochs",
    "cosine, then hold": "cosine:initial=0.1,floor=0.01,over=4 epochs,after=hold",
    "cosine, then rise": "cosine:initial=0.1,floor=0.01,over=4 epochs,after=rise",
    "cosine restarts, m_mul 1, t_mul whole": "cosine-restarts:initial=0.1,floor=0.01,first=1 epoch,t_mul=2,m_mul=1",
    "cosine restarts, any m_mul": "cosine-restarts:initial=0.1,floor=0.01,first=1 epoch,t_mul=2,m_mul=0.5",
    "cosine restarts, any t_mul": "cosine-restarts:initial=0.1,floor=0,first=2 epochs,t_mul=1.5,m_mul=1",
    "one-cycle, then an error": (
        "one-cycle:max_lr=0.1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=6 epochs,anneal_strategy=cos,"
        "after=error"
    ),
    "one-cycle, then hold": (
        "one-cycle:max_lr=0.1,div_factor=10,final_div_factor=100,pct_start=0.4,over=4 epochs,anneal_strategy=linear,"
        "three_phase,after=hold"
    ),
    "cyclic, triangular": "cyclic:low=0.01,max_lr=0.1,up=1 epoch,down=2 epochs,mode=triangular,gamma=1",
    "cyclic, triangular2": "cyclic:low=0.01,max_lr=0.1,up=1 epoch,down=1 epoch,mode=triangular2,gamma=1",
    "cyclic, exp_range": "cyclic:low=0.01,max_lr=0.1,up=1 epoch,down=1 epoch,mode=exp_range,gamma=0.999",
    "warm-up, then cosine with hold": (
        "warmup:initial=0.001,over=1 epoch,then=(cosine:initial=0.1,floor=0,over=5 epochs,after=hold)"
    ),
    "warm-up, then cosine with rise": (
        "warmup:initial=0.001,over=1 epoch,then=(cosine:initial=0.1,floor=0,over=5 epochs,after=rise)"
    ),
    "warm-up, then any other": (
        "warmup:initial=0.001,over=1 epoch,then=(exponential:initial=0.1,factor=0.5,every=2 epochs,staircase)"
    ),
    "warm-up from 0": "warmup:initial=0,over=1 epoch,then=(constant:initial=0.1)",
    "sequence, all from one rate": (
        "sequence:schedules=[(constant:initial=0.1),(exponential:initial=0.1,factor=0.5,every=1 epoch),"
        "(polynomial:initial=0.1,end=0,power=2,over=2 epochs)],milestones=[1 epoch,4 epochs]"
    ),
    "sequence, any": (
        "sequence:schedules=[(constant:initial=0.1),(inverse-time:initial=0.05,decay_rate=1,every=1 epoch)],"
        "milestones=[2 epochs]"
    ),
    "product, factors that multiply": (
        "product:schedules=[(exponential:initial=0.1,factor=0.5,every=2 epochs,staircase),"
        "(linear:initial=0.1,end=1,over=1 epoch)]"
    ),
    "product, any": (
        "product:schedules=[(cosine:initial=0.1,floor=0,over=4 epochs,after=hold),"
        "(inverse-time:initial=1,decay_rate=1,every=1 epoch)]"
    ),
}
"""Short forms by what a row of the table says; all of them of a few epochs, so that a run of ten shows them whole."""
