"""Draws the pairs of `benchmarks.everyday`, in a process of its own: what they are, and whether they are the same again.

python everyday.py NUMBER: so many of each mistake. Prints JSON: by mistake the draws, and by typed schedule how far it
is from the rates of the library, in units of the peak.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.everyday.mistakes import MISTAKES
from benchmarks.everyday.runs import Draws
from benchmarks.everyday.score import draw
from benchmarks.everyday.texts import TYPED, typed
from samestep.experiment.clock import Clock
from samestep.experiment.schedules.text import parse


def files(case):
    with tempfile.TemporaryDirectory() as folder:
        case.write(Path(folder))
        found = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        return hashlib.sha256(b"".join(path.read_bytes() for path in found)).hexdigest()


def drawn(mistake, number):
    case, again = draw(mistake, 7, number), draw(mistake, 7, number)
    pair = case.pair
    return {
        "answers": [answer.name for answer in pair.answers],
        "verdicts": pair.verdicts,
        "vague": pair.vague,
        "differ": len(pair.a) != len(pair.b) or bool((pair.a != pair.b).any()),
        "again": files(case) == files(again),
    }


def errors(kind):
    draws = Draws(np.random.default_rng(1))
    runs = [draws.run([kind]) for _ in range(12)]
    for run in runs:
        if (text := typed(run)) is not None:
            wanted = run.rates()
            said = parse(text).rate(np.arange(run.updates), Clock(run.steps_per_epoch or 1, 1))
            yield text, float(np.abs(said - wanted).max() / wanted.max())


every = {mistake: [drawn(mistake, number) for number in range(int(sys.argv[1]))] for mistake in MISTAKES}
print(json.dumps({"mistakes": every, "texts": {kind: dict(errors(kind)) for kind in TYPED}}))
