"""What the tests of `samestep compare` use: the recorded pairs, and traces as files."""

import json
from pathlib import Path

import numpy as np

from samestep._compare.comparison.compare import compare
from samestep.experiment.clock import Clock
from samestep.experiment.trace import Trace

HOUSE = Path(__file__).parents[1]
DOCS = {name: (HOUSE / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("comparing", "ci-gate")}
PAIRS = Path(__file__).parent / "data" / "pairs"
RECORDED = json.loads((PAIRS / "pairs.json").read_text(encoding="utf-8"))
HEADER = "framework,arm,seed,step,epoch,batch,lr,loss"


def trace_file(path, lr, *, step=None, loss=None, arm="adam", framework="csv", seed=0, header=True):
    step = range(len(lr)) if step is None else step
    loss = [""] * len(lr) if loss is None else loss
    rows = [f"{framework},{arm},{seed},{n},,,{float(rate)!r},{x}" for n, rate, x in zip(step, lr, loss, strict=True)]
    with path.open("a" if path.exists() else "w") as file:
        file.write("\n".join([*([HEADER] if header and not file.tell() else []), *rows]) + "\n")
    return str(path)


def pair(name):
    """The two files of a recorded pair."""
    return str(PAIRS / RECORDED[name]["a"]), str(PAIRS / RECORDED[name]["b"])


def compared(name, *, turned=False, **changed):
    """A recorded pair, compared with its own clock; turned: a and b the other way round."""
    a, b = pair(name)[::-1] if turned else pair(name)
    return compare(a, b, clock=Clock(RECORDED[name]["samples"], RECORDED[name]["batch_size"]), **changed)


def save_npz(path, lr):
    count = len(lr)
    whole = np.arange(count)
    none = np.full(count, -1)
    steps = {"framework": np.full(count, "torch"), "arm": np.full(count, "x"), "seed": np.zeros(count, np.int64),
             "step": whole, "epoch": none, "batch": none, "lr": lr, "loss": np.full(count, np.nan)}  # fmt: skip
    text, number = np.array([], dtype=np.str_), np.array([], dtype=float)
    epochs = {"framework": text, "arm": text, "seed": number.astype(np.int64), "epoch": number.astype(np.int64),
              "train_loss": number, "eval_loss": number}  # fmt: skip
    Trace(steps, epochs, {}).save(path)
