# expects: none
import torch

x = torch.linspace(0, 1, 50)[:, None]
m = torch.nn.Linear(1, 1)
opt = torch.optim.LBFGS(m.parameters(), lr=0.5)
sch = torch.optim.lr_scheduler.ExponentialLR(opt, 0.95)
for i in range(20):

    def closure():
        opt.zero_grad()
        l = ((m(x) - x) ** 2).mean()
        l.backward()
        return l

    opt.step(closure)
    sch.step()
