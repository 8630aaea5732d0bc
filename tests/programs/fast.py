"""Train plans in every way: FRAMEWORK FOLDER, plans in *.json, arrays out in *.npz, all in one process.

Each array's name is ``ARM|WAY|SEED|KIND``. Ways: plain (the first seed), alone (each seed by itself, the fast engine), graph and xla
(all seeds, with that engine), again (the first arm as graph, a second time). Kinds: lr, loss, eval_loss.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from samestep.experiment.plan import Plan

training, fast, _ = import_module({"tensorflow": "tf_impl", "torch": "torch_impl"}[sys.argv[1]] + ".__main__").load()


def alone(plan, arm, say):
    return [fast.train(plan, arm, [seed], say, "fast")[0] for seed in plan.seeds]


WAYS = {
    "plain": lambda plan, arm, say: [training.train(plan, arm, plan.seeds[0], lambda epoch: None)],
    "alone": alone,
    "graph": lambda plan, arm, say: fast.train(plan, arm, plan.seeds, say, "graph"),
    "again": lambda plan, arm, say: fast.train(plan, arm, plan.seeds, say, "graph"),
    "xla": lambda plan, arm, say: fast.train(plan, arm, plan.seeds, say, "xla"),
}

for path in sorted(Path(sys.argv[2]).glob("*.json")):
    plan, told, found = Plan.load(path), [], {}
    training.prepare(plan, os.environ.get("SAMESTEP_DEVICE", "cpu"))
    for way, train in WAYS.items():
        for arm in plan.arms[:1] if way == "again" else plan.arms:
            for seed, each in zip(plan.seeds, train(plan, arm, told.append), strict=way != "plain"):
                for kind in ("lr", "loss", "eval_loss"):
                    found[f"{arm.name}|{way}|{seed}|{kind}"] = np.asarray(getattr(each, kind), dtype=np.float64)
    np.savez(path.with_suffix(".npz"), told=np.array(sum(told)), **found)
