# expects: none
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

model = keras.Sequential([keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.05), "mse")
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_delta=0.05),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=4, min_delta=0.05),
]
model.fit(x, y, validation_split=0.25, epochs=40, batch_size=32, verbose=0, callbacks=callbacks)
