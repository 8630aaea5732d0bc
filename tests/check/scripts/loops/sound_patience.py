# expects: none
import torch
from torch.utils.data import DataLoader, TensorDataset


def fit(epochs, patience=3):
    x = torch.rand(320, 1)
    loader = DataLoader(TensorDataset(x, x), 32)
    m = torch.nn.Linear(1, 1)
    opt = torch.optim.SGD(m.parameters(), lr=0.0001)
    sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, epochs, eta_min=1e-6)
    best, bad = 1e9, 0
    for epoch in range(epochs):
        m.train()
        for a, b in loader:
            opt.zero_grad()
            ((m(a) - b) ** 2).mean().backward()
            opt.step()
        sch.step()
        v = 1.0
        if v < best:
            best, bad = v, 0
        else:
            bad += 1
        if bad >= patience:
            return m


fit(40)
