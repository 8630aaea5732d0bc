"""Every reader on files that are cut, damaged, random or made to harm: a trace that is whole, or a line that says no.

SAMESTEP_FUZZ multiplies the number of examples.
"""

import json
import os
import sqlite3
import struct
import time
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samestep._compare.rates import Rates
from samestep._compare.readers import FORMATS, Options, ReadError, read, rounding
from samestep.experiment.trace import EPOCH_COLUMNS, TRACE_COLUMNS, Trace

LOGS = Path(__file__).parents[2] / "data" / "logs"
EXAMPLES = int(os.environ.get("SAMESTEP_FUZZ", "1"))
SECONDS = 5
MEMORY = 64 * 2**20
"""Bytes that reading a small file may take at most; the readers' own imports are done before."""


def fuzz(examples):
    return settings(
        max_examples=examples * EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def seeds():
    """One real log of each format, small, by name."""
    names = {
        "csv": "plain/log.csv",
        "jsonl": "plain/log.jsonl",
        "six": "plain/six-digits.csv",
        "semicolons": "plain/semicolons.csv",
        "lightning": "lightning-csv/every-10/metrics.csv",
        "hugging-face": "hugging-face/every-10/trainer_state.json",
        "keras": "keras-csv/scheduler.csv",
        "wandb": "wandb/history.csv",
        "chart": "wandb/chart.csv",
        "sqlite": "mlflow/mlflow.db",
        "yolo": "yolo/ultralytics/results.csv",
        "mmcv": "mmengine/mmcv.log.json",
        "fairseq": "fairseq/simple/train.log",
        "trainer": "trainer-output/before-4.51.log",
        "text": "text/colons.log",
        "classification": "pytorch-classification/log.txt",
        "baselines": "stable-baselines3/progress.csv",
    }
    found = {name: (LOGS / path).read_bytes() for name, path in names.items()}
    for kind in ("lightning-tensorboard/every-10", "torch-tensorboard/tensors", "keras-tensorboard/epoch/train"):
        (event,) = (LOGS / kind).glob("events.*")
        found[kind] = event.read_bytes()
    return found


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A trace as samestep writes it, as CSV and as .npz."""
    folder = tmp_path_factory.mktemp("own")
    kinds = {str: "Adam", int: 0, float: 0.1}
    rows = {name: np.array([kinds[kind]] * 5) for name, kind in TRACE_COLUMNS.items()} | {"step": np.arange(5)}
    epochs = {name: np.array([kinds[kind]]) for name, kind in EPOCH_COLUMNS.items()}
    for name in ("a.csv", "a.npz"):
        Trace(rows, epochs, {"schema": 1}).save(folder / name)
    return {name: (folder / name).read_bytes() for name in ("a.csv", "a.npz")}


SEEDS = seeds()
LARGE = Options(steps_per_epoch=7)


def holds(path, options=LARGE):
    """Read, and check what must hold whatever the file is."""
    said = None
    tracemalloc.start()
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            trace = read(path, options)
    except (ReadError, OSError) as error:
        said = error
    finally:
        taken = time.process_time() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert taken < SECONDS
        assert peak < MEMORY
    if said is None:
        consistent(trace)
    elif isinstance(said, ReadError):
        assert str(said).startswith(str(path))
        assert "\n" not in str(said)
        assert len(str(said)) < 1500


def consistent(trace):
    lengths = {len(trace.steps[name]) for name in TRACE_COLUMNS}
    assert len(lengths) == 1
    assert lengths != {0}
    kinds = {str: "U", int: "i", float: "f"}
    assert all(trace.steps[name].dtype.kind == kinds[kind] for name, kind in TRACE_COLUMNS.items())
    assert (trace.steps["step"] >= 0).all()
    assert np.isfinite(trace.steps["lr"]).all()
    assert (trace.steps["lr"] >= 0).all()
    half = rounding(trace)
    assert half.shape == trace.steps["lr"].shape
    assert (half >= 0).all()
    json.dumps(trace.manifest, allow_nan=False)
    for name in set(trace.steps["arm"].tolist()):
        rows = trace.steps["arm"] == name
        step, first = np.unique(trace.steps["step"][rows], return_index=True)
        Rates.of(step, trace.steps["lr"][rows][first], half[rows][first])


@st.composite
def damaged(draw, content):
    """Bytes of a real log with a few places cut out, overwritten, doubled or swapped."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 40))
        match draw(st.sampled_from(["cut", "write", "insert", "double", "end"])):
            case "cut":
                del data[at : at + length]
            case "write":
                data[at : at + length] = draw(st.binary(max_size=40))
            case "insert":
                data[at:at] = draw(st.sampled_from(NASTY)).encode()
            case "double":
                data[at:at] = data[at : at + length * 20]
            case "end":
                del data[at:]
    return bytes(data)


NASTY = [
    *("", "nan", "inf", "-inf", "-1", "1e999", "1e-999", "0x1p3", "1_000", "9" * 400, "9" * 5000, "-0.0", "1,5", "١"),
    *('"', '""', "'", "\x00", "\r", "\n", "\r\n\r\n", ";", ",", "\t", "=1+1", "@x", "é", "\ud7ff", "﻿", "NaN", "NULL"),
    *("{", "}", "[" * 2000, "null", "true", "18446744073709551616", "-9223372036854775809", "9007199254740993", "1e16"),
]


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_logs(tmp_path, name):
    @fuzz(60)
    @given(damaged(SEEDS[name]))
    def check(content):
        (tmp_path / "log").write_bytes(content)
        holds(tmp_path / "log")

    check()


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_damaged_traces_of_our_own(tmp_path, own, name):
    @fuzz(100)
    @given(damaged(own[name]))
    def check(content):
        (tmp_path / name).write_bytes(content)
        holds(tmp_path / name)

    check()


@pytest.mark.parametrize("form", ["samestep", *FORMATS])
def test_any_bytes_under_any_format(tmp_path, form):
    @fuzz(40)
    @given(st.one_of(st.binary(max_size=300), st.sampled_from(list(SEEDS.values())).flatmap(damaged)))
    def check(content):
        (tmp_path / "log").write_bytes(content)
        holds(tmp_path / "log", Options(format=form, steps_per_epoch=3))

    check()


CELLS = st.one_of(
    st.sampled_from(NASTY),
    st.floats(allow_nan=False).map(repr),
    st.floats(0, 1).map(lambda value: f"{value:.6f}"),
    st.integers(-(2**70), 2**70).map(str),
    st.integers(0, 50).map(str),
)
HEADERS = (
    "step",
    "lr",
    "lr-Adam",
    "loss",
    "epoch",
    "_step",
    "_runtime",
    "Step",
    "x - lr",
    "x - lr__MIN",
    "x - lr__MAX",
)


@fuzz(300)
@given(st.data())
def test_tables_of_hostile_cells(tmp_path, data):
    separator = data.draw(st.sampled_from(",;\t"))
    header = data.draw(st.lists(st.sampled_from([*HEADERS, *TRACE_COLUMNS]), min_size=2, max_size=9))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=1, max_size=len(header) + 1), max_size=8))
    lines = [separator.join(row) for row in [header, *rows]]
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    (tmp_path / "log").write_bytes(end.join(lines).encode("utf-8", "surrogatepass"))
    holds(tmp_path / "log")


KEYS = st.sampled_from(["step", "lr", "learning_rate", "loss", "global_step", "a", "log_history"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=5), st.integers(0, 20)),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(KEYS, children, max_size=3)),
    max_leaves=8,
)


@fuzz(200)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=5), max_size=6))
def test_json_of_hostile_values(tmp_path, entries):
    (tmp_path / "log").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    holds(tmp_path / "log")
    holds(tmp_path / "log", Options(columns={"step": "step", "lr": "lr", "loss": "a"}))
    (tmp_path / "log").write_text(json.dumps({"log_history": entries}))
    holds(tmp_path / "log")


@fuzz(150)
@given(st.data())
def test_event_files_of_hostile_records(tmp_path, data):
    """Records with right checksums and lengths, but with contents of any kind."""
    from tensorboard.compat.proto import event_pb2
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    records = [event_pb2.Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString()]
    for _ in range(data.draw(st.integers(0, 6))):
        event = event_pb2.Event(step=data.draw(st.integers(-5, 2**62)))
        value = event.summary.value.add(
            tag=data.draw(st.sampled_from(["lr", "loss", "epoch_learning_rate", "lr-Adam"]))
        )
        if data.draw(st.booleans()):
            value.simple_value = data.draw(st.floats(width=32))
        else:
            value.tensor.dtype = data.draw(st.integers(0, 25))
            for size in data.draw(st.lists(st.sampled_from([1, 0, -1, 2**40]), max_size=3)):
                value.tensor.tensor_shape.dim.add(size=size)
            value.tensor.float_val.extend(data.draw(st.lists(st.floats(width=32), max_size=2)))
            value.tensor.tensor_content = data.draw(st.binary(max_size=9))
        records.append(event.SerializeToString())
    records += data.draw(st.lists(st.binary(max_size=30), max_size=1))
    content = b""
    for record in records:
        length = struct.pack("<Q", len(record))
        content += length + struct.pack("<I", masked_crc32c(length)) + record + struct.pack("<I", masked_crc32c(record))
    (tmp_path / "log").write_bytes(content + data.draw(st.binary(max_size=20)))
    holds(tmp_path / "log")


@fuzz(60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["lr", "loss", 5, None, b"lr"]),
            st.one_of(st.floats(), st.text(max_size=3), st.none(), st.binary(max_size=3)),
            st.one_of(st.integers(-3, 2**62), st.text(max_size=3), st.floats()),
            st.sampled_from([0, 1, None, "x"]),
        ),
        max_size=8,
    )
)
def test_databases_of_hostile_values(tmp_path, rows):
    path = tmp_path / "log.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE runs (run_uuid, name)")
        database.execute("CREATE TABLE metrics (key, value, step, is_nan, run_uuid)")
        database.execute("INSERT INTO runs VALUES ('a', NULL)")
        database.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, 'a')", rows)
    database.close()
    holds(path)


@fuzz(60)
@given(st.lists(st.lists(CELLS, max_size=4), max_size=5))
def test_mlflow_folders_of_hostile_lines(tmp_path, lines):
    metrics = tmp_path / "run" / "metrics"
    metrics.mkdir(parents=True, exist_ok=True)
    (tmp_path / "run" / "meta.yaml").write_text("!!python/object/apply:os.system ['touch /tmp/owned']")
    (metrics / "lr").write_bytes("\n".join(" ".join(line) for line in lines).encode("utf-8", "surrogatepass"))
    holds(tmp_path / "run")
