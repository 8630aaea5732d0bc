"""Halved every 10 epochs in Keras, an epoch counted wrongly and rightly."""

import json

import keras
import numpy as np
import tensorflow as tf

x = np.ones((1000, 1), dtype="float32")
dataset = tf.data.Dataset.from_tensor_slices((x, x)).batch(32)


def rates(steps_per_epoch):
    """Rates of 50 epochs, for an epoch of so many steps."""
    learning_rate = keras.optimizers.schedules.ExponentialDecay(
        0.1, decay_steps=10 * steps_per_epoch, decay_rate=0.5, staircase=True
    )
    return learning_rate(np.arange(50 * len(dataset))).numpy().tolist()


wrong = rates(1000 // 32)  # one step short: the batch of 8 is a step as well
right = rates(len(dataset))  # of arrays: math.ceil(len(x) / 32)

print(json.dumps({"wrong": wrong, "right": right}))
