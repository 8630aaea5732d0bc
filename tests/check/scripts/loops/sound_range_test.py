# expects: none
import torch, copy
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)
loader = DataLoader(TensorDataset(x, x), 32)
m = torch.nn.Linear(1, 1)
opt = torch.optim.SGD(m.parameters(), lr=1e-5, momentum=0.9)
states = copy.deepcopy(m.state_dict()), copy.deepcopy(opt.state_dict())
find = torch.optim.lr_scheduler.ExponentialLR(opt, 1.5)
for a, b in loader:
    opt.zero_grad()
    ((m(a) - b) ** 2).mean().backward()
    opt.step()
    find.step()
m.load_state_dict(states[0])
opt.load_state_dict(states[1])
for g in opt.param_groups:
    g["lr"] = 0.05
sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 8 * len(loader))
for epoch in range(8):
    for a, b in loader:
        opt.zero_grad()
        ((m(a) - b) ** 2).mean().backward()
        opt.step()
        sch.step()
