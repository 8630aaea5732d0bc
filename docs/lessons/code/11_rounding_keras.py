"""Three slow decays in Keras over 100,000 updates, and a staircase beyond 2**24."""

import json

import numpy as np
from keras.optimizers.schedules import ExponentialDecay

schedules = [
    ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9999),
    ExponentialDecay(0.1, decay_steps=6931, decay_rate=0.9999**6931),
    ExponentialDecay(0.1, decay_steps=6931, decay_rate=0.5),
]
steps = np.arange(0, 100_001, 50)
rates = [np.asarray(schedule(steps), "float64") for schedule in schedules]

stairs = ExponentialDecay(1.0, decay_steps=3, decay_rate=0.999999, staircase=True)
late = 2**24 + np.arange(-24, 24)
changed = late[1:][np.diff(stairs(late)) != 0]

print(json.dumps({"rates": [line.tolist() for line in rates], "changed": changed.tolist()}))
