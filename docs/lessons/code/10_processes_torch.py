"""Accelerate with two processes on this machine: when does a StepLR of 40 steps change the rate?"""

import json
import os

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration


def train(split_batches):
    accelerator = Accelerator(cpu=True, dataloader_config=DataLoaderConfiguration(split_batches=split_batches))
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=40, gamma=0.5)
    network, optimizer, scheduler = accelerator.prepare(network, optimizer, scheduler)

    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        accelerator.backward(network(torch.ones(8, 1)).square().mean())
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
    return [step for step in range(1, 100) if rates[step] != rates[step - 1]]


# end
def process(rank, store, results):
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT="0")
    torch.distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    changes = {"split_batches=False": train(False), "split_batches=True": train(True)}
    if rank == 0:
        changes["processes"] = Accelerator(cpu=True).num_processes
        with open(results, "w", encoding="utf-8") as file:
            json.dump(changes, file)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    torch.multiprocessing.start_processes(
        process, args=(os.path.abspath("store"), "processes.json"), nprocs=2, start_method="fork"
    )
    with open("processes.json", encoding="utf-8") as file:
        print(file.read())
