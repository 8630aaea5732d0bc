import json
import math
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from samestep.experiment.clock import Clock
from samestep.experiment.trace import (
    EPOCH_COLUMNS,
    TRACE_COLUMNS,
    Trace,
    TraceError,
    epoch_rows,
    float_text,
    json_text,
    quoted,
    read_csv,
    read_float,
    run_rows,
    unquoted,
    write_csv,
)

CLOCK = Clock(samples=10, batch_size=4)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def of_bits(number: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", number))[0]


any_float = st.integers(0, 2**64 - 1).map(of_bits) | st.floats()


@given(any_float)
@example(5e-324)
@example(-0.0)
@example(math.inf)
@example(-math.inf)
@example(of_bits(0x7FF8000000000000))
@example(of_bits(0xFFF8000000000000))
@example(of_bits(0x7FF0000000000001))
@example(of_bits(0xFFFFFFFFFFFFFFFF))
def test_float_text_keeps_every_bit(value):
    assert bits(read_float(float_text(value))) == bits(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float_text_is_the_shortest(value):
    assert float_text(value) == repr(value)


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.sampled_from(["=1+1", "-x", "'=x", "''@"])
)
def test_text_is_no_formula_in_a_spreadsheet_and_comes_back(text):
    assert quoted(text)[:1] not in ("=", "+", "-", "@") or not text
    assert unquoted(quoted(text)) == text


def test_names_like_formulas_survive_a_csv_file(tmp_path):
    table = {"arm": np.array(["=cmd", "'+x", "plain", "-1"]), "lr": np.array([1.0, -2.0, 3.0, 4.0])}
    write_csv(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text().splitlines()[1:3] == ["'=cmd,1.0", "''+x,-2.0"]
    assert read_csv(tmp_path / "t.csv", {"arm": str, "lr": float})["arm"].tolist() == table["arm"].tolist()


def trace(lr, loss):
    rows = run_rows("torch", "arm", 7, CLOCK, lr, loss)
    return Trace(rows, epoch_rows(rows, CLOCK, loss[: len(lr) // CLOCK.steps_per_epoch]), {"schema": 1})


@settings(max_examples=50)
@given(st.lists(any_float, min_size=6, max_size=6), st.lists(any_float, min_size=6, max_size=6))
@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_trace_read_back_has_the_same_bits(tmp_path_factory, ending, lr, loss):
    path = tmp_path_factory.mktemp("trace") / f"trace.{ending}"
    written = trace(lr, loss)
    written.save(path)
    read = Trace.load(path)
    for name in ("lr", "loss"):
        assert read.steps[name].tobytes() == written.steps[name].tobytes()
    assert read.epochs["train_loss"].tobytes() == written.epochs["train_loss"].tobytes()
    assert read.epochs["eval_loss"].tobytes() == written.epochs["eval_loss"].tobytes()
    assert {name: column.tolist() for name, column in read.steps.items() if column.dtype.kind != "f"} == {
        name: column.tolist() for name, column in written.steps.items() if column.dtype.kind != "f"
    }
    assert read.manifest == {"schema": 1}


def test_rows_know_their_epoch_and_batch():
    rows = run_rows("torch", "arm", 0, CLOCK, [1.0] * 6, [2.0] * 6)
    assert list(rows) == list(TRACE_COLUMNS)
    assert rows["epoch"].tolist() == [0, 0, 0, 1, 1, 1]
    assert rows["batch"].tolist() == [0, 1, 2, 0, 1, 2]


def test_train_loss_is_the_mean_over_samples_not_batches():
    rows = run_rows("torch", "arm", 0, CLOCK, [1.0] * 3, [1.0, 2.0, 6.0])
    epochs = epoch_rows(rows, CLOCK, [0.5])
    assert list(epochs) == list(EPOCH_COLUMNS)
    assert epochs["train_loss"].tolist() == [(4 * 1 + 4 * 2 + 2 * 6) / 10]


def test_csv_is_plain(tmp_path):
    trace([1e-3, 0.1, 1 / 3], [1.0, math.nan, math.inf]).save(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == (
        "framework,arm,seed,step,epoch,batch,lr,loss\n"
        "torch,arm,7,0,0,0,0.001,1.0\n"
        "torch,arm,7,1,0,1,0.1,nan\n"
        "torch,arm,7,2,0,2,0.3333333333333333,inf\n"
    )
    assert (tmp_path / "t.epochs.csv").exists()
    assert (tmp_path / "t.manifest.json").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("framework,arm\n", "no column 'seed'"),
        ("", "no column 'framework'"),
        ("framework,arm,seed,step,epoch,batch,lr,loss\ntorch,a,0,x,0,0,1,1\n", "line 2 does not fit its columns"),
        ("framework,arm,seed,step,epoch,batch,lr,loss\ntorch,a,0\n", "line 2 does not fit its columns"),
        ("framework,arm,seed,step,epoch,batch,lr,loss\ntorch,a,0,0,0,0,=1+1,1\n", "line 2 does not fit its columns"),
    ],
)
def test_table_that_does_not_fit_is_refused_with_its_line(tmp_path, text, says):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(TraceError, match=says):
        read_csv(path, TRACE_COLUMNS)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 broken", b"\x93NUMPY\x01\x00"])
def test_what_is_no_trace_is_refused(tmp_path, content):
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    with pytest.raises(TraceError, match="not a trace"):
        Trace.load(path)


def test_pickles_are_not_read(tmp_path):
    path = tmp_path / "t.npz"
    np.savez(path, manifest=np.array([{"a": 1}], dtype=object))
    with pytest.raises(TraceError, match="not a trace"):
        Trace.load(path)


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(TraceError, match=r"ends in .npz or .csv"):
        trace([1.0] * 3, [1.0] * 3).save(tmp_path / "t.parquet")


def test_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "t.csv"
    write_csv(path, {"a": [1]})
    with pytest.raises(ValueError, match="zip"):
        write_csv(path, {"a": [1, 2], "b": [1]})
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_json_stays_json_where_numbers_are_not_finite():
    value = {"a": [math.inf, -math.inf, math.nan, np.float64(1.5), np.int64(3)]}
    assert json.loads(json_text(value)) == {"a": ["inf", "-inf", "nan", 1.5, 3]}
