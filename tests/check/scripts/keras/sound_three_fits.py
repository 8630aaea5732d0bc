# expects: none
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

model = keras.Sequential([keras.layers.Dense(1)])
decay = keras.optimizers.schedules.CosineDecay(0.0, 9 * 16, warmup_target=0.05, warmup_steps=15)
model.compile(keras.optimizers.AdamW(decay), "mse")
for _ in range(3):
    model.fit(x, y, epochs=3 + (_ == 2), batch_size=32, verbose=0, shuffle=False)
