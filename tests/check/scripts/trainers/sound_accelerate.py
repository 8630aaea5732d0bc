# expects: none
import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader, TensorDataset


def main():
    x = torch.rand(320, 1)
    acc = Accelerator(cpu=True, gradient_accumulation_steps=2)
    m = torch.nn.Linear(1, 1)
    o = torch.optim.SGD(m.parameters(), lr=0.1)
    d = DataLoader(TensorDataset(x, x**2), batch_size=32)
    s = torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.01, total_iters=6 * len(d) // 2)
    m, o, d, s = acc.prepare(m, o, d, s)
    for epoch in range(6):
        for a, b in d:
            with acc.accumulate(m):
                loss = ((m(a) - b) ** 2).mean()
                acc.backward(loss)
                o.step()
                s.step()
                o.zero_grad()


main()
