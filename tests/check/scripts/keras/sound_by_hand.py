# expects: none
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1), "mse")
for epoch in range(8):
    model.optimizer.learning_rate = 0.1 * 0.5 ** (epoch // 3)
    for start in range(0, 512, 32):
        model.train_on_batch(x[start : start + 32], y[start : start + 32])
