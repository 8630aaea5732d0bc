# expects: none
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(0, 2, (512, 1)).astype("float32")
y = x**2

import tensorflow as tf

EPOCHS = 6
generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
critic = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1)])
decay = keras.optimizers.schedules.PolynomialDecay(0.01, EPOCHS * 16, 0.001)
optimizers = keras.optimizers.Adam(decay), keras.optimizers.RMSprop(0.005)
dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)

for epoch in range(EPOCHS):
    for noise, real in dataset:
        for network, optimizer, sign in ((critic, optimizers[0], 1.0), (generator, optimizers[1], -1.0)):
            with tf.GradientTape() as tape:
                score = tf.reduce_mean(critic(generator(noise)) - critic(real)) * sign
            gradients = tape.gradient(score, network.trainable_variables)
            optimizer.apply(gradients, network.trainable_variables)
