"""Python loads this as it starts, where `samestep record` put its folder on the path; it may not import samestep yet.

The user's own `sitecustomize` is loaded as well. Nothing else happens until the program imports a framework.
"""

import importlib.machinery
import importlib.util
import os
import sys


def _load_the_users_own(here: str) -> None:
    """Another `sitecustomize` on the path, which this one hides."""
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None and os.path.dirname(os.path.abspath(spec.origin or "")) != here:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def _begin() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [each for each in sys.path if os.path.abspath(each or os.curdir) != here]
    try:
        _load_the_users_own(here)
    finally:
        asked = os.environ.get("SAMESTEP_RECORD")
        if asked:
            try:
                from samestep.experiment.starting.process import begin
            except ImportError:
                from json import loads

                folder = loads(asked)["folder"]
                with open(os.path.join(folder, f"without-{os.getpid()}"), "w", encoding="utf-8") as file:
                    file.write(sys.executable)
            else:
                begin(asked)


_begin()
