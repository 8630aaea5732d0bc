# expects: overwritten
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2


def halve(epoch):
    return 0.1 * 0.5 ** (epoch // 4)


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1), "mse")
stairs = keras.callbacks.LearningRateScheduler(halve)  # here
plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.1, patience=1, min_delta=10.0)
model.fit(x, y, epochs=10, batch_size=32, verbose=0, callbacks=[plateau, stairs])
