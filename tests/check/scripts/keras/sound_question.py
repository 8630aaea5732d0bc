# expects: none
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

model = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dropout(0.2), keras.layers.Dense(1)])
lr = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=5 * 16, decay_rate=0.95, staircase=True)
model.compile(optimizer=keras.optimizers.Adam(lr), loss="mse")
model.fit(x, y, epochs=20, batch_size=32, verbose=0)
