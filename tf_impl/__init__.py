"""The experiment in Keras. `torch_impl` is the same text in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_impl.recorder import Recorder, record

__all__ = ["Recorder", "record"]


def __getattr__(name: str) -> Any:
    """`Recorder` and `record`, imported when first asked for: Keras comes with them."""
    if name in __all__:
        from tf_impl import recorder

        return getattr(recorder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
