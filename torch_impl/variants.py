"""``python -m torch_impl.variants``: train variants of one run with PyTorch; see `experiment.variants`."""

from __future__ import annotations

from experiment import variants
from experiment.program import leave
from torch_impl.__main__ import load

if __name__ == "__main__":
    leave(variants.main("torch", load))
