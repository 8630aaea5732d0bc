"""25 epochs in Keras: decay_steps counts steps."""

import keras


steps_per_epoch = -(-1000 // 32)  # the last, short batch is a step as well
learning_rate = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate=1e-3, decay_steps=25 * steps_per_epoch, decay_rate=0.95, staircase=True
)

print(next(step for step in range(1600) if learning_rate(step) < 1e-3))
