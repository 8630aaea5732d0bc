"""Losses that are reductions of others: told apart on what the frameworks showed, and never where nothing explains."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from compare_helpers import trace_file
from helpers import samestep

from samestep._compare.align.losses import MOST_STEPS
from samestep._compare.align.losses import TOLERANCE as OF_TWO_FRAMEWORKS
from samestep._compare.align.reduction_words import Reduction, ReductionName, instead
from samestep._compare.align.reductions import FEWEST_ROWS, TOLERANCE, epoch_means, find_reduction, running_mean
from samestep._compare.causes.scene import LANGUAGES
from samestep._compare.comparison import words
from samestep._compare.comparison.compare import compare
from samestep.experiment.clock import Clock

HOUSE = Path(__file__).parents[3]
PROGRAMS = HOUSE / "tests" / "programs"
RAGGED, FULL = Clock(1000, 32), Clock(1024, 32)
BY_STEPS = Clock(32, 1)  # what --steps-per-epoch=32 makes: rows per batch are not known
SINGLE = np.finfo(np.float32).eps


def measured(program):
    done = subprocess.run([sys.executable, PROGRAMS / program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def keras():
    return measured("reductions_tensorflow.py")


@pytest.fixture(scope="module")
def torch():
    return measured("reductions_torch.py")


def relative(shown, computed):
    return np.abs(np.asarray(shown) / np.asarray(computed) - 1).max()


def falling(epochs=3, steps=32, seed=0):
    """Batch losses that fall and scatter, as in training; float32 as frameworks hold them."""
    draws = np.random.default_rng(seed).lognormal(0, 0.3, epochs * steps)
    return (draws / np.sqrt(1 + np.arange(epochs * steps))).astype(np.float32).astype(float)


# Keras


def test_keras_shows_running_means_over_samples(keras):
    own = keras["fit"]["own"]
    assert len(own) == 96
    for shown in ("batch_end", "batch_loss"):  # a callback's logs["loss"], and TensorBoard
        assert relative(keras["fit"][shown], running_mean(own, RAGGED)) < 4 * SINGLE
    over_batches = np.cumsum(np.reshape(own, (3, 32)), axis=1) / np.arange(1, 33)
    assert relative(keras["fit"]["batch_end"], over_batches.ravel()) > 1e-3


def test_keras_means_of_epochs_are_over_samples(keras):
    over_batches, over_samples = epoch_means(keras["fit"]["own"], RAGGED)
    for shown in ("history", "csv", "epoch_loss"):
        assert relative(keras["fit"][shown], over_samples) < 4 * SINGLE
        assert relative(keras["fit"][shown], over_batches) > 1e-4


def test_train_on_batch_shows_the_batch_alone(keras):
    assert keras["train_on_batch"]["shown"] == keras["train_on_batch"]["own"]


def test_keras_sums_are_weighted_with_the_rows_once_more(keras):
    """With ``reduction="sum"`` the history holds the mean of the batches' sums, each counted by its rows."""
    assert relative(keras["sum"]["history"], epoch_means(keras["sum"]["own"], RAGGED)[1]) < 4 * SINGLE


@pytest.mark.parametrize("clock", [RAGGED, BY_STEPS], ids=["samples", "steps-per-epoch"])
def test_keras_running_means_are_told(keras, clock):
    found = find_reduction(keras["fit"]["own"], keras["fit"]["batch_end"], clock)
    assert (found.name, found.side, found.over, found.rows) == ("running mean", "b", "samples", 96)
    assert found.residual_relative <= 4 * SINGLE  # float32 sums and their quotient round once each
    assert find_reduction(keras["fit"]["batch_end"], keras["fit"]["own"], clock).side == "a"


@pytest.mark.parametrize("clock", [RAGGED, BY_STEPS], ids=["samples", "steps-per-epoch"])
@pytest.mark.parametrize("shown", ["history", "csv", "epoch_loss"])
def test_keras_means_of_epochs_are_told(keras, shown, clock):
    found = find_reduction(keras["fit"][shown], keras["fit"]["own"], clock)
    assert (found.name, found.side, found.over, found.also) == ("mean over samples", "a", "samples", ())
    assert found.residual_relative <= TOLERANCE


def test_one_batch_weighed_wrongly_is_not_told(keras):
    """Three epochs of a ragged clock: the last row of each epoch refutes a mean over batches, and the other way round."""
    own = keras["fit"]["own"]
    over_batches, _ = epoch_means(own, RAGGED)
    assert find_reduction(own, over_batches, RAGGED).name == "mean over batches"
    assert find_reduction(own, over_batches, Clock(1001, 32)).name == "mean over batches"
    assert find_reduction(own, keras["fit"]["history"], Clock(1001, 32)) is None
    assert find_reduction(own, keras["fit"]["batch_end"], Clock(1001, 32)) is None


# PyTorch


def test_figures_of_a_loop_are_told(torch):
    loop = torch["loop"]
    expected = {
        "running": ("running mean", "batches"),
        "over_batches": ("mean over batches", "batches"),
        "over_samples": ("mean over samples", "samples"),
        "epoch_sum": ("sum", "batches"),
        "summed": ("sum", "samples"),
        "half": ("half", None),
    }
    for shown, told in expected.items():
        found = find_reduction(loop["own"], loop[shown], RAGGED)
        assert (found.name, found.over, found.side, found.also) == (*told, "b", ()), shown
        assert found.residual_relative <= 4 * SINGLE
    over_batches, over_samples = epoch_means(loop["own"], RAGGED)
    assert relative(loop["over_batches"], over_batches) < 1e-14
    assert relative(loop["over_samples"], over_samples) < 1e-14


def test_lightning_shows_the_batch_and_the_mean_over_samples(torch):
    shown = torch["lightning"]
    assert shown["loss_step"] == shown["own"]
    found = find_reduction(shown["loss_epoch"], shown["own"], RAGGED)
    assert (found.name, found.side) == ("mean over samples", "a")
    assert found.residual_relative < 1e-6


@pytest.mark.parametrize("clock", [RAGGED, None])
def test_hugging_face_shows_means_since_the_row_before(torch, clock):
    own, rows = torch["hugging_face"]["own"], torch["hugging_face"]["shown"]
    shown = np.full(len(own), np.nan)
    for step, loss in rows:
        shown[step - 1] = loss
    found = find_reduction(own, shown, clock)
    assert (found.name, found.side, found.rows) == ("mean since the row before", "b", len(rows))
    assert found.residual_relative < 1e-6


# What nothing explains


@pytest.mark.parametrize("clock", [RAGGED, FULL, BY_STEPS, Clock(32, 32), None])
def test_two_trainings_are_not_explained(clock):
    a, b = falling(seed=0), falling(seed=1)
    assert find_reduction(a, b, clock) is None
    for way in (running_mean(b, RAGGED), b / 2):
        assert find_reduction(a, way, clock) is None


@pytest.mark.parametrize("clock", [RAGGED, FULL, BY_STEPS])
def test_means_of_another_training_are_not_explained(clock):
    for means in epoch_means(falling(seed=1), RAGGED):
        assert find_reduction(falling(seed=0), means, clock) is None


@pytest.mark.parametrize("clock", [RAGGED, BY_STEPS])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_trainings_that_settled_are_not_explained_by_chance(clock, epochs):
    """Means of epochs that lie within percents of one another, at the tolerance of the command."""
    draws = np.random.default_rng(4).lognormal(0, 0.2, (200, 2, 32 * epochs))
    for a, b in draws:
        for shown in (b, running_mean(b, RAGGED), *epoch_means(b, RAGGED)):
            assert find_reduction(a, shown, clock, OF_TWO_FRAMEWORKS) is None


def test_six_digits_suffice():
    own = falling()
    for shown in (running_mean(own, RAGGED), epoch_means(own, RAGGED)[1], own / 2):
        a, b = ([float(f"{loss:.6g}") for loss in losses] for losses in (own, shown))
        assert find_reduction(a, b, RAGGED, OF_TWO_FRAMEWORKS).residual_relative < 1.1e-5


@pytest.mark.parametrize("noise", [1e-5, 1e-3])
def test_noise_is_not_absorbed(noise):
    own = falling()
    scatter = 1 + noise * np.random.default_rng(2).standard_normal(len(own))
    assert find_reduction(own, running_mean(own, RAGGED) * scatter, RAGGED) is None
    assert find_reduction(own, own * scatter, RAGGED) is None
    assert find_reduction(own, epoch_means(own, RAGGED)[1] * scatter[:3], RAGGED) is None


def test_one_row_off_refutes():
    own = falling()
    shown = running_mean(own, RAGGED)
    shown[50] *= 1 + 1e-4
    assert find_reduction(own, shown, RAGGED) is None
    assert find_reduction(own, own * np.where(np.arange(96) == 50, 0.5, 1), RAGGED) is None


def test_the_same_losses_are_no_reduction():
    own = falling()
    assert find_reduction(own, own, RAGGED) is None
    assert find_reduction(own, own * (1 + SINGLE), RAGGED) is None


def test_a_factor_that_is_none_of_ours_is_not_explained():
    own = falling()
    assert find_reduction(own, own * 3, RAGGED) is None
    assert find_reduction(own, own * 32, RAGGED) is None  # a sum would have eight times the last batch's mean
    assert find_reduction(own, own * 32, FULL).name == "sum"


# The edges


def test_a_full_last_batch_does_not_tell_batches_from_samples():
    own = falling()
    for shown in epoch_means(own, FULL):
        found = find_reduction(own, shown, FULL)
        assert (found.name, found.over) == ("epoch mean", None)
        assert "Every batch is full" in found.sentence
    assert find_reduction(own, running_mean(own, FULL), FULL).over is None
    dropped = Clock(1000, 32, drop_last=True)
    assert find_reduction(own[:93], epoch_means(own[:93], dropped)[0], dropped).over is None
    means = epoch_means(own, BY_STEPS)[0]  # the batch size is not known: the last batch may be full
    assert find_reduction(own, means, BY_STEPS).over is None


def test_rows_that_leave_out_the_last_batch_do_not_tell_either():
    own = falling()
    shown = running_mean(own, RAGGED)
    shown[31::32] = np.nan
    found = find_reduction(own, shown, RAGGED)
    assert (found.name, found.over, found.rows) == ("running mean", None, 93)
    assert "both fit" in found.sentence


def test_constant_losses():
    own = np.full(96, 0.5)
    assert find_reduction(own, own, RAGGED) is None
    assert find_reduction(own, own + 0.1, RAGGED) is None
    assert find_reduction(own, own / 2, RAGGED).name == "half"
    both = find_reduction(own, np.full(3, 0.5), RAGGED)
    assert (both.name, both.over) == ("epoch mean", None)
    assert find_reduction(own, np.full(3, 0.6), RAGGED) is None


def test_unknown_losses_are_left_out():
    own = falling()
    shown = running_mean(own, RAGGED)
    own[40] = np.nan
    found = find_reduction(own, shown, RAGGED)
    assert (found.name, found.rows) == ("running mean", 96 - 24)
    nothing = np.full(96, np.nan)
    assert find_reduction(own, nothing, RAGGED) is None
    assert find_reduction(nothing, own, RAGGED) is None
    assert find_reduction(nothing, nothing[:3], RAGGED) is None


def test_a_training_that_diverged_is_not_the_mean_of_one_that_did_not():
    own = falling()
    shown = running_mean(own, RAGGED)
    own[70] = np.inf
    assert find_reduction(own, shown, RAGGED) is None
    with np.errstate(invalid="ignore"):
        assert find_reduction(own, running_mean(own, RAGGED), RAGGED).name == "running mean"


def test_a_single_epoch():
    own = falling(epochs=1)
    assert find_reduction(own, running_mean(own, RAGGED), RAGGED).over == "samples"
    assert find_reduction(own, running_mean(own, RAGGED), BY_STEPS).name == "running mean"
    assert FEWEST_ROWS > 1
    for mean in epoch_means(own, RAGGED):
        assert find_reduction(own, mean, RAGGED) is None  # one number may agree by chance


def test_one_batch_per_epoch():
    own, clock = falling(steps=1), Clock(32, 32)
    assert np.array_equal(running_mean(own, clock), own)
    assert all(np.array_equal(means, own) for means in epoch_means(own, clock))
    assert find_reduction(own, falling(steps=1, seed=1), clock) is None
    assert find_reduction(own, own / 2, clock).name == "half"


def test_an_unknown_clock_tells_no_epochs():
    own = falling()
    assert find_reduction(own, running_mean(own, RAGGED), None) is None
    assert find_reduction(own, epoch_means(own, RAGGED)[0], None) is None
    assert find_reduction(own / 2, own, None).side == "a"


def test_batches_of_two_leave_sum_and_half_open():
    own = falling()
    found = find_reduction(own, own * 2, Clock(64, 2))
    assert (found.name, found.side, found.also) == ("half", "a", ("sum",))
    assert "They could also be" in found.sentence


def test_accumulated_batches_count_by_their_rows():
    clock = Clock(1000, 32, accumulate=3)  # ten updates of 96 rows and one of 32 + 8
    rows = np.array([96.0] * 10 + [40])
    own = falling(steps=clock.steps_per_epoch)
    means = (own.reshape(3, 11) * rows).sum(axis=1) / 1000
    assert relative(epoch_means(own, clock)[1], means) < 1e-14
    assert find_reduction(means, own, clock).name == "mean over samples"


def test_long_epochs_are_summed_as_float32_sums_them():
    """Where float32 drifts from float64 by more than the tolerance, the means are told all the same."""
    clock = Clock(100_000, 1)
    own = falling(epochs=2, steps=100_000)
    single = np.cumsum(own.reshape(2, -1).astype(np.float32), axis=1, dtype=np.float32)
    shown = (single / np.arange(1, 100_001, dtype=np.float32)).astype(float).ravel()
    assert relative(shown, running_mean(own, clock)) > TOLERANCE
    assert find_reduction(own, shown, clock).residual_relative == 0


@pytest.mark.parametrize(("a", "b"), [([1.0, 2.0], [1.0] * 96), ([[1.0]], [1.0]), ([], [])])
def test_lengths_that_do_not_fit_are_refused(a, b):
    with pytest.raises(ValueError, match="Give one"):
        find_reduction(a, b, RAGGED)


def test_an_unfinished_epoch_has_no_mean():
    own = falling()[:70]
    assert np.isnan(epoch_means(own, RAGGED)[1]).tolist() == [False, False, True]
    assert len(running_mean(own, RAGGED)) == 70
    assert find_reduction(own, epoch_means(own, RAGGED)[1], RAGGED).rows == 2


# The command


def log(path, loss, **more):
    return trace_file(path, [0.1] * len(loss), loss=loss, **more)


def test_compare_names_the_running_mean_and_keeps_its_verdict(tmp_path, keras):
    a = log(tmp_path / "a.csv", keras["fit"]["own"])
    b = log(tmp_path / "b.csv", keras["fit"]["batch_end"], framework="tensorflow")
    found = compare(a, b, clock=RAGGED)
    assert found.verdict == "same"
    told = found.to_json()["losses"]
    assert not told["agree"]
    assert (told["reduction"]["name"], told["reduction"]["side"]) == ("running mean", "b")
    assert told["reduction"]["sentence"].startswith("b's losses are the running means of a's within each epoch")
    assert list(told["reduction"]["fix_code"]) == ["Keras"]
    said = [text for _, text in words.lines(found)]
    assert any("the trainings agree, the logs do not" in text for text in said)
    assert any("tf_impl.Recorder" in text for text in said)


@pytest.mark.parametrize("kind", ["batch", "as the log's author wrote it"])
def test_compare_reads_the_epochs_from_the_rows(tmp_path, keras, kind):
    def rows(name, loss):
        lines = [f"csv,x,0,{n},{n // 32},{n % 32},0.1,{x!r}" for n, x in enumerate(loss)]
        (tmp_path / name).write_text("\n".join(["framework,arm,seed,step,epoch,batch,lr,loss", *lines]) + "\n")
        return str(tmp_path / name)

    a, b = rows("a.csv", keras["fit"]["own"]), rows("b.csv", keras["fit"]["batch_end"])
    found = compare(a, b, of_b={"loss_kind": kind})
    assert found.worst.losses.reduction.name == "running mean"
    assert set(found.worst.losses.instead) == {"Keras", "PyTorch"}


@pytest.mark.parametrize("epochs", [1, 3])
def test_compare_reads_epochs_without_batches(tmp_path, keras, epochs):
    def rows(name, loss):
        lines = [f"csv,x,0,{n},{n // 32},,0.1,{x!r}" for n, x in enumerate(loss[: 32 * epochs])]
        (tmp_path / name).write_text("\n".join(["framework,arm,seed,step,epoch,batch,lr,loss", *lines]) + "\n")
        return str(tmp_path / name)

    found = compare(rows("a.csv", keras["fit"]["own"]), rows("b.csv", keras["fit"]["batch_end"]))
    assert found.clock is None
    assert found.worst.losses.reduction.rows == 32 * epochs


def test_the_report_says_what_to_log_instead(tmp_path, torch):
    a = log(tmp_path / "a.csv", torch["loop"]["own"])
    b = log(tmp_path / "b.csv", torch["loop"]["running"], framework="torch")
    asked = ("--samples", 1000, "--batch-size", 32, "--json", tmp_path / "told.json", "--report", tmp_path / "report")
    done = samestep("compare", a, b, *asked)
    assert done.returncode == 0, done.stderr
    assert "the last batch of 8 rows counting as much as one of 32" in " ".join(done.stdout.split())
    told = json.loads((tmp_path / "told.json").read_text())["losses"]["reduction"]
    assert (told["name"], told["over"]) == ("running mean", "batches")
    for page in ("report.md", "report.html"):
        text = (tmp_path / "report" / page).read_text()
        assert "recorder.log(loss)" in text
        assert "the trainings agree, the logs do not" in text


@pytest.mark.parametrize("mean", ["mean over batches", "mean over samples"])
def test_compare_holds_means_of_epochs_against_batches(tmp_path, mean):
    own = falling(seed=3)
    means = dict(zip(("mean over batches", "mean over samples"), epoch_means(own, RAGGED), strict=True))
    lines = [f"{epoch},0.1,{loss!r}" for epoch, loss in enumerate(means[mean].tolist())]
    (tmp_path / "b.csv").write_text("\n".join(["epoch,learning_rate,loss", *lines]) + "\n")
    with_names = compare(log(tmp_path / "a.csv", own), tmp_path / "b.csv", clock=RAGGED, of_b={"format": "keras"})
    told = with_names.worst.losses
    assert (told.compared, told.reduction.name, told.reduction.side) == (0, mean, "b")


def test_compare_explains_no_other_training(tmp_path, torch, keras):
    a, b = log(tmp_path / "a.csv", torch["loop"]["own"]), log(tmp_path / "b.csv", keras["fit"]["batch_end"])
    found = compare(a, b, clock=RAGGED).worst
    assert found.losses.reduction is None
    assert "samestep attribute" in words.losses_sentence(found)
    assert compare(a, b, clock=RAGGED).to_json()["losses"]["reduction"] is None


def test_compare_does_not_fill_memory_with_far_apart_steps(tmp_path):
    loss = [1.0, 0.5, 0.25]
    a, b = (log(tmp_path / f"{n}.csv", [x / (1 + n) for x in loss], step=[0, 1, 10**12]) for n in (0, 1))
    assert MOST_STEPS < 10**12
    assert compare(a, b, clock=RAGGED).worst.losses.reduction is None


def test_two_frameworks_apart_by_their_tolerance_are_still_told(tmp_path):
    own = falling()
    other = own * (1 + OF_TWO_FRAMEWORKS / 4 * np.random.default_rng(5).uniform(-1, 1, 96))
    a, b = log(tmp_path / "a.csv", own), log(tmp_path / "b.csv", running_mean(other, RAGGED))
    found = compare(a, b, clock=RAGGED).worst.losses.reduction
    assert found.name == "running mean"
    assert 1e-7 < found.residual_relative < OF_TWO_FRAMEWORKS


@pytest.mark.parametrize("name", ["running mean", "mean over batches", "mean since the row before", "sum", "half"])
@pytest.mark.parametrize("of", ["epoch", "batch"])
def test_code_to_log_instead_is_python(name, of):
    code = instead(Reduction(name, "a", of, "batches", 0.0, 9), dict.fromkeys(LANGUAGES.values()))
    assert set(code) == {"Keras", "PyTorch"}
    for source in code.values():
        compile(source, "code", "exec")


# The page


PAGE = (HOUSE / "docs" / "reductions.md").read_text(encoding="utf-8")


def test_python_of_the_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HOUSE, check=False)
    assert done.returncode == 0, done.stderr


def test_every_name_and_key_is_on_the_page(tmp_path):
    own = falling()
    found = compare(log(tmp_path / "a.csv", own), log(tmp_path / "b.csv", own / 2), clock=RAGGED)
    for word in (*get_args(ReductionName), *found.to_json()["losses"]["reduction"]):
        assert f"`{word}`" in PAGE, word
