"""The rows of every batch that Keras trains on, in one epoch of 1,000 samples."""

import json

import keras
import numpy as np
import tensorflow as tf

x = np.ones((1000, 1), dtype="float32")
dataset = tf.data.Dataset.from_tensor_slices((x, x))
rows = []


def loss(target, prediction):
    """Mean squared error, and a note of how many rows it was asked about."""
    rows.append(len(target))
    return keras.losses.mean_squared_error(target, prediction)


def count(*data, **options):
    """The updates that one call of `fit` makes, and the rows of each."""
    rows.clear()
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", loss, run_eagerly=True)
    model.fit(*data, verbose=0, **options)
    return {"updates": int(model.optimizer.iterations.numpy()), "rows": list(rows)}


epoch = {
    "fit(x, y, batch_size=32)": count(x, x, batch_size=32),
    "fit(dataset.batch(32))": count(dataset.batch(32)),
    "fit(dataset.batch(32, drop_remainder=True))": count(dataset.batch(32, drop_remainder=True)),
}
repeated = count(dataset.batch(32).repeat(), steps_per_epoch=1000 // 32, epochs=3)
print(json.dumps({"epoch": epoch, "repeated": repeated}))
