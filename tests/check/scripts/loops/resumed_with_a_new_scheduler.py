# expects: resumed-afresh
import torch, io
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)
loader = DataLoader(TensorDataset(x, x), 32)


def run(m, opt, sch, first, last):
    for epoch in range(first, last):
        for a, b in loader:
            opt.zero_grad()
            ((m(a) - b) ** 2).mean().backward()
            opt.step()
        sch.step()


m = torch.nn.Linear(1, 1)
opt = torch.optim.Adam(m.parameters(), lr=0.1)
run(m, opt, torch.optim.lr_scheduler.StepLR(opt, 3, 0.1), 0, 4)
ck = opt.state_dict()
opt = torch.optim.Adam(m.parameters(), lr=0.1)
opt.load_state_dict(ck)
sch = torch.optim.lr_scheduler.StepLR(opt, 3, 0.1)  # here
run(m, opt, sch, 4, 8)
