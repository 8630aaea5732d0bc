"""``python -m torch_impl.variants``: train variants of one run with PyTorch; see `experiment.variants`."""

from __future__ import annotations

import sys

from experiment import variants
from torch_impl.__main__ import load

if __name__ == "__main__":
    sys.exit(variants.main("torch", load))
