"""Adam in Keras, in float64, fed with the gradients of a file."""

import json

import keras
import numpy as np
from keras.optimizers.schedules import ExponentialDecay

import tf_impl

keras.config.set_floatx("float64")
decay = ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)
optimizer = keras.optimizers.Adam(decay, epsilon=1e-7)
weights = keras.Variable(np.zeros(2))

path = []
with tf_impl.record("keras.csv") as recorder:
    recorder.watch(optimizer)
    for gradient in np.load("gradients.npy"):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weights])
        path.append(weights.numpy().tolist())

print(json.dumps(path))
