"""Record what MLflow keeps of a run: in its file store and in its SQLite store.

Recorded with MLflow 3.17.2 and PyTorch 2.13.0, Python 3.11, on a CPU, in an environment of its own:

    pip install mlflow==3.17.2 torch==2.13.0
    python tests/data/record/mlflow_logs.py

60 updates in 3 epochs of 20; update n uses 0.1 * 0.97 ** n. MLflow's database has some 60 tables; those of another use
than metrics are dropped once it is written, to keep the file small. Paths of the machine are blotted out.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # versions from 3.7 on ask for a word before they use the file store

import mlflow
import torch
from rows import DATA

KEPT = {"alembic_version", "experiments", "runs", "metrics", "latest_metrics", "params", "tags"}


def train(uri, folder):
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("rates", artifact_location=folder.as_uri()))
    weight = torch.nn.Parameter(torch.ones(()))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
    with mlflow.start_run(run_name="smooth"):
        mlflow.log_param("batch_size", 32)
        for step in range(60):
            optimizer.zero_grad()
            loss = weight.square()
            loss.backward()
            mlflow.log_metrics({"learning_rate": optimizer.param_groups[0]["lr"], "loss": loss.item()}, step=step)
            optimizer.step()
            scheduler.step()


def slim(database):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table not in KEPT and not table.startswith("sqlite_"):
                connection.execute(f'DROP TABLE "{table}"')
        connection.execute("UPDATE experiments SET artifact_location = ''")
        connection.execute("UPDATE runs SET artifact_uri = '', user_id = '', source_name = ''")
        connection.execute("DELETE FROM tags")
        connection.commit()
        connection.execute("PRAGMA page_size = 512")
        connection.execute("VACUUM")


def slim_files(store):
    for path in store.rglob("meta.yaml"):
        path.write_text(
            re.sub(r"(artifact_location|artifact_uri|user_id|source_name): .*", r"\1: ''", path.read_text())
        )
    for tags in store.rglob("tags"):
        shutil.rmtree(tags)


if __name__ == "__main__":
    target = DATA / "logs" / "mlflow"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        train((folder / "mlruns").as_uri(), folder / "artifacts")
        slim_files(folder / "mlruns")
        shutil.copytree(folder / "mlruns", target / "mlruns")
        train(f"sqlite:///{folder}/mlflow.db", folder / "artifacts-db")
        slim(folder / "mlflow.db")
        shutil.copy(folder / "mlflow.db", target)
