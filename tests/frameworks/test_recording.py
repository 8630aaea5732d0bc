"""What a recorder writes is what each update used: in every loop and trainer, after a kill, and taken up again."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import PATIENCE

from samestep.experiment.recording import Recording, not_a_loss, read_recording
from samestep.experiment.trace import TraceError, quoted, unquoted

HOUSE = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parents[1] / "programs"
HEADER = "framework,arm,seed,step,epoch,batch,lr,loss\n"

TORCH = [
    "plain",
    "loss-first",
    "loss-sometimes",
    "no-loss",
    "groups",
    "named-groups",
    "optimizers",
    "watched",
    "accumulated",
    "amp",
    "amp-fused",
    "closure",
    "compiled",
    "compiled-tensor-rate",
    "nested",
    "loaders",
    "left-open",
    "wrong-losses",
]
TRAINERS = ["lightning", "lightning-accumulated", "transformers", "transformers-accumulated"]
KERAS = [
    "schedule",
    "number",
    "scheduler",
    "plateau",
    "eager",
    "jit",
    "executions",
    "executions-jit",
    "many-executions",
    "progress-bar",
    "accumulated",
    "validated",
    "resumed",
    "started",
    "two-losses",
    "loop",
    "loop-eager",
    "loop-xla",
    "loop-log-first",
    "scaled",
    "unnoticed",
    "mixed-names",
    "nothing-left",
    "broken-off",
    "not-trained",
    "wrong-losses",
]


def run(program, folder):
    done = subprocess.run(
        [sys.executable, PROGRAMS / program, folder], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]), folder, done.stderr


@pytest.fixture(scope="module")
def in_torch(tmp_path_factory):
    return run("record_torch.py", tmp_path_factory.mktemp("torch"))


@pytest.fixture(scope="module")
def in_trainers(tmp_path_factory):
    return run("record_trainers.py", tmp_path_factory.mktemp("trainers"))


@pytest.fixture(scope="module")
def in_keras(tmp_path_factory):
    return run("record_tensorflow.py", tmp_path_factory.mktemp("keras"))


def by_arm(path):
    rows = read_recording(path)
    assert (rows["seed"] == 0).all()
    return {arm: {name: rows[name][rows["arm"] == arm] for name in rows} for arm in dict.fromkeys(rows["arm"].tolist())}


def same_losses(found, told):
    return np.array_equal(found, np.array([np.nan if each is None else each for each in told]), equal_nan=True)


def check_torch(told, folder, name):
    arms = by_arm(folder / f"{name}.csv")
    assert set(arms) == set(told[name])
    for arm, rows in arms.items():
        # a group that is added later begins where the optimizer is
        assert rows["step"].tolist() == list(range(rows["step"][-1] + 1))[-len(told[name][arm]) :]
        assert rows["lr"].tolist() == [rate for rate, _ in told[name][arm]]
        assert same_losses(rows["loss"], [loss for _, loss in told[name][arm]])
        assert set(rows["framework"].tolist()) == {"torch"}


@pytest.mark.parametrize("name", TORCH)
def test_torch_row_is_the_update_that_was_made(in_torch, name):
    told, folder, _ = in_torch
    assert set(told) == set(TORCH)
    check_torch(told, folder, name)


@pytest.mark.parametrize("name", TRAINERS)
def test_row_of_a_trainer_is_the_update_that_was_made(in_trainers, name):
    told, folder, _ = in_trainers
    assert set(told) == set(TRAINERS)
    check_torch(told, folder, name)


def test_epoch_and_batch_are_those_of_the_steps_per_epoch_and_else_unknown(in_torch):
    _, folder, _ = in_torch
    known, unknown = (read_recording(folder / name) for name in ("plain.csv", "watched.csv"))
    assert known["epoch"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert known["batch"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert set(unknown["epoch"].tolist()) == set(unknown["batch"].tolist()) == {-1}
    assert ",,," in (folder / "watched.csv").read_text().splitlines()[1]


@pytest.mark.parametrize("name", KERAS)
def test_keras_row_is_the_update_that_was_made(in_keras, name):
    told, folder, _ = in_keras
    assert set(told) == set(KERAS)
    case, rows = told[name], read_recording(folder / f"{name}.csv")
    assert case["found"] == case["weight"]  # the rates that are expected are those that moved the weight
    step, epoch, batch, rate, loss = zip(*case["rows"], strict=True) if case["rows"] else ((),) * 5
    assert rows["step"].tolist() == list(step)
    assert rows["lr"].tolist() == list(rate)
    if name == "scaled":
        return
    assert rows["epoch"].tolist() == list(epoch)
    assert rows["batch"].tolist() == list(batch)
    assert same_losses(rows["loss"], loss)
    assert set(rows["framework"].tolist()) <= {"tensorflow"}


def test_arms_of_keras_are_named_as_those_of_pytorch(in_keras):
    _, folder, _ = in_keras
    assert set(read_recording(folder / "mixed-names.csv")["arm"].tolist()) == {"SGD", "SGD-1", "Adam"}


def test_keras_says_what_it_resumed_and_what_it_did_not_note(in_keras):
    _, folder, said = in_keras
    lines = [line for line in said.splitlines() if str(folder) in line or "no update was noted" in line]
    assert lines == [
        f"{folder}/resumed.csv: resumed recording, SGD after step 9.",
        f"{folder}/resumed.csv: resumed recording, SGD after step 14.",
        f"{folder}/started.csv: resumed recording, SGD after step 9, from step 5. Recorded again, and kept twice: SGD steps 5 to 9.",
        "SGD: no update was noted. Watch the optimizer before its step is compiled.",
        *(f"{folder}/broken-off.csv: resumed recording, SGD after step {step}." for step in (1, 5, 7)),
    ]


def test_manifest_says_how_it_was_recorded(in_keras):
    _, folder, _ = in_keras
    manifest = json.loads((folder / "started.manifest.json").read_text())
    assert manifest["schema"] == 1
    assert manifest["conventions"] == {"step_base": 0, "lr_timing": "used", "loss_kind": "batch"}
    assert set(manifest["versions"]) == {"python", "tensorflow", "keras"}
    first, second = manifest["recorded"]
    assert (first["start"], first["resumed_after"], first["overlap"]) == (None, {}, {})
    assert (second["start"], second["resumed_after"], second["overlap"]) == (5, {"SGD": 9}, {"SGD": [5, 9]})


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_killed_process_loses_at_most_its_last_second(tmp_path, framework):
    path = tmp_path / "run.csv"
    process = subprocess.Popen(
        [sys.executable, PROGRAMS / "record_killed.py", framework, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    times = [float(process.stdout.readline())]  # the frameworks take seconds to import
    while times[-1] < times[0] + 2.3 or len(times) < 200:
        times.append(float(process.stdout.readline()))
    process.kill()
    killed = time.time()
    times += [float(line) for line in process.communicate()[0].splitlines()]
    rows = read_recording(path)
    assert 100 < len(rows["step"]) <= len(times) + 1
    assert rows["step"].tolist() == list(range(len(rows["step"])))
    assert np.isfinite(rows["lr"]).all()
    stood_still = np.diff([*times, killed]).max()  # on a busy machine nothing runs for a while, the writer neither
    assert len(rows["step"]) >= sum(each < killed - 1 - stood_still for each in times)


def recording(path, framework="torch", start=None, steps_per_epoch=None):
    made = Recording(framework, {}, path, None, steps_per_epoch, start)
    made.reopen()
    return made


def fill(path, updates, **how):
    """A recording of so many updates of one optimizer with two groups, the second named as a formula is."""
    made = recording(path, **how)
    source = made.updates.source("Adam", [None, "=1+1"])
    for update in range(updates):
        made.updates.commit(source, [0.5**update, 0.1], float(update))
    made.close()
    return source


def test_unfinished_last_line_is_no_row_and_is_cut_off_before_more_is_written(tmp_path, caplog):
    path = tmp_path / "run.csv"
    fill(path, 3)
    whole = path.read_text()
    for cut in range(len(whole)):  # killed at every byte
        path.write_text(whole[:cut])
        complete = max(0, whole[:cut].count("\n") - 1)
        assert len(read_recording(path)["step"]) == complete
        fill(path, 1)
        rows = read_recording(path)
        assert len(rows["step"]) == complete + 2
        kept = whole[: whole[:cut].rfind("\n") + 1] or HEADER
        assert path.read_text().startswith(kept)
        for arm in ("Adam/pg1", "Adam/=1+1"):
            of_arm = rows["step"][rows["arm"] == arm]
            assert len(set(of_arm.tolist())) == len(of_arm)
    assert "resumed recording" in caplog.text


def test_resumed_steps_go_on_where_the_optimizer_was(tmp_path):
    path = tmp_path / "run.csv"
    fill(path, 3, steps_per_epoch=2)
    assert fill(path, 2, steps_per_epoch=2).step == 5
    rows = read_recording(path)
    assert rows["step"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert rows["epoch"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert rows["loss"].tolist() == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1]


def test_every_bit_of_a_rate_comes_back(tmp_path):
    path = tmp_path / "run.csv"
    rates = [*np.random.default_rng(0).random(100).tolist(), 0.0, -0.0, 5e-324, float("inf"), float("nan")]
    made = recording(path)
    source = made.updates.source("Adam", [None])
    for rate in rates:
        made.updates.commit(source, [rate], rate)
    made.close()
    rows = read_recording(path)
    for name in ("lr", "loss"):
        assert rows[name].tobytes() == np.array(rates).tobytes()


def test_rows_appear_while_the_run_goes_on_with_a_loss_that_comes_late(tmp_path):
    path = tmp_path / "run.csv"
    made = recording(path)
    source = made.updates.source("Adam", [None])
    for update in range(3):
        made.updates.commit(source, [0.1])
        made.flush()
        assert len(read_recording(path)["step"]) == update + 1
        if update != 1:
            made.updates.log(1 / 3)
        made.flush()
        assert same_losses(read_recording(path)["loss"], [1 / 3, None, 1 / 3][: update + 1])
    made.updates.commit(source, [0.1])
    deadline = time.time() + PATIENCE
    while len(read_recording(path)["step"]) < 4:  # nobody flushes but the thread
        assert time.time() < deadline
        time.sleep(0.05)
    made.close()


def test_disk_that_is_full_for_a_while_costs_no_row(tmp_path):
    program = f"""
import resource, signal
from samestep.experiment.recording import Recording
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
made = Recording("torch", {{}}, {str(tmp_path / "run.csv")!r}, None, None, None)
made.reopen()
source = made.updates.source("Adam", [None])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
for update in range(500):
    made.updates.commit(source, [0.125], 0.5)
    if update % 10 == 0:
        made.flush()
    if update == 300:
        text = open({str(tmp_path / "run.csv")!r}).read()
        assert len(text) <= 1000 and text.endswith("\\n"), text[-50:]
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
made.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"{tmp_path}/run.csv: File too large. Rows are kept and tried again.\n"
    assert read_recording(tmp_path / "run.csv")["step"].tolist() == list(range(500))


WRONG = {
    "no-folder": (lambda folder: folder / "there" / "run.csv", "there is no folder .*Make it first"),
    "folder": (lambda folder: folder / "a.csv", "is a folder. Name a file"),
    "folder-without-ending": (lambda folder: folder / "made", "made is a folder. Name a file, like .*made/run.csv"),
    "broken-link": (lambda folder: folder / "link.csv", "is a link to nowhere.csv, which is not there. Remove it, or"),
    "pipe": (lambda folder: folder / "pipe.csv", "is no regular file. Name a file"),
    "ending": (lambda folder: folder / "run.txt", "ends in .csv"),
    "foreign": (lambda folder: folder / "foreign.csv", "is not a recording: it begins without framework,arm"),
    "binary": (lambda folder: folder / "binary.csv", "is not a recording"),
    "other-framework": (lambda folder: folder / "keras.csv", "holds rows of tensorflow. Record torch into another"),
    "bad-row": (lambda folder: folder / "bad.csv", "line 3 is not a recorded row"),
    "foreign-manifest": (lambda folder: folder / "other.csv", "other.manifest.json is there and belongs to no"),
    "long-name": (lambda folder: folder / ("x" * 300 + ".csv"), "File name too long"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_recorded_into_is_one_line_and_stays_as_it_was(tmp_path, name):
    make, said = WRONG[name]
    row = "torch,Adam,0,0,,,0.1,\n"
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "made").mkdir()
    (tmp_path / "link.csv").symlink_to("nowhere.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "foreign.csv").write_text("epoch,loss\n0,1\n")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "keras.csv").write_text(HEADER + row.replace("torch", "tensorflow"))
    (tmp_path / "bad.csv").write_text(HEADER + row + "torch,Adam,0,one,,,0.1,\n" + row)
    (tmp_path / "other.manifest.json").write_text('{"name": "mine"}')
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    with pytest.raises(TraceError, match=said) as error:
        recording(make(tmp_path))
    assert "\n" not in str(error.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"start": -1}, "start: -1 is not a whole number from 0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch: 0 is not a whole number from 1"),
        ({"steps_per_epoch": 2.5}, "steps_per_epoch: 2.5 is"),
    ],
)
def test_wrong_argument_is_named(tmp_path, how, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        recording(tmp_path / "run.csv", **how)
    assert not (tmp_path / "run.csv").exists()


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("", ValueError, "path: got ''. Give a file's name that ends in .csv"),
        (5, TypeError, "path: got 5 of type int. Give a file's name"),
    ],
)
def test_path_that_is_none_is_named(path, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        Recording("torch", {}, path, None, None, None)


def test_nothing_is_made_before_recording_begins(tmp_path):
    made = Recording("torch", {}, tmp_path / "run.csv", None, None, None)
    assert list(tmp_path.iterdir()) == []
    made.close()  # and nothing by one that never began
    assert list(tmp_path.iterdir()) == []


def test_training_that_was_broken_off_is_taken_over(tmp_path):
    path = tmp_path / "run.csv"
    first = recording(path)
    first.updates.commit(first.updates.source("Adam", [None]), [0.5])
    first.is_over = lambda: True
    second = recording(path)
    second.updates.commit(second.updates.source("Adam", [None]), [0.25])
    second.close()
    rows = read_recording(path)
    assert (rows["step"].tolist(), rows["lr"].tolist()) == ([0, 1], [0.5, 0.25])


@pytest.mark.parametrize(
    ("loss", "kind", "said"),
    [
        ("x", TypeError, "log: got 'x' of type str. Give a number"),
        (None, TypeError, "log: got None of type NoneType. Give a number"),
        (np.zeros(2), ValueError, "log: got a tensor of shape (2,). Give one value, like loss.mean()"),
        (np.zeros(0), ValueError, "log: got a tensor of shape (0,)"),
    ],
)
def test_loss_that_is_none_is_named(loss, kind, said):
    error = not_a_loss(loss)
    assert type(error) is kind
    assert said in str(error)
    assert "\n" not in str(error)


def test_one_recorder_at_a_time(tmp_path):
    path = tmp_path / "run.csv"
    first = recording(path)
    with pytest.raises(TraceError, match="is being recorded by another recorder"):
        recording(path)
    first.close()
    recording(path).close()


@pytest.mark.parametrize("text", ["=1", "+a", "-head", "@x", "'=1", "''@", "'plain", "Adam", "", "a=b", "'"])
def test_text_like_a_formula_is_quoted_and_comes_back(text):
    assert unquoted(quoted(text)) == text
    assert quoted(text)[:1] not in "=+-@" or not text


@pytest.mark.parametrize("package", ["torch_impl", "tf_impl"])
def test_recorder_is_imported_only_when_asked_for(package):
    program = f"import sys, {package}; print({{'torch', 'keras'}} & set(sys.modules)); {package}.nothing"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "set()\n"
    assert f"AttributeError: module '{package}' has no attribute 'nothing'" in done.stderr


@pytest.mark.parametrize("package", ["torch_impl", "tf_impl"])
def test_examples_of_the_recorders_run(package):
    program = f"import doctest; from {package} import recorder; print(doctest.testmod(recorder))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("TestResults(failed=0, attempted="), done.stdout


PAGE = (HOUSE / "docs" / "recording.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_python_of_the_page_runs(tmp_path, framework):
    """All blocks of one framework in one process, and what reads the file, as somebody who reads on would run them."""
    reading = [block for block in BLOCKS if "from samestep.experiment" in block]
    recording = [block for block in BLOCKS if f"import {framework}\n" in block]
    assert len(BLOCKS) == 5
    assert (len(recording), len(reading)) == (2, 1)
    code = "\n".join([*recording, *reading, "assert rows['step'].tolist() == list(range(len(rows['lr']))) != []"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_page_names_what_the_file_and_its_manifest_hold(in_keras):
    _, folder, _ = in_keras
    manifest = json.loads((folder / "started.manifest.json").read_text())
    for key in {*manifest, *manifest["recorded"][0]}:
        assert f"`{key}`" in PAGE, key
