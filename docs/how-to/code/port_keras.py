import json

import keras

learning_rate = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=800, decay_rate=0.95, staircase=True)
print(json.dumps(keras.optimizers.schedules.serialize(learning_rate)))
