"""A weight that shows the rate, in Keras: the loss is the weight itself, so SGD moves it by exactly the rate."""

import json

import keras
import numpy as np
from keras.optimizers.schedules import ExponentialDecay

import tf_impl


class Rates(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.before, self.moved, self.after = [], [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.set_weights([np.zeros((1, 1))])
        self.before.append(float(self.model.optimizer.learning_rate))

    def on_train_batch_end(self, batch, logs=None):
        self.moved.append(-self.model.get_weights()[0].item())  # the rate it used
        self.after.append(float(self.model.optimizer.learning_rate))


decay = ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
model.compile(keras.optimizers.SGD(decay), loss=lambda y, prediction: prediction)

ones = np.ones((1000, 1))
callbacks = [rates := Rates(), tf_impl.Recorder("keras.csv")]
model.fit(ones, ones, batch_size=32, epochs=2, verbose=0, callbacks=callbacks)

print(json.dumps({"before": rates.before, "moved": rates.moved, "after": rates.after}))
