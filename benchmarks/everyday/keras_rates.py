"""The rates of Keras' own schedules, from a process of their own: PyTorch is in this one.

``python -m benchmarks.everyday.keras_rates`` reads a line of JSON per request (kind, numbers, count) and answers with
the rates, as a line of JSON.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

SCHEDULES = {
    "keras-exponential": "ExponentialDecay",
    "keras-cosine": "CosineDecay",
    "keras-polynomial": "PolynomialDecay",
    "keras-restarts": "CosineDecayRestarts",
    "keras-inverse-time": "InverseTimeDecay",
}


def rates(kind: str, numbers: Mapping[str, Any], count: int) -> np.ndarray:
    """The rate of each of so many updates: float64, as Keras computes it in float32."""
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([kind, dict(numbers), count]) + "\n")
    process.stdin.flush()
    return np.array(json.loads(process.stdout.readline()))


@cache
def _process() -> subprocess.Popen[str]:
    """Started when first asked, once in this process."""
    command = [sys.executable, "-m", "benchmarks.everyday.keras_rates"]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}, **piped)  # type: ignore[call-overload]
    atexit.register(process.communicate)
    return process


def main() -> None:
    """Answer requests until there are none."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever TensorFlow prints is no answer
    import keras
    import tensorflow as tf

    for line in sys.stdin:
        kind, numbers, count = json.loads(line)
        schedule = getattr(keras.optimizers.schedules, SCHEDULES[kind])(**numbers)
        each = tf.function(lambda step, ask=schedule: tf.map_fn(ask, step, fn_output_signature=tf.float32))
        print(json.dumps(each(tf.range(count)).numpy().astype(float).tolist()), file=answers, flush=True)


if __name__ == "__main__":
    main()
