"""Staircase and smooth in Keras, looked up at every step and once per epoch."""

import keras
import numpy as np

import tf_impl

ExponentialDecay = keras.optimizers.schedules.ExponentialDecay
LearningRateScheduler = keras.callbacks.LearningRateScheduler
x = np.ones((1000, 1), dtype="float32")


def train(name, learning_rate, *callbacks):
    """Train for 30 epochs of 1,000 samples, and record the rate of each update."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(learning_rate), "mse")
    recorder = tf_impl.Recorder(f"keras-{name}.csv")
    model.fit(x, x, batch_size=32, epochs=30, verbose=0, callbacks=[*callbacks, recorder])


S = 32  # steps per epoch

# looked up at every step
train("smooth", ExponentialDecay(0.1, decay_steps=10 * S, decay_rate=0.5))
train("stairs", ExponentialDecay(0.1, decay_steps=10 * S, decay_rate=0.5, staircase=True))

# looked up once per epoch, so that 10 are epochs
smooth = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
stairs = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5, staircase=True)
train("smooth-by-epoch", 0.1, LearningRateScheduler(lambda epoch: float(smooth(epoch))))
train("stairs-by-epoch", 0.1, LearningRateScheduler(lambda epoch: float(stairs(epoch))))
