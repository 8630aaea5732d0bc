"""Train many plans with one framework in one process, to import it once: FRAMEWORK FOLDER, plan in *.json, trace out."""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

from samestep.experiment.plan import Plan
from samestep.experiment.programs import train

framework, folder = sys.argv[1:]
if framework == "tensorflow":
    from tf_impl.__main__ import load
else:
    from torch_impl.__main__ import load

for path in sorted(Path(folder).glob("*.json")):
    train.run(Plan.load(path), framework, load()).save(path.with_suffix(f".{framework}.npz"))
