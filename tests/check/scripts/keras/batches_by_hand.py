# expects: epochs-as-steps
import keras
import numpy as np

x = np.random.rand(320, 4).astype("float32")
y = x.sum(axis=1, keepdims=True)
epochs, batch_size = 12, 32
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
schedule = keras.optimizers.schedules.CosineDecay(0.05, decay_steps=epochs)  # here
model.compile(optimizer=keras.optimizers.SGD(schedule), loss="mse")

for epoch in range(epochs):
    for i in range(0, len(x), batch_size):
        model.train_on_batch(x[i : i + batch_size], y[i : i + batch_size])
