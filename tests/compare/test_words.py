"""Sentences that several commands share: an epoch in steps, and a batch that is larger than the data."""

import pytest
from helpers import samestep

from samestep._compare.words import epoch_in_steps, large_batch
from samestep.experiment.clock import Clock

LARGE = "batch_size 64 is larger than the 40 samples: each epoch is one batch of 40."
DECAY = "exponential:initial=1,factor=0.5,every=2 steps,staircase"
RUN = ["--samples", "40", "--batch-size", "64"]


@pytest.mark.parametrize(
    ("clock", "says"),
    [
        (Clock(1000, 32), "1,000 samples in batches of 32 make 32 steps an epoch (31 full batches and one of 8)."),
        (
            Clock(1000, 32, drop_last=True),
            "1,000 samples in batches of 32 make 31 steps an epoch (31 full batches; the last 8 rows left out).",
        ),
        (Clock(40, 40), "40 samples in batches of 40 make 1 step an epoch (1 full batch)."),
        (Clock(40, 40, drop_last=True), "40 samples in batches of 40 make 1 step an epoch (1 full batch)."),
        (Clock(40, 64), LARGE),
        (Clock(1, 2), "batch_size 2 is larger than the 1 sample: each epoch is one batch of 1."),
    ],
)
def test_epoch_is_said_in_steps(clock, says):
    assert epoch_in_steps(clock) == says
    assert large_batch(clock) == (says if clock.batch_size > clock.samples else None)


@pytest.mark.parametrize(
    "command",
    [["explain", DECAY, "--epochs", "3"], ["compare", DECAY, DECAY, "--epochs", "3"]],
    ids=lambda words: words[0],
)
def test_batch_larger_than_the_data_is_said_or_refused(command):
    done = samestep(*command, *RUN)
    assert (done.returncode, done.stderr) == (0, "")
    assert LARGE in " ".join(done.stdout.split())
    refused = samestep(*command, *RUN, "--drop-last")
    assert refused.returncode == 2
    assert "batch_size 64 is more than the 40 samples, and drop_last leaves no update in an epoch." in " ".join(
        refused.stderr.split()
    )
