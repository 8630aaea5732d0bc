# expects: steps-as-epochs
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

EPOCHS, STEPS = 12, 16
decay = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=EPOCHS * STEPS)
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
callback = keras.callbacks.LearningRateScheduler(lambda epoch: float(decay(epoch)))  # here
model.fit(x, y, epochs=EPOCHS, batch_size=32, verbose=0, callbacks=[callback])
