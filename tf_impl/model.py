"""The network in Keras."""

from __future__ import annotations

import keras

from samestep.experiment import controls
from samestep.experiment.plan import Plan


def build(plan: Plan, seed: int, features: int) -> keras.Model:
    """Dense layers, each followed by dropout, and one dense output.

    features : columns of x.
    Called with x of shape (batch, features). Where the masks are shared it takes them as further inputs, one of shape
    (batch, width) per hidden layer, and multiplies with them; a mask of ones drops nothing.
    Returns predictions of shape (batch, 1).
    """
    # the native way to weights and dropout
    keras.utils.set_random_seed(controls.native_seed(seed, controls.Purpose.WEIGHTS))
    network = plan.network
    inputs = [keras.Input((features,), name="x")]
    hidden = inputs[0]
    for layer, width in enumerate(network.hidden):
        hidden = keras.layers.Dense(width, network.activation)(hidden)
        if plan.controls.masks == "shared":
            inputs.append(keras.Input((width,), name=f"mask_{layer}"))
            hidden = keras.layers.Multiply()([hidden, inputs[-1]])
        else:
            hidden = keras.layers.Dropout(network.dropout)(hidden)
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    if plan.controls.weights == "shared":
        model.set_weights([array for pair in controls.weights(plan, seed, features) for array in pair])
    return model
