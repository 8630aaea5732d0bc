# expects: accumulation
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

EPOCHS, UPDATES = 8, 8 * 16 // 4
learning_rate = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=UPDATES)  # here
optimizer = keras.optimizers.Adam(learning_rate, gradient_accumulation_steps=4)
model = keras.Sequential([keras.layers.Dense(1)])
model.compile(optimizer, "mse")
model.fit(x, y, epochs=EPOCHS, batch_size=32, verbose=0)
