# expects: overwritten
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2


class Drop(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 5:
            self.model.optimizer.learning_rate = 0.001  # here


model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1), "mse")
stairs = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 * 0.5 ** (epoch // 4))
model.fit(x, y, epochs=10, batch_size=32, verbose=0, callbacks=[stairs, Drop()])
