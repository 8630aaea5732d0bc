# expects: epochs-as-steps
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2


def build():
    model = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1)])
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(  # here
        boundaries=[8, 12],
        values=[0.05, 0.005, 0.0005],
    )
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=schedule), loss="mse")
    return model


build().fit(x, y, validation_split=0.2, epochs=16, verbose=0)
