"""The rows of every batch that a DataLoader gives, in one epoch of 1,000 samples."""

import json

import torch
from torch.utils.data import DataLoader, TensorDataset

dataset = TensorDataset(torch.ones(1000, 1))


def count(loader):
    """The updates that one epoch makes, and the rows of each."""
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters())
    rows = []
    for (x,) in loader:
        optimizer.zero_grad()
        (model(x) - x).square().mean().backward()
        optimizer.step()
        rows.append(len(x))
    assert len(rows) == len(loader)  # the loader knows beforehand
    return {"updates": len(rows), "rows": rows}


epoch = {
    "DataLoader(dataset, batch_size=32)": count(DataLoader(dataset, batch_size=32)),
    "DataLoader(dataset, batch_size=32, drop_last=True)": count(DataLoader(dataset, batch_size=32, drop_last=True)),
}
print(json.dumps({"epoch": epoch}))
