import json

from keras.optimizers.schedules import ExponentialDecay, serialize

learning_rate = ExponentialDecay(1e-3, decay_steps=800, decay_rate=0.95, staircase=True)
print(json.dumps(serialize(learning_rate)))
