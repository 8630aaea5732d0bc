"""As many updates of as many samples in Keras: from batches of 32, and from 4 batches of 8."""

import json

import keras
import numpy as np
from keras.optimizers.schedules import ExponentialDecay

import tf_impl

x = np.ones((640, 1), "float32")
counted = {}


def train(name, decay_steps, batch_size, **accumulate):
    decay = ExponentialDecay(0.1, decay_steps, 0.5, staircase=True)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(decay, **accumulate), "mse")
    recorder = tf_impl.Recorder(f"keras-{name}.csv")
    model.fit(x, x, batch_size, epochs=10, verbose=0, callbacks=[recorder])
    counted[name] = int(model.optimizer._iterations)  # batches, not updates


train("meant", decay_steps=40, batch_size=32)
train("written", decay_steps=40, batch_size=8, gradient_accumulation_steps=4)
train("fixed", decay_steps=40 * 4, batch_size=8, gradient_accumulation_steps=4)

print(json.dumps(counted))
