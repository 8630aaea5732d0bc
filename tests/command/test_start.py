"""What the command imports, and when."""

import gc
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers import imported_by, samestep

from samestep._compare.workers.ahead import Ahead
from samestep.experiment.programs.process import importing
from samestep.experiment.schedules import EXAMPLES

FRAMEWORKS = {"tensorflow", "keras", "torch"}
PROGRAMS = Path(__file__).parents[1] / "programs"
NOTE_WHERE_PANDAS_IS_IMPORTED = """
import threading, traceback
class Note:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            main = threading.main_thread()
            waiting = traceback.extract_stack(sys._current_frames()[main.ident])
            training = any(frame.name == "train" and frame.filename.endswith("runner.py") for frame in waiting)
            print("PANDAS", threading.current_thread() is main, training, file=sys.stderr)
sys.meta_path.insert(0, Note())
"""


def called(*arguments):
    return imported_by(
        f"from samestep._compare.command import main\ntry: main.main({list(map(str, arguments))})\nexcept SystemExit: pass"
    )


def test_help_imports_what_it_prints_with_and_no_more():
    loaded = called("--help")
    assert "typer" in loaded
    assert not {"numpy", "pydantic", "rich", "pandas", "matplotlib", "jinja2", *FRAMEWORKS} & loaded


def test_explain_imports_numpy_but_neither_pandas_nor_matplotlib():
    loaded = called("explain", EXAMPLES["exponential, smooth"], "--samples", 1000, "--batch-size", 32, "--epochs", 2)
    assert "numpy" in loaded
    assert not {"pandas", "matplotlib", "rich", "jinja2", *FRAMEWORKS} & loaded


@pytest.fixture(scope="module")
def plan_file(small, tmp_path_factory):
    file = tmp_path_factory.mktemp("plan") / "plan.json"
    file.write_text(small.to_json(), encoding="utf-8")
    return file


def test_run_imports_no_framework_and_what_the_report_needs_on_another_thread(plan_file, tmp_path):
    loaded = imported_by(
        NOTE_WHERE_PANDAS_IS_IMPORTED + "from samestep._compare.command import main\n"
        f"try: main.main(['run', '--plan', {str(plan_file)!r}, '--out', {str(tmp_path / 'out')!r}])\n"
        "except SystemExit as stop: assert stop.code == 0, stop.code"
    )
    assert "PANDAS False True" in loaded
    assert {"pandas", "matplotlib", "jinja2"} <= loaded
    assert not FRAMEWORKS & loaded


def test_what_the_import_of_the_report_raises_is_told(plan_file, tmp_path):
    program = (
        "import sys\nsys.modules['matplotlib'] = None\nfrom samestep._compare.command import main\n"
        f"main.main(['run', '--plan', {str(plan_file)!r}, '--out', {str(tmp_path / 'out')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ModuleNotFoundError: " in done.stderr
    assert "matplotlib" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_module_is_imported_on_another_thread_and_its_error_raised_where_it_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "imported_ahead.py").write_text("import threading\nTHREAD = threading.current_thread()\n")
    (tmp_path / "broken_ahead.py").write_text("raise ImportError('half of it is missing')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with Ahead("imported_ahead") as ahead:
        ahead.begin()
        assert ahead.module().THREAD is not threading.main_thread()
    with Ahead("imported_ahead") as ahead:
        assert ahead.module().__name__ == "imported_ahead"
    with Ahead("broken_ahead") as ahead:
        ahead.begin()
        with pytest.raises(ImportError, match="half of it is missing"):
            ahead.module()


def test_a_program_that_leaves_has_written_all_and_keeps_its_exit_code():
    program = (
        "import sys, atexit; from samestep.experiment.programs.process import leave; atexit.register(print, 'taken apart'); "
        "print('told'); print('warned', file=sys.stderr); leave(3)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "told\n", "warned\n")
    nobody = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from samestep.experiment.programs.process import leave; sys.stdout = None; leave(2)",
        ],
        capture_output=True,
        check=False,
    )
    assert (nobody.returncode, nobody.stderr) == (2, b"")


def test_garbage_is_looked_for_again_after_an_import_even_one_that_fails():
    assert gc.isenabled()
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()


def test_help_names_every_subcommand_in_full():
    said = " ".join(samestep("--help").stdout.split())
    assert "Train every arm in both frameworks; write CSV, figures and the report." in said
    assert "what, and what to write so that it goes." in said
    assert "[bold]" not in samestep("run", "--help").stdout


def test_bare_steps_give_the_bits_of_whole_ones():
    done = subprocess.run(
        [sys.executable, PROGRAMS / "bare_torch.py"],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROGRAMS.parents[1],
    )
    told = json.loads(done.stdout)
    assert set(told) == set(EXAMPLES)
    assert [name for name, each in told.items() if not each["same"]] == []
    assert {"StepLR", "SequentialLR", "OneCycleLR"} <= {each["kind"] for each in told.values()}
