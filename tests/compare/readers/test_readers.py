"""The readers on logs that the real programs wrote; `tests/data/record` has the scripts that recorded them."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from samestep._compare.rates import Rates
from samestep._compare.readers import FORMATS, Options, ReadError, mlflow_files, own, read, rounding
from samestep.experiment.trace import EPOCH_COLUMNS, TRACE_COLUMNS, Trace

DATA = Path(__file__).parents[2] / "data"
LOGS = DATA / "logs"
EPOCHS = Options(steps_per_epoch=20)
FLOAT32 = 8 * float(np.finfo(np.float32).eps)


def smooth(step, initial=0.1):
    return initial * 0.97 ** np.asarray(step)  # float64 closed form of the recording scripts


def used(name):
    """What the update hook or the batch callback noted beside the log: [step or epoch, rate]."""
    with (DATA / "used" / f"{name}.csv").open() as file:
        return np.array([[float(cell) for cell in row] for row in list(csv.reader(file))[1:]])


def arm(trace, name):
    rows = trace.steps["arm"] == name
    return {column: values[rows] for column, values in trace.steps.items()}


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


PLAIN = {
    "plain/log.csv": ("csv", Options(), "lr", 1e-15),
    "plain/semicolons.csv": ("csv", Options(), "lr", 1e-15),
    "plain/log.jsonl": ("json-lines", Options(), "lr", 1e-15),
    "plain/other-names.jsonl": (
        "json-lines",
        Options(columns={"step": "global_step", "lr": "optim.rate"}, step_base=1),
        "optim.rate",
        1e-15,
    ),
    "plain/six-digits.csv": ("csv", Options(), "lr", 5e-6),
    "torch-tensorboard/scalars": ("tensorboard", Options(), "train/learning_rate", FLOAT32),
    "torch-tensorboard/tensors": ("tensorboard", Options(), "train/learning_rate", FLOAT32),
    "torch-tensorboard/doubles": ("tensorboard", Options(), "train/learning_rate", 1e-15),
    "torch-tensorboard/double-precision-alone": ("tensorboard", Options(), "train/learning_rate", FLOAT32),
    "wandb/history.csv": ("wandb", Options(), "train/learning_rate", 1e-15),
    "wandb/chart.csv": ("wandb", Options(), "smooth-run - train/learning_rate", 1e-15),
    "mlflow/mlflow.db": ("mlflow-sqlite", Options(), "learning_rate", 1e-15),
    "mlflow/mlruns": ("mlflow", Options(), "learning_rate", 1e-15),
}


@pytest.mark.parametrize("log", PLAIN)
def test_log_of_a_smooth_decay_has_the_closed_forms_rates(log):
    form, options, name, tolerance = PLAIN[log]
    trace = read(LOGS / log, options)
    assert trace.manifest["format"] == form
    assert set(trace.steps) == set(TRACE_COLUMNS)
    assert set(trace.epochs) == set(EPOCH_COLUMNS)
    assert set(trace.steps["arm"]) == {name}
    assert trace.steps["step"].tolist() == list(range(100 if "plain" in log or "torch" in log else 60))
    assert trace.steps["lr"] == pytest.approx(smooth(trace.steps["step"]), rel=tolerance, abs=0)
    assert (trace.steps["epoch"] == -1).all()


@pytest.mark.parametrize("log", [log for log in PLAIN if log not in ("plain/other-names.jsonl", "wandb/chart.csv")])
def test_losses_stand_beside_their_updates(log):
    trace = read(LOGS / log, PLAIN[log][1])
    if "plain" in log or "torch" in log:
        with (LOGS / "plain" / "log.csv").open() as file:
            expected = [float(row["loss"]) for row in csv.DictReader(file)]
    else:  # one weight from 1, loss w * w: each update takes 2 * rate * w off
        weights = np.cumprod(np.concatenate([[1.0], 1 - 2 * smooth(np.arange(59))]))
        expected = weights**2
    digits = 1e-5 if "six" in log or "mlflow" in log or "wandb" in log else FLOAT32
    assert trace.steps["loss"] == pytest.approx(np.array(expected), rel=digits)


@pytest.mark.parametrize("kind", ["lightning-csv", "lightning-tensorboard"])
@pytest.mark.parametrize("every", [1, 10])
def test_lightning_logs_the_rate_that_was_used_for_each_group(kind, every):
    trace = read(LOGS / kind / f"every-{every}")
    assert trace.manifest["conventions"]["lr_timing"] == "used"
    assert trace.manifest["conventions"]["step_base"] == 0
    for name, initial in (("lr-SGD/pg1", 0.1), ("lr-SGD/pg2", 0.01)):
        rows = arm(trace, name)
        assert rows["step"].tolist() == list(range(every - 1, 40, every))
        assert rows["lr"] == pytest.approx(
            smooth(rows["step"], initial), rel=1e-14 if "csv" in kind else FLOAT32, abs=0
        )
        assert np.isfinite(rows["loss"]).all()


def test_double_precision_alone_does_not_make_tensorboard_write_doubles():
    precisions = {
        name: read(LOGS / "torch-tensorboard" / name).manifest["conventions"]["precision"]
        for name in ("scalars", "tensors", "double-precision-alone", "doubles")
    }
    assert precisions == dict.fromkeys(("scalars", "tensors", "double-precision-alone"), "float32") | {
        "doubles": "float64"
    }


def test_lightning_writes_the_same_losses_into_both_of_its_logs():
    first, second = (
        arm(read(LOGS / kind / "every-10"), "lr-SGD/pg1") for kind in ("lightning-csv", "lightning-tensorboard")
    )
    assert first["loss"].astype(np.float32).tolist() == second["loss"].astype(np.float32).tolist()


@pytest.mark.parametrize(("name", "steps"), [("every-1", 40), ("every-10", 4), ("first-step", 3)])
def test_hugging_face_logs_the_rate_that_was_used_and_counts_from_1(name, steps):
    trace = read(LOGS / "hugging-face" / name)
    by_step = dict(used(f"hugging-face-{name}").tolist())
    assert trace.manifest["conventions"] | {"loss_kind": ""} == {
        "step_base": 1,
        "lr_timing": "used",
        "loss_kind": "",
        "precision": "float64",
    }
    assert len(trace.steps["step"]) == steps
    assert trace.steps["lr"].tolist() == [by_step[step] for step in trace.steps["step"].tolist()]
    said = "36973" if name == "every-10" else "The rate of the first update is 0.0"
    assert any(said in sentence for sentence in trace.manifest["assumed"])


def test_keras_csv_logger_has_the_rate_of_each_epochs_updates():
    trace = read(LOGS / "keras-csv" / "scheduler.csv", EPOCHS)
    assert trace.steps["step"].tolist() == [0, 20, 40, 60, 80, 100]
    assert trace.steps["epoch"].tolist() == [0, 1, 2, 3, 4, 5]
    assert trace.steps["lr"].tolist() == [float(np.float32(0.1 * 0.5 ** (epoch // 2))) for epoch in range(6)]
    assert trace.manifest["conventions"]["precision"] == "float32"
    plateau = read(LOGS / "keras-csv" / "plateau.csv", EPOCHS)
    assert plateau.steps["lr"].tolist() == used("keras-csv-plateau")[:, 1].tolist()


def test_keras_csv_logger_without_a_rate_is_told_as_such():
    with pytest.raises(ReadError, match="wrote no learning rate"):
        read(LOGS / "keras-csv" / "none.csv", EPOCHS)


@pytest.mark.parametrize("log", ["keras-csv/scheduler.csv", "keras-tensorboard/epoch"])
def test_logs_of_epochs_ask_for_the_steps_in_one(log):
    with pytest.raises(ReadError, match=r"--samples and --batch-size, or --steps-per-epoch"):
        read(LOGS / log)


@pytest.mark.parametrize("name", ["epoch", "batch"])
def test_keras_tensorboard_logs_the_next_epochs_first_rate(name):
    trace = read(LOGS / "keras-tensorboard" / name, EPOCHS)
    assert trace.manifest["conventions"]["lr_timing"] == "next"
    assert trace.steps["step"].tolist() == [20, 40, 60, 80, 100, 120]
    drift = 120 * abs(float(np.float32(0.97)) - 0.97) / 0.97  # float32's rounding of the decay rate
    assert trace.steps["lr"] == pytest.approx(smooth(trace.steps["step"]), rel=FLOAT32 + drift)


def test_keras_tensorboard_logs_the_epochs_own_rate_under_learning_rate_scheduler():
    options = Options(steps_per_epoch=20, lr_timing="used")
    own = read(LOGS / "keras-tensorboard" / "scheduler", options)
    of_csv = read(LOGS / "keras-csv" / "scheduler.csv", EPOCHS)
    for column in ("step", "lr"):
        assert own.steps[column].tolist() == of_csv.steps[column].tolist()
    assert own.steps["loss"] == pytest.approx(of_csv.steps["loss"], rel=1e-6)


def test_keras_tensorboard_logs_the_next_epochs_rate_under_reduce_lr_on_plateau():
    trace = read(LOGS / "keras-tensorboard" / "plateau", EPOCHS)
    assert trace.steps["step"].tolist()[:5] == [20, 40, 60, 80, 100]
    assert trace.steps["lr"].tolist()[:5] == used("keras-tensorboard-plateau")[1:, 1].tolist()


def test_tensorboard_is_read_without_tensorflow_and_without_thinning(tmp_path):
    program = f"""
import sys
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter({str(tmp_path)!r}) as writer:
    for step in range(12_000):
        writer.add_scalar("lr", 0.5, step)
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    program = f"""
import importlib.util, sys
from samestep._compare.readers import read
assert importlib.util.find_spec("tensorflow")
assert len(read({str(tmp_path)!r}).steps["lr"]) == 12_000  # EventAccumulator keeps 10,000 scalars unless told
assert not {{"tensorflow", "torch", "keras"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_tensorboard_missing_is_told_with_the_way_to_install_it():
    program = f"""
import sys
sys.modules["tensorboard"] = None
from samestep._compare.readers import ReadError, read
try:
    read({str(LOGS / "torch-tensorboard" / "scalars")!r})
except ReadError as error:
    assert "pip install 'samestep[tensorboard]'" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_importing_the_readers_takes_no_pandas():
    program = "import sys, compare.readers; assert not {'pandas', 'tensorboard', 'sqlite3.dbapi2x'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_event_files_of_two_runs_in_one_folder_are_refused(tmp_path):
    (event,) = (LOGS / "torch-tensorboard" / "scalars").iterdir()
    for name in ("1", "2"):
        shutil.copy(event, tmp_path / f"events.out.tfevents.{name}")
    with pytest.raises(
        ReadError, match=r"2 runs .* step 0\. Give one: events\.out\.tfevents\.1, events\.out\.tfevents\.2"
    ):
        read(tmp_path)


def test_event_files_of_a_resumed_run_are_one_log(tmp_path):
    program = f"""
from torch.utils.tensorboard import SummaryWriter
for begin, end in ((0, 60), (50, 100)):
    with SummaryWriter({str(tmp_path)!r}, filename_suffix=str(begin)) as writer:
        for step in range(begin, end):
            writer.add_scalar("lr", 0.1 * 0.97 ** step, step)
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    trace = read(tmp_path)
    assert trace.steps["step"].tolist() == [*range(60), *range(50, 100)]
    assert "steps repeat or go back 1 times, first from step 59 to 50" in trace.manifest["notes"][0]


@pytest.mark.parametrize(("cut", "rates", "losses"), [(5, 100, 99), (5000, 52, 52), (10_500, 0, 0)])
def test_cut_event_file_is_read_as_far_as_it_goes(tmp_path, cut, rates, losses):
    (event,) = (LOGS / "torch-tensorboard" / "scalars").iterdir()
    path = tmp_path / "cut"
    path.write_bytes(event.read_bytes()[:-cut])
    if not rates:
        with pytest.raises(ReadError, match="no rate among the tags"):
            read(path)
        return
    trace = read(path)
    assert (len(trace.steps["lr"]), int(np.isfinite(trace.steps["loss"]).sum())) == (rates, losses)
    assert "ends within a record" in trace.manifest["notes"][0]


def test_damaged_event_file_says_what_was_left_out(tmp_path):
    (event,) = (LOGS / "torch-tensorboard" / "scalars").iterdir()
    data = bytearray(event.read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "damaged").write_bytes(data)
    try:
        trace = read(tmp_path / "damaged")
    except ReadError:
        return  # the byte hit was a length
    assert len(trace.steps["step"]) < 100
    assert any("damaged" in note or "ends within" in note for note in trace.manifest["notes"])


def test_event_record_that_claims_more_than_the_file_takes_no_memory(tmp_path):
    (event,) = (LOGS / "torch-tensorboard" / "scalars").iterdir()
    path = tmp_path / "hostile"
    path.write_bytes(event.read_bytes() + (2**62).to_bytes(8, "little") + b"\0" * 20)
    trace = read(path)
    assert len(trace.steps["step"]) == 100
    assert "ends within a record" in trace.manifest["notes"][0]


@pytest.mark.parametrize(
    ("cells", "precision", "half"),
    [
        (["0.1", "0.097", "0.09409", "0.0912673", "0.08852928"], "7 digits", 5e-8),
        (["0.1", "0.05", "0.025", "0.0125"], "6 digits", 5e-7),
        (["0.001"] * 4, "6 digits", 5e-9),
        (["0.100000", "0.097000", "0.094090", "0.000012"], "6 decimals", 5e-7),
        (["1.000e-01", "9.700e-02", "9.409e-02"], "4 digits", 5e-5),
        (["1e-4", "1e-5", "2e-5"], "6 digits", 5e-10),
        (["0.1", "0.30000000000000004"], "float64", 0),
        (["0.10000000149011612", "0.05000000074505806"], "float32", 0),
        (["0.5", "0.25"], "6 digits", 5e-7),
    ],
)
def test_rounding_follows_the_digits_that_were_written(tmp_path, cells, precision, half):
    rows = "".join(f"{step},{cell},x\n" for step, cell in enumerate(cells))
    trace = read(write(tmp_path / "log.csv", f"step,lr,word\n{rows}"))
    assert trace.manifest["conventions"]["precision"] == precision
    assert rounding(trace)[0] == pytest.approx(half)
    assert len(Rates.of(trace.steps["step"], trace.steps["lr"], rounding(trace))) == len(cells)


def test_rounding_covers_what_six_digits_take_away():
    trace = read(LOGS / "plain" / "six-digits.csv")
    apart = np.abs(trace.steps["lr"] - smooth(trace.steps["step"]))
    assert (apart <= rounding(trace) * (1 + 1e-9)).all()
    assert apart.max() > 0.5 * rounding(trace)[apart.argmax()]


def test_docs_say_what_each_reader_declares():
    lines = (DATA.parents[1] / "docs" / "reading.md").read_text(encoding="utf-8").splitlines()
    rows = {cells[1].strip(" `"): cells for line in lines if len(cells := line.split("|")) == 8}
    for name, module in {"samestep": own, "mlflow": mlflow_files, **FORMATS}.items():
        assert f"`{name}`" in rows[name][1]
        assert rows[name][3].strip().startswith(str(module.STEP_BASE))
        assert rows[name][4].strip().startswith(module.LR_TIMING)
        assert rows[name][5].strip().startswith(module.LOSS_KIND)


def test_options_win_over_what_the_reader_declares(tmp_path):
    path = write(tmp_path / "a.csv", "global_step;learning_rate;l\n1;0.1;3\n2;0.2;2\n3;0.3;1\n")
    options = Options(columns={"loss": "l"}, step_base=1, lr_timing="next", loss_kind="mine", steps_per_epoch=2)
    trace = read(path, options)
    assert trace.steps["step"].tolist() == [1, 2, 3]
    assert trace.steps["lr"].tolist() == [0.1, 0.2, 0.3]
    assert trace.steps["loss"].tolist()[:2] == [2.0, 1.0]  # the loss stays with its own update
    assert np.isnan(trace.steps["loss"][2])
    assert trace.steps["epoch"].tolist() == [0, 1, 1]
    assert trace.steps["batch"].tolist() == [1, 0, 1]
    conventions = trace.manifest["conventions"]
    assert (conventions["step_base"], conventions["lr_timing"], conventions["loss_kind"]) == (1, "next", "mine")


def test_table_that_counts_epochs_alone_is_a_log_of_epochs(tmp_path):
    path = write(tmp_path / "a.csv", "epoch,lr,loss\n1,0.1,3\n2,0.05,2\n")
    trace = read(path, Options(steps_per_epoch=20, step_base=1))
    assert trace.manifest["format"] == "csv"
    assert trace.steps["step"].tolist() == [0, 20]
    with pytest.raises(ReadError, match="one row per epoch"):
        read(path)


def test_content_decides_and_not_the_name(tmp_path):
    for log, form in (("lightning-csv/every-1/metrics.csv", "lightning"), ("plain/log.jsonl", "json-lines")):
        shutil.copy(LOGS / log, tmp_path / "trainer_state.csv")
        assert read(tmp_path / "trainer_state.csv").manifest["format"] == form


def test_manifest_is_json_and_says_what_was_assumed():
    trace = read(LOGS / "plain" / "log.csv")
    assert json.loads(json.dumps(trace.manifest)) == trace.manifest
    assert "lr_timing=…" in trace.manifest["assumed"][0]
    assert trace.manifest["source"] == "log.csv"


def test_log_whose_first_step_is_1_is_kept_and_said(tmp_path):
    trace = read(write(tmp_path / "a.csv", "step,lr\n1,0.1\n2,0.2\n"))
    assert trace.steps["step"].tolist() == [1, 2]
    assert any("step_base=1" in sentence for sentence in trace.manifest["assumed"])


def test_own_files_read_as_they_were_written(tmp_path):
    rows = {
        "framework": np.array(["torch", "tensorflow", "torch"]),
        "arm": np.array(["=SUM(A1)", "Adam/pg1", "-x"]),
        "seed": np.array([0, 3, 0]),
        "step": np.array([0, 0, 1]),
        "epoch": np.array([0, 0, 0]),
        "batch": np.array([0, 0, 1]),
        "lr": np.array([0.1, 0.30000000000000004, 5e-324]),
        "loss": np.array([1.0, np.inf, np.nan]),
    }
    epochs = {name: np.array([], dtype=kind) for name, kind in EPOCH_COLUMNS.items()}
    trace = Trace(rows, epochs, {"schema": 1})
    trace.save(tmp_path / "a.npz")
    trace.save(tmp_path / "a.csv")
    for name in ("a.npz", "a.csv"):
        again = read(tmp_path / name)
        for column, values in rows.items():
            if column == "loss":
                assert np.array_equal(again.steps[column], values, equal_nan=True)
            else:
                assert again.steps[column].tolist() == values.tolist()
        assert not rounding(again).any()


def test_recording_has_empty_cells_and_an_unfinished_line(tmp_path):
    header = ",".join(TRACE_COLUMNS)
    text = f"{header}\ntorch,'=1+1,0,0,,,0.1,\ntorch,Adam,0,1,0,1,0.25,nan(0x1)\ntorch,Adam,0,2,,,0.0"
    trace = read(write(tmp_path / "run.csv", text))
    assert trace.steps["arm"].tolist() == ["=1+1", "Adam"]
    assert trace.steps["epoch"].tolist() == [-1, 0]
    assert np.isnan(trace.steps["loss"]).all()
    assert "still being written" in trace.manifest["notes"][-1]


def test_pairs_of_runs_are_all_readable():
    pairs = json.loads((DATA / "pairs" / "pairs.json").read_text())
    assert len(pairs) >= 11
    for name, pair in pairs.items():
        first, second = (read(DATA / "pairs" / pair[side]) for side in ("a", "b"))
        assert len(first.steps["lr"]) == len(second.steps["lr"]) >= 200, name
        assert first.steps["step"].tolist() == second.steps["step"].tolist()
        assert (first.steps["lr"] != second.steps["lr"]).any()


def test_weights_loaded_before_compiling_start_the_rate_again():
    first, second = (read(DATA / "pairs" / "resume-load-weights" / f"{side}.csv").steps["lr"] for side in "ab")
    assert first[:160].tolist() == second[:160].tolist()
    assert first[:160].tolist() == second[160:].tolist()


def test_step_lr_rebuilt_over_a_loaded_optimizer_decays_once_more():
    first, second = (read(DATA / "pairs" / "resume-rebuilt-scheduler" / f"{side}.csv").steps["lr"] for side in "ab")
    assert first[:150].tolist() == second[:150].tolist()
    assert set((second[150:] / first[150:]).tolist()) == {0.5}
