# expects: none
import torch, io
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)
loader = DataLoader(TensorDataset(x, x), 32)


def make():
    m = torch.nn.Linear(1, 1)
    opt = torch.optim.Adam(m.parameters(), lr=0.1)
    return m, opt, torch.optim.lr_scheduler.MultiStepLR(opt, [3, 6], 0.1)


def run(m, opt, sch, first, last):
    for epoch in range(first, last):
        for a, b in loader:
            opt.zero_grad()
            ((m(a) - b) ** 2).mean().backward()
            opt.step()
        sch.step()


m, opt, sch = make()
run(m, opt, sch, 0, 4)
buf = io.BytesIO()
torch.save({"m": m.state_dict(), "o": opt.state_dict(), "s": sch.state_dict()}, buf)
buf.seek(0)
ck = torch.load(buf)
m, opt, sch = make()
m.load_state_dict(ck["m"])
opt.load_state_dict(ck["o"])
sch.load_state_dict(ck["s"])
run(m, opt, sch, 4, 8)
