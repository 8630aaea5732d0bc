"""The table of docs/schedules.md is what the code builds. Write it anew: SAMESTEP_WRITE_DOCS=1 pytest tests/frameworks/test_schedule_table.py"""

import os
from pathlib import Path

import pytest

from samestep.experiment.clock import Clock
from samestep.experiment.schedules import EXAMPLES, KINDS
from samestep.experiment.schedules.text import parse

PAGE = Path(__file__).parents[2] / "docs" / "schedules.md"
BEGIN = "<!-- the table: written by tests/frameworks/test_schedule_table.py, from what was built -->\n"
END = "<!-- end of the table -->\n"
CLOCK = Clock(samples=1000, batch_size=32)


@pytest.fixture(scope="module")
def built(askers):
    return {
        name: {framework: asker(parse(text), CLOCK, "step", 1) for framework, asker in askers.items()}
        for name, text in EXAMPLES.items()
    }


def table(built):
    lines = ["| schedule | Keras | PyTorch | exact in | why, and where they differ |", "|---|---|---|---|---|"]
    for name, told in built.items():
        keras, torch = told["tensorflow"], told["torch"]
        exact = [label for label, each in (("Keras", keras), ("PyTorch", torch)) if each["exact"]]
        classes = [f"`{keras['name']}`" if keras["exact"] else f"*{keras['name']}*", f"`{torch['name']}`"]
        why = " ".join(each["note"] for each in (keras, torch) if each["note"])
        lines.append(f"| {name} | {' | '.join(classes)} | {' and '.join(exact) or 'neither'} | {why} |")
    return "\n".join(lines) + "\n"


def test_table_of_the_docs_is_what_is_built(built):
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("SAMESTEP_WRITE_DOCS"):
        PAGE.write_text(f"{before}{BEGIN}\n{table(built)}\n{END}{after}", encoding="utf-8")
        return
    assert written.strip() == table(built).strip()


def test_every_kind_has_a_row():
    assert {parse(text).kind for text in EXAMPLES.values()} == set(KINDS)


def test_every_key_of_the_vocabulary_is_documented():
    page = PAGE.read_text(encoding="utf-8")
    for kind, schedule in KINDS.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{kind}` |"))
        for key in schedule.model_fields:
            assert key == "kind" or f"`{key}`" in row, f"{kind}: {key}"
