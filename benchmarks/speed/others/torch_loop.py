"""PyTorch as everybody writes it: a loop that notes the rate and the loss of every update.

``python torch_loop.py EPOCHS…`` trains the network of the default plan afresh for each number, with 25 steps between
decays, and prints the seconds that each training took. Batches are slices of one permutation an epoch: a DataLoader
takes longer. One thread: with matrices this small a second one gains nothing.
"""

import json
import sys
import time

import torch
from torch import nn


def data():
    """A thousand points around a parabola."""
    torch.manual_seed(0)
    x = 2 * torch.rand(1000, 1)
    return x, x**2 + 0.05 * torch.randn(1000, 1)


def train(x, y, epochs, seed):
    """Build and train. Returns the rates and the losses."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(1, 10), nn.Tanh(), nn.Dropout(0.2), nn.Linear(10, 10), nn.Tanh(), nn.Dropout(0.2), nn.Linear(10, 1)
    )
    loss_function = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=25, gamma=0.95)
    rates, losses = [], []
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            loss = loss_function(model(x[rows]), y[rows])
            loss.backward()
            rates.append(scheduler.get_last_lr()[0])
            losses.append(loss.item())
            optimizer.step()
            scheduler.step()
    return rates, losses


def main():
    """Train as often as was asked for."""
    torch.set_num_threads(1)
    x, y = data()
    seconds = []
    for seed, epochs in enumerate(map(int, sys.argv[1:])):
        began = time.perf_counter()
        rates, losses = train(x, y, epochs, seed)
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"seconds": seconds, "updates": len(losses), "last_rate": rates[-1]}))


if __name__ == "__main__":
    main()
