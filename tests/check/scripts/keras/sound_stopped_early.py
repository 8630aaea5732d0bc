# expects: none
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

model = keras.Sequential([keras.layers.Dense(1)])
decay = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=60 * 16)
model.compile(keras.optimizers.SGD(decay), "mse")
stop = keras.callbacks.EarlyStopping(monitor="loss", patience=2, min_delta=0.5)
model.fit(x, y, epochs=60, batch_size=32, verbose=0, callbacks=[stop])
