"""What people read and programs parse, byte for byte: the recorded pairs, the default run, one attribution.

A change here is a change for those who use samestep: say it in CHANGELOG.md, then write the files anew with
SAMESTEP_WRITE_GOLDEN=1. The traces of the default run were recorded once, so that no processor's rounding is asked.
"""

import json
import os
import re
from pathlib import Path

import pytest
from attribution_helpers import ADVICE, EXPLAINED
from compare_helpers import PAIRS, RECORDED
from helpers import samestep

from samestep._compare.attribution.result import Attribution
from samestep._compare.training.result import Training
from samestep.experiment.plan import FRAMEWORKS, question
from samestep.experiment.trace import Trace

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
# what depends on the day's installation, not on samestep
INSTALLED = re.compile(
    r"^.*\b(python|numpy|pandas|matplotlib|tensorflow|torch|keras)\b.*\d+\.\d+\.\d+.*$", re.MULTILINE | re.IGNORECASE
)


def hold(name: str, found: str) -> None:
    """Compare with the golden file, or write it."""
    path = GOLDEN / name
    found = INSTALLED.sub("(versions)", found)
    if os.environ.get("SAMESTEP_WRITE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_pair(name, tmp_path):
    pair = RECORDED[name]
    clock = ("--samples", pair["samples"], "--batch-size", pair["batch_size"])
    wanted = ("--json", tmp_path / "it.json", "--junit", tmp_path / "it.xml", "--report", tmp_path / "report")
    done = samestep("compare", pair["a"], pair["b"], *map(str, clock), *wanted, cwd=PAIRS)
    assert done.stderr == ""
    hold(f"{name}/text.txt", done.stdout.replace(str(tmp_path), "OUT") + f"exit {done.returncode}\n")
    hold(f"{name}/result.json", (tmp_path / "it.json").read_text(encoding="utf-8"))
    hold(f"{name}/junit.xml", (tmp_path / "it.xml").read_text(encoding="utf-8"))
    hold(f"{name}/report.md", (tmp_path / "report" / "report.md").read_text(encoding="utf-8"))


def test_default_run(tmp_path):
    traces = {framework: Trace.load(GOLDEN / "run" / f"trace-{framework}.npz") for framework in FRAMEWORKS}
    Training(question(), traces).write(tmp_path)
    for name in ("report.md", "summary.json", "summary.csv"):
        hold(f"run/{name}", (tmp_path / name).read_text(encoding="utf-8"))


def test_attribution(tmp_path):
    attributed = Attribution(EXPLAINED, ADVICE)
    attributed.write(tmp_path)
    hold("attribution/report.md", (tmp_path / "report.md").read_text(encoding="utf-8"))
    hold("attribution/attribution.json", json.dumps(attributed.to_json(), indent=1))
