# expects: epochs-as-steps
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

EPOCHS = 20
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
learning_rate = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=EPOCHS)  # here
model.compile(keras.optimizers.SGD(learning_rate), "mse")
model.fit(x, y, epochs=EPOCHS, batch_size=32, verbose=0)
