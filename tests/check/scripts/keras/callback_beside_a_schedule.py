# expects: overwritten
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

schedule = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=160)
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(schedule), "mse")
plateau = keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=10.0)  # here
model.fit(x, y, epochs=10, batch_size=32, verbose=0, callbacks=[plateau])
