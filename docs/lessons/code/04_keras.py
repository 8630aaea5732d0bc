"""The two schedules that the PyTorch loops are to follow: stairs, and smooth."""

import json

import keras
import numpy as np

ExponentialDecay = keras.optimizers.schedules.ExponentialDecay
S = 32  # steps per epoch

stairs = ExponentialDecay(0.1, decay_steps=10 * S, decay_rate=0.5, staircase=True)
smooth = ExponentialDecay(0.1, decay_steps=10 * S, decay_rate=0.5)

steps = np.arange(50 * S)
print(json.dumps({"stairs": stairs(steps).numpy().tolist(), "smooth": smooth(steps).numpy().tolist()}))
