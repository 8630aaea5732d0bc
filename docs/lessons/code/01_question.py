"""The question: why does the rate fall in the first epoch?"""

import keras
import numpy as np

draws = np.random.default_rng(0)
x = draws.uniform(0, 2, size=(1000, 1))
y = draws.normal(x**2, 0.05)

model = keras.Sequential(
    [
        keras.layers.Dense(10, activation="tanh"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="tanh"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1),
    ]
)
learning_rate = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)
model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mse")
model.fit(x, y, epochs=50, batch_size=32, verbose=0)
