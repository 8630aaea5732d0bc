# expects: epochs-as-steps
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

import tensorflow as tf

EPOCHS = 15
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(512, seed=0).batch(32)
model = keras.Sequential([keras.layers.Dense(1)])
schedule = keras.optimizers.schedules.CosineDecay(0.05, EPOCHS)  # here
optimizer = keras.optimizers.Adam(schedule)


@tf.function
def train_step(batch, target):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(batch) - target) ** 2)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(EPOCHS):
    for batch, target in dataset:
        train_step(batch, target)
