# expects: none
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

import tempfile

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
decay = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=160)
model.compile(keras.optimizers.Adam(decay), "mse")
with tempfile.TemporaryDirectory() as folder:
    model.fit(x, y, epochs=5, verbose=0)
    model.save(f"{folder}/half.keras")
    resumed = keras.models.load_model(f"{folder}/half.keras")
    resumed.fit(x, y, initial_epoch=5, epochs=10, verbose=0)
