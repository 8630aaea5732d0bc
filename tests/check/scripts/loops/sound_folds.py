# expects: none
import torch
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)
for fold in range(3):
    loader = DataLoader(TensorDataset(x, x), 32)
    m = torch.nn.Linear(1, 1)
    opt = torch.optim.SGD(m.parameters(), lr=0.1)
    sch = torch.optim.lr_scheduler.OneCycleLR(opt, 0.1, total_steps=5 * len(loader))
    for epoch in range(5):
        for a, b in loader:
            opt.zero_grad()
            ((m(a) - b) ** 2).mean().backward()
            opt.step()
            sch.step()
