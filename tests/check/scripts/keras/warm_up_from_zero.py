# expects: rate-zero
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2


def warm_up(epoch):
    return 0.05 * min(epoch / 5, 1.0)


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.05), "mse")
callbacks = [keras.callbacks.LearningRateScheduler(warm_up)]  # here
model.fit(x, y, epochs=10, batch_size=32, verbose=0, callbacks=callbacks)
