"""Run printed Keras code with nothing but Keras, and say the rate of each update, asked as an optimizer asks."""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as tf

rates = {}
for name, case in json.load(sys.stdin).items():
    given = {}
    exec(case["code"], given)
    rate = given["learning_rate"]
    if case["stepping"] == "epoch" and "per_epoch" in given:
        epochs = -(-case["updates"] // case["steps_per_epoch"])
        each = [given["per_epoch"].schedule(epoch, 0.0) for epoch in range(epochs)]
        rates[name] = [value for value in each for _ in range(case["steps_per_epoch"])][: case["updates"]]
    elif isinstance(rate, float):
        rates[name] = [rate] * case["updates"]
    else:
        asked = tf.function(rate)
        again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(rate))
        steps = range(case["updates"])
        rates[name] = [float(asked(tf.constant(step, tf.int64))) for step in steps]
        assert float(again(7)) == float(rate(7)), name
assert not {"samestep", "tf_impl"} & set(sys.modules)
print(json.dumps(rates))
