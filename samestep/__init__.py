"""Do two training runs follow the same learning-rate schedule? If not: where do they first differ, and why?

What is listed here is imported when it is first asked for: `import samestep` alone needs no other package.

Example:
    >>> import samestep
    >>> result = samestep.compare([0.1] * 100, [0.1] * 60 + [0.05] * 40)
    >>> result.verdict, result.first_difference.step
    ('differs', 60)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samestep._compare.attribution import attribute as attribute
    from samestep._compare.check.check import check as check
    from samestep._compare.comparison.compare import compare as compare
    from samestep._compare.runs.reading import read as read
    from samestep._compare.schedule.explain import explain as explain
    from samestep._compare.schedule.infer import infer as infer
    from samestep._compare.schedule.simulate import simulate as simulate
    from samestep._compare.schedule.translate import translate as translate
    from samestep._compare.training import run as run
    from samestep.experiment import __version__ as __version__
    from samestep.experiment.clock import Clock as Clock
    from tf_impl.recorder import Recorder as Recorder
    from torch_impl.recorder import record as record

_PLACES = {
    "Clock": "samestep.experiment.clock",
    "Recorder": "tf_impl.recorder",
    "__version__": "samestep.experiment",
    "attribute": "samestep._compare.attribution",
    "check": "samestep._compare.check.check",
    "compare": "samestep._compare.comparison.compare",
    "explain": "samestep._compare.schedule.explain",
    "infer": "samestep._compare.schedule.infer",
    "read": "samestep._compare.runs.reading",
    "record": "torch_impl.recorder",
    "run": "samestep._compare.training",
    "simulate": "samestep._compare.schedule.simulate",
    "translate": "samestep._compare.schedule.translate",
}
_FRAMEWORKS = {"Recorder": "tensorflow", "record": "torch"}

__all__ = [*_PLACES]


def __getattr__(name: str) -> Any:
    """What is asked for, imported now."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        found = getattr(import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        framework = _FRAMEWORKS.get(name)
        if framework is None:
            raise
        raise ImportError(f"samestep.{name} needs {framework}. Run: pip install 'samestep[{framework}]'") from error
    if _PLACES[name].startswith("samestep._compare."):
        from samestep._compare.show.arguments import for_python

        found = for_python(found)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
