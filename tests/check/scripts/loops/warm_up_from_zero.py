# expects: rate-zero
import torch
from torch.utils.data import DataLoader, TensorDataset


def train():
    x = torch.rand(320, 1)
    loader = DataLoader(TensorDataset(x, x), 32)
    m = torch.nn.Linear(1, 1)
    opt = torch.optim.SGD(m.parameters(), lr=0.1)
    warm = torch.optim.lr_scheduler.LambdaLR(opt, lambda epoch: min(1.0, epoch / 3))  # here
    for epoch in range(6):
        for a, b in loader:
            opt.zero_grad()
            ((m(a) - b) ** 2).mean().backward()
            opt.step()
        warm.step()


if __name__ == "__main__":
    train()
