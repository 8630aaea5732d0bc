"""Train plans with PyTorch in every way: FOLDER, plan in *.json, arrays out in *.npz, in few files of one process.

Each array's name is ``ARM|HOW|SEED|KIND``: how is plain, alone, together or again (together, a second time), and kind
is lr, loss or eval_loss.
"""

import sys
from pathlib import Path

import numpy as np

from experiment.plan import Plan
from torch_impl import fast, training

for path in sorted(Path(sys.argv[1]).glob("*.json")):
    plan, told, found = Plan.load(path), [], {}
    training.prepare(plan)
    for arm in plan.arms:
        ways = {
            "plain": [training.train(plan, arm, seed, lambda epoch: None) for seed in plan.seeds],
            "alone": [fast.train(plan, arm, [seed], told.append, "fast")[0] for seed in plan.seeds],
            "together": fast.train(plan, arm, plan.seeds, told.append, "graph"),
            "again": fast.train(plan, arm, plan.seeds, told.append, "xla"),
        }
        for how, trained in ways.items():
            for seed, each in zip(plan.seeds, trained, strict=True):
                for kind in ("lr", "loss", "eval_loss"):
                    found[f"{arm.name}|{how}|{seed}|{kind}"] = np.asarray(getattr(each, kind), dtype=np.float64)
    found["told"] = np.array(sum(told))
    np.savez(path.with_suffix(".npz"), **found)
