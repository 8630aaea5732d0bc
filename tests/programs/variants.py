"""Trains variants for as long as it is asked: each line of standard input is JSON, the variants and a hook or null.

The hook is Python source that defines `as_keras`, as `samestep attribute` advises; it takes the place of our own.
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
framework = sys.argv[1]

from samestep.experiment.programs import variants

if framework == "tensorflow":
    from tf_impl.__main__ import load
else:
    from torch_impl.__main__ import load

implementation = load()
training = implementation.training
correct = training.correct


def advised(source):
    names = {}
    exec(source, names)
    return lambda optimizer, plan, without, rates: names["as_keras"](
        optimizer, *([rates] if "keras_rates" in source else [])
    )


for line in sys.stdin:
    asked = json.loads(line)
    training.correct = advised(asked["hook"]) if asked["hook"] else correct
    for variant in variants.from_json(json.dumps(asked["variants"])):
        variants.train(variant, framework, implementation).save(variant.out)
    print("done", flush=True)
