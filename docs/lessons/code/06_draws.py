"""Data, initial kernels, order and dropout masks of a small training, drawn once for both frameworks."""

import numpy as np

draws = np.random.default_rng(0)
x = draws.uniform(0, 2, (320, 1)).astype("float32")
kernels = draws.uniform(-0.7, 0.7, (2, 10)).astype("float32")
order = [draws.permutation(320).reshape(10, 32) for epoch in range(5)]
masks = ((draws.random((50, 32, 10)) < 0.8) / 0.8).astype("float32")

np.savez("draws.npz", x=x, y=x**2, kernels=kernels, order=np.concatenate(order), masks=masks)
