# expects: epochs-as-steps
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9)  # here
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(schedule), "mse")
model.fit(x, y, epochs=25, batch_size=32, verbose=0)
