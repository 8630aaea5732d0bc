"""Runs scripts one after the other, each watched as `samestep record` does it: ``watched.py PACKAGE FOLDER SCRIPT…``."""

import runpy
import sys
from importlib import import_module
from pathlib import Path

from samestep.experiment.watching import Facts, Notebook

package, folder, *scripts = sys.argv[1:]
watching = import_module(f"{package}.watching")
for script in map(Path, scripts):
    facts = Facts({"tf_impl": "tensorflow", "torch_impl": "torch"}[package], [str(script)])
    watch = watching.watch(Notebook(Path(folder, f"{script.stem}.csv"), facts))
    sys.argv = [str(script)]
    try:
        runpy.run_path(str(script), run_name="__main__")
        facts.ended = "returned"
    except Exception as error:
        facts.ended = "raised"
        print(f"{script.stem}: {type(error).__name__}: {error}", file=sys.stderr)
    watch.finish()
