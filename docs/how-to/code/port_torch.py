import json

import torch

optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1600, eta_min=0.001)
print(json.dumps({"class": type(scheduler).__name__, **scheduler.state_dict()}))
