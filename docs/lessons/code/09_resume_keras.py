"""Five epochs in Keras, saved in two ways and taken up in five: which count of updates does the optimizer have?"""

import json

import keras
import numpy as np

x = np.ones((1000, 1), "float32")
decay = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=60, decay_rate=0.5, staircase=True)


def network():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


def compiled(optimizer):
    model = network()
    model.compile(optimizer(decay), "mse")
    return model


found = {}
for optimizer in (keras.optimizers.SGD, keras.optimizers.Adam):
    first = compiled(optimizer)
    first.fit(x, x, batch_size=32, epochs=5, verbose=0)
    first.save_weights("run.weights.h5")
    first.save("run.keras")

    # weights, then compile
    loaded = network()
    loaded.load_weights("run.weights.h5")
    loaded.compile(optimizer(decay), "mse")

    # compile, then weights
    compiled_first = compiled(optimizer)
    compiled_first.load_weights("run.weights.h5")

    # compile, build, then weights
    built_first = compiled(optimizer)
    built_first.optimizer.build(built_first.trainable_variables)
    built_first.load_weights("run.weights.h5")

    # the whole model
    whole = keras.models.load_model("run.keras")

    # the whole model, and compile again
    again = keras.models.load_model("run.keras")
    again.compile(optimizer(decay), "mse")

    # end
    models = (loaded, compiled_first, built_first, whole, again)
    found[optimizer.__name__] = [
        [int(model.optimizer.iterations), float(model.optimizer.learning_rate)] for model in models
    ]

print(json.dumps(found))
