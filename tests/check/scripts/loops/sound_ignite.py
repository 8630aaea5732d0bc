# expects: none
import torch
from ignite.engine import Engine, Events
from torch.utils.data import DataLoader, TensorDataset

x = torch.rand(320, 1)
loader = DataLoader(TensorDataset(x, x), 32)
m = torch.nn.Linear(1, 1)
opt = torch.optim.SGD(m.parameters(), lr=0.02)
sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 6)


def step(engine, batch):
    opt.zero_grad()
    ((m(batch[0]) - batch[1]) ** 2).mean().backward()
    opt.step()


t = Engine(step)
t.add_event_handler(Events.EPOCH_COMPLETED, lambda _: sch.step())
t.run(loader, max_epochs=6)
