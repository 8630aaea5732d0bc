"""Real scripts, each with one mistake or none: the right name at the right line, nothing on the sound ones.

All of a folder are run in one process, one after the other: a framework takes longer to start than they take to run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import samestep
from samestep._compare.check.base import Finding
from samestep._compare.check.findings import FINDINGS

HERE = Path(__file__).parent
FOLDERS = {"keras": "tf_impl", "loops": "torch_impl", "trainers": "torch_impl"}
SCRIPTS = {folder: sorted((HERE / "scripts" / folder).glob("*.py")) for folder in FOLDERS}
EXPECTS, SOUND, LINE = "# expects: ", "none", "# here"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}


def expected(script: Path) -> str:
    """The finding that its first line names."""
    return script.read_text(encoding="utf-8").splitlines()[0].removeprefix(EXPECTS)


@pytest.fixture(scope="module", params=FOLDERS)
def recordings(request, tmp_path_factory) -> dict[Path, Path]:
    """The recording of each script of a folder."""
    folder, scripts = tmp_path_factory.mktemp(request.param), SCRIPTS[request.param]
    program = HERE.parent / "programs" / "watched.py"
    done = subprocess.run(
        [sys.executable, program, FOLDERS[request.param], folder, *scripts],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | QUIET,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {script: folder / f"{script.stem}.csv" for script in scripts}


def told(path: Path) -> list[Finding]:
    """What is found in a recording, without notes."""
    return [finding for finding in samestep.check(path).findings if finding.severity != "note"]


def test_there_are_enough():
    names = [expected(script) for scripts in SCRIPTS.values() for script in scripts]
    assert names.count(SOUND) >= 20
    assert len(names) - names.count(SOUND) >= 40
    of_logs = {"logged-next"}
    assert {name for name in names if name != SOUND} | of_logs == {each.name for each in FINDINGS}


def test_each_mistake_is_found_at_its_line(recordings):
    wrong = []
    for script, path in recordings.items():
        if (name := expected(script)) == SOUND:
            continue
        lines = script.read_text(encoding="utf-8").splitlines()
        found = [(finding.name, finding.where[0]) for finding in told(path)]
        if [each for each, _ in found] != [name] or not lines[found[0][1].line - 1].endswith(LINE):
            wrong.append((script.name, found))
        elif Path(found[0][1].file) != script:
            wrong.append((script.name, found[0][1].file))
    assert wrong == []


def test_nothing_is_found_in_sound_scripts(recordings):
    sound = {script: path for script, path in recordings.items() if expected(script) == SOUND}
    assert {script.name: told(path) for script, path in sound.items() if told(path)} == {}
    assert {samestep.check(path).verdict for path in sound.values()} == {"clean"}
