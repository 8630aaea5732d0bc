"""`samestep explain`, `simulate` and `translate` from outside."""

import csv
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from helpers import PATIENCE, samestep

QUESTION = "exponential:initial=1e-3,factor=0.95,every=25 steps,staircase"
RUN = ("--samples", "1000", "--batch-size", "32", "--epochs", "50")


def explained(schedule, *options):
    done = samestep("explain", schedule, *(options or RUN), "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_question_is_explained():
    told = explained(QUESTION)
    assert told["steps_per_epoch"] == 32
    assert told["changes"] == 63
    assert told["first_change"] == {"step": 25, "epoch": 0, "batch": 25}
    assert told["final_rate"] == pytest.approx(1e-3 * 0.95**63, rel=1e-14)
    assert len(told["warnings"]) == len(told["advice"]) == 1
    assert "25 steps are less than an epoch of 32 steps" in told["warnings"][0]
    assert "perhaps 25 epochs were meant" in told["warnings"][0]
    assert "every=25 epochs, that is 800 steps: decay_steps=800 in Keras, step_size=800 in PyTorch" in told["advice"][0]


def test_the_question_is_explained_in_words_anybody_understands():
    done = samestep("explain", QUESTION, *RUN, COLUMNS="400")
    assert done.returncode == 0
    assert "1,000 samples in batches of 32 make 32 steps an epoch (31 full batches and one of 8)." in done.stdout
    assert "first changes at step 25 (epoch 0, batch 25), to 0.00095: 63 changes in 50 epochs." in done.stdout
    assert "Warning: every: 25 steps are less than an epoch" in done.stdout
    assert done.stderr == ""


def test_explaining_imports_no_framework_nor_what_draws():
    code = (
        "import sys; sys.argv = ['samestep', 'explain', *sys.argv[1:]]\n"
        "from samestep._compare.command.main import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "assert not {'tensorflow', 'keras', 'torch', 'pandas', 'matplotlib'} & set(sys.modules), sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code, QUESTION, *RUN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


KERAS = "tf.keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=25, decay_rate=0.95, staircase=True)"
TORCH = "optimizer = SGD(params, lr=1e-3); StepLR(optimizer, step_size=25, gamma=0.95)"


def test_code_is_explained_as_the_schedule_that_it_makes():
    assert explained(KERAS) == explained(QUESTION)
    told = explained(TORCH)
    assert told["assumed"][0].startswith("StepLR counts calls of scheduler.step(): one after each update.")
    assert told | {"assumed": []} == explained(QUESTION)
    assert explained(TORCH, *RUN, "--stepping", "epoch")["first_change"] == {"step": 800, "epoch": 25, "batch": 0}
    done = samestep("explain", TORCH, *RUN, COLUMNS="400")
    assert "Assumed: StepLR counts calls of scheduler.step()" in done.stdout


def test_a_config_of_keras_is_explained_without_keras(tmp_path):
    config = {"initial_learning_rate": 1e-3, "decay_steps": 25, "decay_rate": 0.95, "staircase": True}
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps({"class_name": "ExponentialDecay", "config": config}))
    assert explained(path) == explained(path.read_text()) == explained(QUESTION)


def test_a_log_is_explained(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("step,lr\n" + "".join(f"{step},{1e-3 * 0.95 ** (step // 25)!r}\n" for step in range(1600)))
    told = explained(log, *RUN[:4])
    asked = explained(QUESTION)
    for key in (
        "changes",
        "first_change",
        "first_rate",
        "final_rate",
        "warnings",
        "advice",
        "clock",
        "steps_per_epoch",
    ):
        assert told[key] == asked[key]
    assert (told["inferred"], told["rows"]) == (QUESTION.replace("1e-3", "0.001"), 1600)
    done = samestep("explain", log, "--steps-per-epoch", "32", "--plot", tmp_path / "log.png", COLUMNS="400")
    assert done.returncode == 0, done.stderr
    assert f"{log} follows exponential:initial=0.001,factor=0.95,every=25 steps,staircase" in done.stdout
    assert "first changes at step 25 (epoch 0, batch 25), to 0.00095: 63 changes in 1,600 rows." in done.stdout
    assert "Warning: every: 25 steps are less than an epoch" in done.stdout
    assert (tmp_path / "log.png").read_bytes().startswith(b"\x89PNG")


def test_steps_of_an_epoch_may_be_given_as_such():
    done = samestep("explain", QUESTION, "--steps-per-epoch", "32", "--epochs", "50")
    assert "An epoch is 32 steps." in done.stdout
    assert "to 0.00095: 63 changes in 50 epochs." in done.stdout


def test_what_was_meant_has_no_warning():
    told = explained(QUESTION.replace("25 steps", "25 epochs"))
    assert (told["changes"], told["first_change"]["step"], told["warnings"]) == (1, 800, [])


def test_looked_up_once_per_epoch():
    told = explained(QUESTION.replace("25 steps", "25 epochs"), *RUN, "--stepping", "epoch")
    assert told["first_change"] == {"step": 800, "epoch": 25, "batch": 0}
    odd = explained(QUESTION, *RUN, "--stepping", "epoch")
    assert odd["first_change"] == {"step": 32, "epoch": 1, "batch": 0}
    assert "25 steps end inside an epoch" in odd["warnings"][0]


def test_dropped_and_accumulated_batches_change_the_steps_of_an_epoch():
    assert explained(QUESTION, *RUN, "--drop-last")["steps_per_epoch"] == 31
    told = explained(QUESTION, *RUN, "--accumulate", "4")
    assert told["steps_per_epoch"] == 8
    assert told["first_change"] == {"step": 25, "epoch": 3, "batch": 1}
    assert any("runs 4 times as fast" in each for each in told["warnings"])


WARNED = {
    "longer than its run": ("cosine:initial=1,floor=0,over=90 epochs,after=hold", "it is cut off at a rate of 0."),
    "climbs again": ("cosine:initial=1,floor=0,over=10 epochs,after=rise", "at its floor at step 320 and climbs again"),
    "may not be asked": (
        "one-cycle:max_lr=1,div_factor=25,final_div_factor=1e4,pct_start=0.3,over=40 epochs,anneal_strategy=cos,after=error",
        "may be asked for 1,280 steps and the run of 50 epochs has 1,600 steps. PyTorch's OneCycleLR gives one more",
    ),
    "never changes": ("exponential:initial=1,factor=0.5,every=60 epochs,staircase", "The rate never changes"),
    "stays": ("exponential:initial=1,factor=1,every=25 steps,staircase", "The rate never changes"),
    "warm-up longer than its run": (
        "warmup:initial=0,over=60 epochs,then=(constant:initial=1)",
        "over: 60 epochs are not over when the run ends",
    ),
    "product climbs": (
        "product:schedules=[(cosine:initial=1,floor=0,over=10 epochs,after=rise),(constant:initial=1)]",
        "at its floor at step 320 and climbs again",
    ),
    "boundaries": (
        "piecewise-constant:boundaries=[10 steps,20 steps],values=[1,0.5,0.1]",
        "boundaries: 10 steps and 20 steps are less than an epoch",
    ),
    "inner": (
        "warmup:initial=0,over=5 steps,then=(cosine:initial=1,floor=0,over=30 steps,after=hold)",
        "then.over: 30 steps are less than an epoch",
    ),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_perhaps_not_meant_is_warned_of(case):
    schedule, says = WARNED[case]
    told = explained(schedule)
    assert says in told["warnings"][0]
    assert len(told["advice"]) == len(told["warnings"]) == 1


def test_accumulation_is_counted_in_batches_for_keras():
    told = explained("linear:initial=1,end=0,over=5 epochs", *RUN, "--accumulate", "3")
    assert told["steps_per_epoch"] == 11
    assert any("Count batches in Keras: over is 160 batches." in each for each in told["advice"])  # 5 times 32
    per_epoch = explained("linear:initial=1,end=0,over=5 epochs", *RUN, "--accumulate", "3", "--stepping", "epoch")
    assert per_epoch["warnings"] == []


def test_short_warm_up_alone_is_nothing_to_warn_of():
    assert explained("warmup:initial=0,over=5 steps,then=(constant:initial=1)")["warnings"] == []
    assert explained("linear:initial=0,end=1,over=5 steps")["warnings"] == []


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_explanation_is_drawn(tmp_path, suffix):
    done = samestep("explain", QUESTION, *RUN, "--plot", tmp_path / f"picture.{suffix}")
    assert done.returncode == 0, done.stderr
    marks = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert (tmp_path / f"picture.{suffix}").read_bytes().startswith(marks[suffix])
    assert [path.name for path in tmp_path.iterdir()] == [f"picture.{suffix}"]


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulation")
    done = samestep(
        "simulate", QUESTION, *RUN, "--csv", folder / "rates.csv", "--plot", folder / "rates.png", "--json", folder / "rates.json", COLUMNS="300"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_simulation_has_every_rate_of_both_frameworks(simulation):
    folder, said = simulation
    with (folder / "rates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1600
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    assert columns["step"].tolist() == list(range(1600))
    closed_form = 1e-3 * 0.95 ** (np.arange(1600) // 25)
    np.testing.assert_allclose(columns["lr_closed_form"], closed_form, rtol=1e-14)
    np.testing.assert_allclose(columns["lr_torch"], closed_form, rtol=1e-12)
    np.testing.assert_allclose(columns["lr_tensorflow"], closed_form, rtol=2e-6)
    told = json.loads((folder / "rates.json").read_text())
    assert told["verdict"] == "same"
    for name, native in (("tensorflow", "ExponentialDecay"), ("torch", "StepLR")):
        framework = told["frameworks"][name]
        assert (framework["native"], framework["exact"], framework["changes"]) == (native, True, 63)
        assert framework["first_change"] == {"step": 25, "epoch": 0, "batch": 25}
        assert framework["max_ulp32"] == pytest.approx(columns[f"ulp32_{name}"].max())
    assert (folder / "rates.png").stat().st_size > 10_000
    assert "63 changes of the closed form in 1,600 steps." in said
    assert "PyTorch: StepLR, 63 changes, at most" in said


def test_simulation_of_a_million_steps():
    done = samestep(
        "simulate", "cosine:initial=0.1,floor=0,over=1000 epochs,after=hold", "--samples", "1000", "--batch-size", "1", "--epochs", "1000", "--json", "-"
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["steps"] == 1_000_000
    assert told["verdict"] == "same"
    assert all(each["compared"] == 1_000_000 for each in told["frameworks"].values())


def test_translation_says_where_the_two_part(tmp_path):
    """Keras finds its restarts with float32 logarithms: with t_mul 1.1 the first comes one step late."""
    path = tmp_path / "restarts.json"
    config = {"initial_learning_rate": 0.1, "first_decay_steps": 10, "t_mul": 1.1, "m_mul": 1.0, "alpha": 0.0}
    path.write_text(json.dumps({"class_name": "CosineDecayRestarts", "config": config}))
    done = samestep("translate", path, "--to", "torch", "--json", "-")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert (told["verdict"], told["parts_at"]) == ("differs", 21)
    assert "misses the one at 21 steps" in told["notes"][0]


def test_vocabulary_is_translated_with_proof():
    done = samestep("translate", QUESTION, "--to", "torch", "--json", "-")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=25, gamma=0.95)\n" in told["code"]
    assert {key: told[key] for key in ("base_lr", "exact", "notes", "parts_at")} == {
        "base_lr": 1e-3,
        "exact": True,
        "notes": [],
        "parts_at": None,
    }
    assert told["compared_steps"] == 1000
    assert told["max_ulp32"] < 1e-6
    assert told["max_relative"] < 1e-12


@pytest.mark.parametrize(("code", "to"), [(KERAS, "torch"), (TORCH, "keras")])
def test_code_is_translated_with_proof(tmp_path, code, to):
    path = tmp_path / "schedule.py"
    path.write_text(code)
    done = samestep("translate", path, "--to", to, "--json", "-")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "same"
    assert told["notes"][:1] == [each for each in told["notes"] if "counts calls of scheduler.step()" in each]
    assert len(told["notes"]) == (to == "keras")
    (tmp_path / "printed.py").write_text(told["code"])
    again = explained(tmp_path / "printed.py")
    assert again["schedule"] == explained(code)["schedule"]


def test_code_is_simulated():
    done = samestep("simulate", TORCH, *RUN, "--json", "-")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["verdict"], told["changes"], len(told["assumed"])) == ("same", 63, 1)


def test_rate_that_grows_is_translated_as_far_as_float32_reaches():
    done = samestep("translate", "exponential:initial=1e-6,factor=1.5,every=1 step", "--to", "torch", "--json", "-")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "same"
    assert 100 < told["compared_steps"] < 260  # 1.5 ** 252 * 1e-6 is more than 3e38


def test_printed_translation_is_code_as_a_whole():
    done = samestep(
        "translate", "cosine:initial=0.1,floor=0.01,over=10 epochs,after=rise", "--to", "keras", *RUN[:4], COLUMNS="40"
    )
    assert done.returncode == 0, done.stderr
    compile(done.stdout, "printed", "exec")
    assert "learning_rate = CosineAnnealing(initial=0.1, floor=0.01, over=320)\n" in done.stdout
    assert "# Proof: " in done.stdout
    assert "# Note: CosineAnnealing stands in for CosineDecay" in done.stdout


WRONG = {
    "no rows": (["explain", QUESTION, "--samples", "0", *RUN[2:]], "--samples: got 0. Write a whole number from 1 to 2**40."),
    "csv is the input": (["simulate", "input.json", *RUN, "--csv", "input.json"], "input.json is read or written already"),
    "csv is the picture": (["simulate", QUESTION, *RUN, "--csv", "x.png", "--plot", "x.png"], "x.png is read or written already"),
    "unknown kind": (["explain", "cosin:a=1", *RUN], "'cosin' is not a kind of schedule."),
    "no samples": (["explain", QUESTION, "--batch-size", "32", "--epochs", "5"], "--samples and --batch-size belong together."),
    "no clock": (["explain", QUESTION, "--epochs", "5"], "The steps of an epoch are needed. Write --samples and --batch-size"),
    "no length": (["explain", QUESTION, *RUN[:4]], "The length of the run is needed. Write --epochs."),
    "a log has a length": (["explain", "log.csv", "--epochs", "5"], "--epochs is about a schedule; here is a log. Leave it out."),
    "a log is looked up": (["explain", "log.csv", "--stepping", "step"], "--stepping is about a schedule; here is a log."),
    "a schedule has no arm": (["explain", QUESTION, *RUN, "--arm", "x"], "--arm is about a log; here is a schedule."),
    "a log has no such setting": (["explain", "log.csv", "--log", "colour=red"], "--log: 'colour' is not a setting."),
    "code": (["explain", "ExponentialDecay(1e-3, 25)", *RUN], "ExponentialDecay: decay_rate is missing. Add decay_rate=…."),
    "code to simulate": (["simulate", "StepLR(optimizer, 25)", *RUN], "StepLR takes its first rate from its optimizer."),
    "code to translate": (["translate", "StepLR(optimizer, 25)", "--to", "keras"], "StepLR takes its first rate from its optimizer."),
    "no step": (["explain", QUESTION, "--samples", "10", "--batch-size", "32", "--epochs", "5", "--drop-last"], "no update in an epoch"),
    "no epochs": (["explain", QUESTION, *RUN[:4], "--epochs", "0"], "epochs: got 0. Write a whole number of at least 1."),
    "too long": (["explain", QUESTION, *RUN[:4], "--epochs", "100000000"], "Write fewer epochs."),
    "stepping": (["explain", QUESTION, *RUN, "--stepping", "batch"], "--stepping: got 'batch'. Write step or epoch."),
    "divided step": (["explain", "linear:initial=0,end=1,over=0.3 epochs", *RUN], "over: '0.3 epochs' is 9.6 steps"),
    "grows": (["explain", "exponential:initial=1,factor=10,every=1 step", *RUN], "grows past 3e+38, what float32 holds, at step 39."),
    "accumulate": (["explain", QUESTION, *RUN, "--accumulate", "0"], "--accumulate: got 0. Write a whole number from 1 to 2**40."),
    "picture": (["explain", QUESTION, *RUN, "--plot", "x.gif"], "--plot: got 'x.gif'. Write a name that ends in .png"),
    "no folder": (["explain", QUESTION, *RUN, "--json", "no/such/x.json"], "no/such/x.json cannot be written."),
    "no csv folder": (["simulate", QUESTION, *RUN, "--csv", "no/such/x.csv"], "no/such/x.csv cannot be written. Name a file in a folder that exists with --csv."),
    "to": (["translate", QUESTION, "--to", "jax"], "--to: got 'jax'. Write torch or keras."),
    "epochs without samples": (
        ["translate", "linear:initial=0,end=1,over=3 epochs", "--to", "torch"],
        "the schedule speaks of epochs, so their length is needed. Add --samples and --batch-size.",
    ),
    "half a clock": (["translate", QUESTION, "--to", "torch", "--samples", "5"], "belong together. Write both."),
    "no file": (["translate", "missing.json", "--to", "torch"], "'missing.json' is neither a file nor a schedule."),
    "its own input": (["translate", "input.json", "--to", "torch", "--json", "input.json"], "is read or written already"),
    "a folder": (["translate", ".", "--to", "torch"], "'.' is neither a file nor a schedule."),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_refused_in_two_lines_at_most(tmp_path, case):
    arguments, says = WRONG[case]
    (tmp_path / "input.json").write_text('{"kind": "constant", "initial": 1}')
    (tmp_path / "log.csv").write_text("step,lr\n0,0.1\n1,0.1\n")
    done = samestep(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert says in " ".join(done.stderr.split())
    assert len(done.stderr.splitlines()) <= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input.json", "log.csv"]


FILES = {
    "no kind": (b"{}", "no schedule of the vocabulary (no 'kind'), no Keras config"),
    "no json": (b"{", "not JSON"),
    "empty": (b"", "not JSON"),
    "list": (b"[1]", "Write a JSON object."),
    "unknown class": (b'{"class_name": "CosineDecey", "config": {}}', "Did you mean CosineDecay?"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_cannot_be_translated_are_named(tmp_path, case):
    content, says = FILES[case]
    path = tmp_path / "file.json"
    path.write_bytes(content)
    done = samestep("translate", path, "--to", "torch")
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert done.stderr.startswith(f"{path}: ")
    assert len(done.stderr.splitlines()) == 1


def test_pickle_that_could_run_code_is_refused(tmp_path):
    path = tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps({"last_epoch": 0, "run": os.system}))
    done = samestep("translate", path, "--to", "keras")
    assert done.returncode == 2
    assert "another pickle could run code" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_pipe_is_written_through_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "picture.png"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE)
    done = samestep("explain", QUESTION, *RUN, "--plot", pipe)
    assert done.returncode == 0, done.stderr
    assert reader.communicate(timeout=PATIENCE)[0].startswith(b"\x89PNG")
    assert pipe.is_fifo()


def test_smooth_decay_has_no_step_size_in_pytorch():
    told = explained(QUESTION.replace(",staircase", ""))
    assert "ExponentialLR's gamma=0.95 ** (1 / 800) in PyTorch" in told["advice"][0]
