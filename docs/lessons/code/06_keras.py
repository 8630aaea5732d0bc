"""What Keras draws from seed 0, and where it draws it from."""

import json

import keras
import numpy as np

keras.utils.set_random_seed(0)
rows = keras.random.uniform((4,))
order = keras.random.shuffle(np.arange(8))
dropped = keras.layers.Dropout(0.25)(np.ones((1, 8)), training=True)

layer = keras.layers.Dense(100)
layer.build((None, 100))
kernel, bias = (np.abs(weight).max().item() for weight in layer.get_weights())

drawn = {"rows": rows, "order": order, "dropout": dropped[0]}
print(
    json.dumps({name: np.asarray(values).tolist() for name, values in drawn.items()} | {"kernel": kernel, "bias": bias})
)
