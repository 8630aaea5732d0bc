# expects: none
import math, numpy as np, torch
from torch.utils.data import DataLoader, TensorDataset


def main(epochs=10):
    x = torch.rand(320, 1)
    loader = DataLoader(TensorDataset(x, x**2), 32, shuffle=True)
    model = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    g0, g1 = [p for p in model.parameters() if p.ndim == 1], [p for p in model.parameters() if p.ndim > 1]
    optimizer = torch.optim.SGD(g0, lr=0.1, momentum=0.9)
    optimizer.add_param_group({"params": g1, "weight_decay": 5e-4})
    lf = lambda x: (1 - x / epochs) * (1.0 - 0.01) + 0.01
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=lf)
    nb = len(loader)
    nw = 3 * nb
    for epoch in range(epochs):
        for i, (a, b) in enumerate(loader):
            ni = i + nb * epoch
            if ni <= nw:
                for j, g in enumerate(optimizer.param_groups):
                    g["lr"] = np.interp(ni, [0, nw], [0.1 if j == 0 else 0.0, g["initial_lr"] * lf(epoch)])
            loss = ((model(a) - b) ** 2).mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        scheduler.step()


main()
