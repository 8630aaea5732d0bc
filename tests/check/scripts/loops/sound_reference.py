# expects: none
import torch
from torch.utils.data import DataLoader, TensorDataset


def train_one_epoch(model, optimizer, data_loader, epoch):
    lr_scheduler = None
    if epoch == 0:
        warmup_iters = min(1000, len(data_loader) - 1)
        lr_scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1e-3, total_iters=warmup_iters)
    for a, b in data_loader:
        optimizer.zero_grad()
        ((model(a) - b) ** 2).mean().backward()
        optimizer.step()
        if lr_scheduler is not None:
            lr_scheduler.step()


def main():
    x = torch.rand(320, 1)
    loader = DataLoader(TensorDataset(x, x), 32)
    test = DataLoader(TensorDataset(x, x), 1)
    m = torch.nn.Linear(1, 1)
    opt = torch.optim.SGD(m.parameters(), lr=0.02)
    sch = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[4, 6], gamma=0.1)
    for epoch in range(8):
        train_one_epoch(m, opt, loader, epoch)
        sch.step()
        with torch.inference_mode():
            for a, b in test:
                m(a)


main()
