"""``python -m tf_impl.variants``: train variants of one run with Keras; see `experiment.variants`."""

from __future__ import annotations

import sys

from experiment import variants
from tf_impl.__main__ import load

if __name__ == "__main__":
    sys.exit(variants.main("tensorflow", load))
