"""Real scripts of Keras, each with one mistake or none: the right name at the right line, nothing on the sound ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import samestep

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "scripts" / "keras").glob("*.py"))
EXPECTS, LINE = "# expects: ", "# here"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """A recording of each script, all made in one process: TensorFlow takes longer to start than they take to run."""
    folder = tmp_path_factory.mktemp("keras")
    program = HERE.parent / "programs" / "watched.py"
    done = subprocess.run(
        [sys.executable, program, "tf_impl", folder, *SCRIPTS],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def test_there_are_enough():
    expected = [script.read_text(encoding="utf-8").splitlines()[0] for script in SCRIPTS]
    assert expected.count(f"{EXPECTS}none") >= 5
    assert len(expected) - expected.count(f"{EXPECTS}none") >= 12


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_script(recordings, script):
    lines = script.read_text(encoding="utf-8").splitlines()
    expected = lines[0].removeprefix(EXPECTS)
    checked = samestep.check(recordings / f"{script.stem}.csv")
    told = [finding for finding in checked.findings if finding.severity != "note"]
    if expected == "none":
        assert [finding.sentence(checked.scene) for finding in told] == []
        assert checked.verdict == "clean"
        return
    assert [finding.name for finding in told] == [expected]
    place = told[0].where[0]
    assert Path(place.file) == script
    assert lines[place.line - 1].endswith(LINE)
