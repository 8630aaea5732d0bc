"""Record a Weights & Biases run as the two CSV files that users have of one.

Recorded with wandb 0.21.4, PyTorch 2.13.0 and pandas 3.1.1, Python 3.11, on a CPU, in an environment of its own:

    pip install wandb==0.21.4 torch==2.13.0 pandas==3.1.1
    python tests/data/record/wandb_logs.py

The run is real, but offline: exporting from the web page or through `wandb.Api` needs the server. The rows are read from the
run's own `.wandb` file with wandb's own reader, and written by pandas in the shapes of both exports: `history.csv` as
`run.history().to_csv()` makes it, and `chart.csv` with the columns of a chart's download. So the numbers are wandb's;
the columns of `chart.csv` follow its documentation.

60 updates; update n uses 0.1 * 0.97 ** n.
"""

import json
import tempfile
from pathlib import Path

import pandas as pd
import torch
import wandb
from rows import DATA
from wandb.proto import wandb_internal_pb2
from wandb.sdk.internal.datastore import DataStore

NAME = "smooth-run"


def train(folder):
    weight = torch.nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
    with wandb.init(mode="offline", dir=folder, name=NAME, project="rates"):
        for _ in range(60):
            optimizer.zero_grad()
            loss = weight.square()
            loss.backward()
            wandb.log({"train/learning_rate": optimizer.param_groups[0]["lr"], "train/loss": loss.item()})
            optimizer.step()
            scheduler.step()


def history(file):
    """One dictionary per call of `wandb.log`."""
    store = DataStore()
    store.open_for_scan(str(file))
    rows = []
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            rows.append({"".join(i.nested_key) or i.key: json.loads(i.value_json) for i in record.history.item})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    target = DATA / "logs" / "wandb"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        train(folder)
        rows = history(next(Path(folder).rglob("*.wandb")))
    rows.to_csv(target / "history.csv")
    metric = f"{NAME} - train/learning_rate"
    chart = {"Step": rows["_step"], **{f"{metric}{end}": rows["train/learning_rate"] for end in ("", "__MIN", "__MAX")}}
    pd.DataFrame(chart).to_csv(target / "chart.csv", index=False, quoting=1)
