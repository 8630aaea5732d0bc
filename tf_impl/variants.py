"""``python -m tf_impl.variants``: train variants of one run with Keras; see `experiment.programs.variants`."""

from __future__ import annotations

from samestep.experiment.programs import variants
from samestep.experiment.programs.process import leave
from tf_impl.__main__ import load

if __name__ == "__main__":
    leave(variants.main("tensorflow", load))
