# expects: none
import math, torch
from torch.utils.data import DataLoader, TensorDataset


def adjust_learning_rate(optimizer, epoch):
    lr = 0.1 * epoch / 2 if epoch < 2 else 0.05 * (1.0 + math.cos(math.pi * (epoch - 2) / 8))
    for g in optimizer.param_groups:
        g["lr"] = lr * g.get("lr_scale", 1.0)


x = torch.rand(320, 1)
loader = DataLoader(TensorDataset(x, x**2), 32, shuffle=True)
m = torch.nn.Linear(1, 1)
opt = torch.optim.AdamW([{"params": [m.weight], "lr_scale": 0.5}, {"params": [m.bias]}], lr=0.1)
for epoch in range(10):
    for it, (a, b) in enumerate(loader):
        adjust_learning_rate(opt, it / len(loader) + epoch)
        loss = ((m(a) - b) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
