"""``python -m tf_impl PLAN OUT``: train every arm of a plan with Keras and write the trace."""

from __future__ import annotations

import os
import sys

from samestep.experiment.programs import train
from samestep.experiment.programs.process import importing, leave

# TensorFlow's start-up chatter; its errors still come through
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN may sum in another order from run to run
os.environ["KERAS_BACKEND"] = "tensorflow"


def load() -> train.Implementation:
    """Import Keras, and with it what trains in it."""
    with importing():
        from tf_impl import fast, schedules, training

    return train.Implementation(training, fast, schedules)


if __name__ == "__main__":
    leave(train.main("tensorflow", load, sys.argv[1:]))
