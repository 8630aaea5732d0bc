"""Record into the file named as argument until killed, about a millisecond an update; print each update's time."""

import os
import sys
import time

framework, path = sys.argv[1:]
if framework == "torch":
    import torch

    import torch_impl

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    with torch_impl.record(path) as recorder:
        while True:
            time.sleep(0.001)
            optimizer.step()
            recorder.log(0.5)
            os.write(1, f"{time.time()}\n".encode())
else:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import numpy as np

    import tf_impl

    class Told(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            os.write(1, f"{time.time()}\n".encode())
            time.sleep(0.001)

    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile("sgd", "mse")
    ones = np.ones((1_000_000, 1), "float32")
    network.fit(ones, ones, batch_size=1, verbose=0, callbacks=[tf_impl.Recorder(path), Told()])
