"""A result in a notebook, whose kernel may have a matplotlib backend that nobody else has."""

import nbformat
import pytest
from helpers import exponential
from nbclient import NotebookClient

from samestep.experiment.schedules.text import to_short

SCHEDULE = to_short(exponential("2 steps"))
CELLS = (
    "import samestep\nresult = samestep.compare([0.1] * 40, [0.1] * 20 + [0.05] * 20)\nresult",
    "result.figure('differences')",
    "result.table.head()",
    f"samestep.simulate({SCHEDULE!r}, samples=4, batch_size=1, epochs=2)",
)


@pytest.fixture(scope="module")
def outputs():
    """What each cell displays, by media type."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MPLBACKEND", "module://nonexistent.backend")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    return [cell.outputs[-1].data for cell in notebook.cells]


def test_a_comparison_shows_its_report(outputs):
    assert outputs[0]["text/html"].count("<svg") == 3
    assert "<html" not in outputs[0]["text/html"]
    assert "a and b do not follow the same schedule" in outputs[0]["text/html"]


def test_a_figure_shows_itself_whatever_the_backend(outputs):
    assert outputs[1]["image/svg+xml"].startswith("<?xml")


def test_a_table_is_one_of_pandas(outputs):
    assert "dataframe" in outputs[2]["text/html"]


def test_workers_start_without_the_backend_of_the_kernel(outputs):
    assert "StepLR" in outputs[3]["text/html"]
