"""Train one weight with SGD on a gradient of 1, under Keras' `fit`: the update that each step makes is its rate.

Reads a list of [arm, clock] as JSON on standard input; prints for each the rates recorded and the updates made, as bits
of float64.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
import numpy as np
import tensorflow as tf

from samestep.experiment.clock import Clock
from samestep.experiment.plan import Arm
from tf_impl import schedules
from tf_impl.recorder import Recorder

ZERO = np.zeros((1, 1), "float32")


class Updates(keras.callbacks.Callback):
    """The weight starts each update at 0, so that after it, it is minus the rate, to the bit."""

    def __init__(self):
        super().__init__()
        self.made = []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.trainable_variables[0].assign(ZERO)

    def on_train_batch_end(self, batch, logs=None):
        self.made.append(-float(self.model.trainable_variables[0].numpy()[0, 0]))


def run(arm, clock, epochs):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    native = schedules.build(arm.schedule, clock, arm.stepping)
    # the mean of the prediction w * 1: its gradient with respect to w is 1
    model.compile(keras.optimizers.SGD(native.learning_rate), loss=lambda y, prediction: prediction)
    recorder, updates = Recorder(), Updates()
    ones = np.ones((clock.samples, 1), "float32")
    batches = tf.data.Dataset.from_tensor_slices((ones, ones)).batch(clock.batch_size)
    model.fit(
        batches.repeat(),  # which is begun once, not in every epoch
        steps_per_epoch=clock.steps_per_epoch,
        epochs=epochs,
        verbose=0,
        callbacks=[updates, recorder, *native.attach(model.optimizer)],
    )
    return {"recorded": recorder.lr, "made": updates.made, "name": native.name}


asked = json.load(sys.stdin)
clock = Clock(**asked["clock"])
json.dump([run(Arm.model_validate(arm), clock, asked["epochs"]) for arm in asked["arms"]], sys.stdout)
