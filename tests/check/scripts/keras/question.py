# expects: epochs-as-steps
import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, size=(1000, 1))
y = x**2 + rng.normal(0, 0.05, size=(1000, 1))

model = keras.Sequential(
    [
        keras.Input((1,)),
        layers.Dense(10, activation="tanh"),
        layers.Dropout(0.2),
        layers.Dense(10, activation="tanh"),
        layers.Dropout(0.2),
        layers.Dense(1),
    ]
)
lr = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)  # here
model.compile(optimizer=keras.optimizers.Adam(lr), loss="mse")
model.fit(x, y, epochs=50, batch_size=32, verbose=0)
