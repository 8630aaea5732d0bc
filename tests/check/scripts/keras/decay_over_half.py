# expects: rate-zero
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

decay = keras.optimizers.schedules.PolynomialDecay(0.05, decay_steps=50, end_learning_rate=0.0)  # here
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(decay), "mse")
model.fit(x, y, epochs=6, batch_size=32, verbose=0)
