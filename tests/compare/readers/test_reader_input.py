"""Readers and wrong input: a line that says what is wrong, or what can be read, and never more than that."""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from samestep._compare.readers import Options, ReadError, read
from samestep.experiment.trace import TRACE_COLUMNS

LOGS = Path(__file__).parents[2] / "data" / "logs"


def smooth(step, initial=0.1):
    return initial * 0.97 ** np.asarray(step)  # float64 closed form of the recording scripts


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


WRONG = {
    "empty": (b"", "empty file"),
    "binary": (bytes(range(256)) * 4, "not a log that samestep reads"),
    "utf-16": ("step,lr\n0,0.1\n".encode("utf-16"), "not a log that samestep reads"),
    "header alone": (b"step,lr\n", "no row has both"),
    "no rate": (b"step,loss\n0,1\n", "not a log that samestep reads"),
    "no step": (b"lr,loss\n0.1,1\n", "not a log that samestep reads"),
    "word": (b"step,lr\n0,0.1\n1,abc\n", r"line 3: lr is 'abc', not a number"),
    "decimal comma": (b"step,lr\n0,0.1\n1,0,2\n", "line 3: 3 cells under 2 columns"),
    "decimal comma with semicolons": (b"step;lr\n0;0,1\n", "line 2: lr is '0,1', not a number"),
    "nul": (b"step,lr\n0,0.1\n1,0\x00\n", "line 3: lr is"),
    "nan": (b"step,lr\n0,0.1\n1,nan\n", "line 3: lr is 'nan'"),
    "infinite": (b"step,lr\n0,0.1\n1,inf\n2,1\n", "line 3: the rate of step 1 is inf"),
    "too large": (b"step,lr\n0,0.1\n1,1e999\n2,1\n", "line 3: the rate of step 1 is inf"),
    "negative": (b"step,lr\n0,0.1\n\n1,-0.1\n2,1\n", "line 4: the rate of step 1 is -0.1"),
    "negative step": (b"step,lr\n-1,0.1\n0,1\n", "line 2: step -1 is negative"),
    "half a step": (b"step,lr\n0,0.1\n0.5,1\n2,1\n", "line 3: step 0.5 is not a whole number"),
    "enormous step": (b"step,lr\n0,0.1\n1e300,1\n2,1\n", "line 3: step 1e\\+300 is beyond 2"),
    "infinite step": (b"step,lr\n0,0.1\ninf,1\n2,1\n", "line 3: step inf is not finite"),
    "long first line": (
        b'{"step": 0, "lr": 1, "text": "' + b"x" * 300_000 + b'"}\n{"step": 1, "lr": 1}\n',
        "first line is longer than the 262,144 bytes that are read to recognise a format: give format=json-lines",
    ),
    "late rate": (
        b'{"step": 0}\n' * 1500 + b'{"step": 1, "lr": 1}\n',
        "None of its first 1,000 lines, within 262,144 bytes",
    ),
    "open quote": (b'step,lr\n0,"0.1\n1,1\n', "unexpected end of data"),
    "latin": (b"step,lr,text\n0,0.1,a\n1,0.1,\xe9\n" + b"2,0.1,b\n" * 20_000, "not a log that samestep reads"),
    "late latin": (b"step,lr,text\n" + b"2,0.1,b\n" * 20_000 + b"1,0.1,\xe9\n1,2,x,\n", "not UTF-8|cells under"),
    "digits without end": (b"step,lr\n0," + b"1" * 200_000 + b"x\n", "line 2: lr is '1111"),
    "json bomb": (b'{"log_history": ' + b"[" * 200_000, "nested too deeply"),
    "json lines bomb": (b'{"step": 0, "lr": 1}\n' + b"[" * 200_000 + b"\n", "line 2: not a JSON object"),
    "long integer": (b'{"step": 0, "lr": 1}\n{"step": 1, "lr": 1' + b"0" * 5000 + b"}\n", "line 2: not a JSON object"),
    "huge integer": (b'{"step": 0, "lr": 1}\n{"step": 1, "lr": 1' + b"0" * 400 + b"}\n", "too large for float64"),
    "json word": (b'{"step": 0, "lr": 1}\n{"step": 1, "lr": "x"}\n', "line 2: lr is 'x', not a number"),
    "json nan": (b'{"step": 0, "lr": NaN}\n', "line 1: the rate of step 0 is nan"),
    "cut trainer state": (b'{"log_history": [{"step": 1, "learning_', "not valid JSON"),
    "trainer state without rates": (b'{"log_history": [{"step": 1, "eval_loss": 1.0}]}', "no entry of log_history"),
    "trainer state of another kind": (b'{"log_history": {"step": 1}}', "no list of objects"),
    "pickle": (b"\x80\x04cos\nsystem\n(S'touch /tmp/owned'\ntR.", "not a log that samestep reads"),
    "zip": (b"PK\x03\x04" + b"\0" * 60, "not a trace that samestep wrote"),
    "sqlite header": (b"SQLite format 3\x00" + b"\0" * 200, "not a database that MLflow wrote"),
    "own, no step": ((",".join(TRACE_COLUMNS) + "\ntorch,a,0,,,,0.1,\n").encode(), "line 2: step is empty"),
    "own, no rate": ((",".join(TRACE_COLUMNS) + "\ntorch,a,0,0,,,,\n").encode(), "line 2: lr is empty"),
    "own, long name": ((",".join(TRACE_COLUMNS) + f"\ntorch,{'a' * 999},0,0,,,1,\n").encode(), "999 characters"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_told_in_one_line(tmp_path, name):
    content, message = WRONG[name]
    path = tmp_path / "log"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=message) as raised:
        read(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 800


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"rate": "lr"}}, "'rate' is not a column of a trace"),
        ({"lr_timing": "later"}, "Write used, next or unknown"),
        ({"steps_per_epoch": 0}, "Write a whole number from 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ReadError, match=message):
        Options(**options)


def test_unknown_columns_and_formats_list_the_known(tmp_path):
    path = LOGS / "plain" / "log.csv"
    with pytest.raises(ReadError, match=r"no column 'eta'\. There are: step, epoch, lr, loss"):
        read(path, Options(columns={"lr": "eta"}))
    with pytest.raises(ReadError, match=r"Write one of samestep, tensorboard"):
        read(path, Options(format="excel"))
    with pytest.raises(ReadError, match="not a log that samestep reads"):
        read(write(tmp_path / "a.txt", "what is this\n"))


def test_step_before_the_given_base_is_an_error(tmp_path):
    with pytest.raises(ReadError, match="line 2: step 0 is before the first, 1"):
        read(write(tmp_path / "a.csv", "step,lr\n0,0.1\n"), Options(step_base=1))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "﻿", "\n\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_in_the_shapes_that_programs_write(tmp_path, end, start, separator):
    lines = [["step", "lr", "text"], ["0", "0.1", '"a, b; c"'], ["1", " 0.2", "x"], [], ["2", '"0.3"', ""]]
    path = tmp_path / "a.csv"
    path.write_bytes((start + end.join(separator.join(line) for line in lines) + end).encode())
    trace = read(path)
    assert trace.steps["step"].tolist() == [0, 1, 2]
    assert trace.steps["lr"].tolist() == [0.1, 0.2, 0.3]


def test_last_line_without_end_is_left_out_only_if_a_digit_may_be_missing(tmp_path):
    cut = read(write(tmp_path / "a.csv", "step,lr\n0,0.1\n1,0.1\n2,0.0"))
    assert cut.steps["step"].tolist() == [0, 1]
    assert "may be truncated" in cut.manifest["notes"][0]
    whole = read(write(tmp_path / "b.csv", "step,lr\n0,0.1\n1,0.1\n2,0.1"))
    assert whole.steps["step"].tolist() == [0, 1, 2]
    assert read(write(tmp_path / "c.csv", "lr,step,x\n0.1,0,a\n0.2,1,b")).steps["lr"].tolist() == [0.1, 0.2]


def test_rows_stay_as_they_are_where_a_log_overlaps_itself(tmp_path):
    trace = read(write(tmp_path / "a.csv", "step,lr,loss\n0,1,5\n1,2,6\n2,3,7\n1,4,8\n2,5,9\n"))
    assert trace.steps["step"].tolist() == [0, 1, 2, 1, 2]
    assert trace.steps["lr"].tolist() == [1, 2, 3, 4, 5]
    assert trace.steps["loss"].tolist() == [5, 6, 7, 8, 9]
    assert "first from step 2 to 1" in trace.manifest["notes"][0]


def test_folder_with_several_logs_lists_them_and_one_without_says_so(tmp_path):
    with pytest.raises(ReadError, match=r"2 logs in this folder\. Give one: every-1/metrics\.csv, every-10"):
        read(LOGS / "lightning-csv")
    with pytest.raises(ReadError, match="no log with learning rates in this folder"):
        read(tmp_path)
    with pytest.raises(ReadError, match="missing: there is no such file"):
        read(tmp_path / "missing")
    with pytest.raises(ReadError, match="not a regular file"):
        read("/dev/zero")


def test_folder_of_a_checkpoint_of_hugging_face(tmp_path):
    shutil.copytree(LOGS / "hugging-face" / "every-10", tmp_path / "out" / "checkpoint-40")
    (tmp_path / "out" / "checkpoint-40" / "config.json").write_text("{}")
    assert read(tmp_path / "out").manifest["source"] == "trainer_state.json"


def test_trainer_state_of_enormous_size_is_refused(tmp_path):
    path = write(tmp_path / "trainer_state.json", '{"log_history": [')
    with path.open("r+b") as file:
        file.truncate(2**27 + 1)  # a sparse file: no disk is used
    with pytest.raises(ReadError, match="134217729 bytes of JSON"):
        read(path)


def mlflow_of_two(tmp_path):
    path = tmp_path / "two.db"
    shutil.copy(LOGS / "mlflow" / "mlflow.db", path)
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO runs SELECT 'b', 'other', source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time FROM runs"
        )
        database.execute("INSERT INTO metrics SELECT key, value / 2, timestamp, 'b', step, is_nan FROM metrics")
    return path


def test_database_of_two_runs_asks_which(tmp_path):
    path = mlflow_of_two(tmp_path)
    with pytest.raises(ReadError, match=r"2 runs\. Name one with column.run=…: .*other \(b\)"):
        read(path)
    half = read(path, Options(columns={"run": "other"}))
    assert half.steps["lr"] == pytest.approx(smooth(half.steps["step"]) / 2)
    with pytest.raises(ReadError, match="no run 'none'"):
        read(path, Options(columns={"run": "none"}))


def test_reading_a_database_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "mlflow?.db"
    shutil.copy(LOGS / "mlflow" / "mlflow.db", path)
    before = path.read_bytes()
    read(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE VIEW metrics AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT 'lr' AS key, 1.0 AS value, 0 AS timestamp, '1' AS run_uuid, x AS step, 0 AS is_nan FROM n",
        "CREATE TABLE metrics (key TEXT, run_uuid TEXT, step INT, is_nan INT, value REAL GENERATED ALWAYS AS (length(zeroblob(900000000))))",
        "CREATE TABLE metrics (key TEXT)",
    ],
)
def test_hostile_database_is_refused(tmp_path, schema):
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE runs (run_uuid TEXT, name TEXT)")
        database.execute("INSERT INTO runs VALUES ('1', 'one')")
        database.execute(schema)
    with pytest.raises(ReadError, match=r"not MLflow's|not a database that MLflow wrote"):
        read(tmp_path / "a.db")


def test_metric_that_is_nan_is_an_error(tmp_path):
    path = tmp_path / "a.db"
    shutil.copy(LOGS / "mlflow" / "mlflow.db", path)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE metrics SET is_nan = 1, value = 0 WHERE step = 7")
    with pytest.raises(ReadError, match="row 8: the rate of step 7 is nan"):
        read(path)


def test_archive_that_unpacks_to_more_than_it_is_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", **{"steps/lr": np.zeros(1_000_000)})
    with pytest.raises(ReadError, match="compressed archive"):
        read(tmp_path / "bomb.npz")
    np.savez(tmp_path / "pickled.npz", **{"steps/lr": np.array([{}], dtype=object)})
    with pytest.raises(ReadError, match="claims more than the file holds"):
        read(tmp_path / "pickled.npz")


def test_a_rate_that_rounding_took_below_0_is_read(tmp_path):
    """PyTorch's recursions end at -1e-20 at times, which is 0; -1e-3 beside 0.1 is no rounding."""
    (tmp_path / "a.csv").write_text("step,lr\n0,0.1\n1,0.05\n2,-1e-20\n")
    assert read(tmp_path / "a.csv").steps["lr"].tolist() == [0.1, 0.05, 0.0]
    (tmp_path / "b.csv").write_text("step,lr\n0,0.1\n1,0.05\n2,-1e-3\n")
    with pytest.raises(ReadError, match=r"step 2 is -0\.001"):
        read(tmp_path / "b.csv")
