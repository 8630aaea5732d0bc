# expects: ends-early
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

steps_per_epoch = 512 // 32
schedule = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=100 * steps_per_epoch)  # here
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(schedule), "mse")
model.fit(x, y, epochs=10, batch_size=32, verbose=0)
