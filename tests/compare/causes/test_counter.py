"""The cause `counter`: the fix is that of its reading."""

from cause_helpers import scene

from samestep._compare.causes.counter import Counter


def test_fix_of_the_question_counts_epochs():
    code = Counter(32, "steps-vs-epochs").fix(scene(b="staircase")).code
    assert "steps_per_epoch = 32\n" in code["Keras"]
    assert "decay_steps=25 * steps_per_epoch" in code["Keras"]
    assert "StepLR(optimizer, step_size=25, gamma=0.95)" in code["PyTorch"]
    assert "# after each epoch" in code["PyTorch"]


def test_fix_of_an_unconverted_rate_has_the_root():
    code = Counter(25, "unconverted-rate").fix(scene(b="every-step")).code
    assert "ExponentialLR(optimizer, gamma=0.99 ** (1 / 25))" in code["PyTorch"]
    assert "decay_steps=25, decay_rate=0.99" in code["Keras"]


def test_its_title_has_the_reading():
    assert Counter(32, "steps-vs-epochs").label == "counter, steps-vs-epochs"
