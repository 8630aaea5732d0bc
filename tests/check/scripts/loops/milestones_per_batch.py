# expects: epochs-as-steps
import torch
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)
loader = DataLoader(TensorDataset(x, x), 16)
m = torch.nn.Linear(1, 1)
opt = torch.optim.SGD(m.parameters(), lr=0.02)
sch = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[10, 15], gamma=0.1)  # here
for epoch in range(20):
    for a, b in loader:
        opt.zero_grad()
        ((m(a) - b) ** 2).mean().backward()
        opt.step()
        sch.step()
