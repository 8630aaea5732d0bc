"""The four schedules in Keras, their ends written out."""

import json

from keras.optimizers.schedules import CosineDecay, CosineDecayRestarts, PiecewiseConstantDecay

schedules = {
    "cosine": CosineDecay(0.1, decay_steps=200),
    "restarts": CosineDecayRestarts(0.1, first_decay_steps=100, t_mul=1.0),
    # 99 is the last step with the old rate
    "stairs": PiecewiseConstantDecay(boundaries=[99], values=[0.1, 0.01]),
    "warm_up": CosineDecay(0.0, decay_steps=150, warmup_target=0.1, warmup_steps=50),
}

found = {name: [float(schedule(step)) for step in range(400)] for name, schedule in schedules.items()}
print(json.dumps(found))
