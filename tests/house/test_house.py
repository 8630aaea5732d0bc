"""The walls of the house: who may import whom, and what must not be imported at all."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import imported_by

HOUSE = Path(__file__).parents[2]
FRAMEWORKS = ("tensorflow", "keras", "torch")


def test_imports_point_one_way():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_help_imports_neither_pandas_nor_matplotlib():
    loaded = imported_by(
        "from samestep._compare.command import main\ntry: main.main(['run', '--help'])\nexcept SystemExit: pass"
    )
    assert "typer" in loaded
    assert not {"pandas", "matplotlib", *FRAMEWORKS} & loaded


@pytest.mark.parametrize(
    "module",
    [
        "samestep",
        "samestep._compare.command.main",
        "samestep._compare.diagnose",
        "samestep._compare.readers",
        "samestep._compare.training",
        "samestep._compare.workers.runner",
        "samestep._compare.schedule.figures",
        "samestep._compare.schedule.translate",
    ],
)
def test_compare_never_imports_a_framework(module):
    loaded = imported_by(f"import {module}")
    assert "samestep" in loaded
    assert not set(FRAMEWORKS) & loaded


def test_experiment_needs_numpy_and_pydantic_only():
    loaded = imported_by(
        "from samestep.experiment import controls, plan, trace\nfrom samestep.experiment.programs import train"
    )
    assert not {"pandas", "matplotlib", "typer", "rich", "jinja2", *FRAMEWORKS} & loaded


@pytest.mark.parametrize(("package", "other"), [("tf_impl", {"torch"}), ("torch_impl", {"tensorflow", "keras"})])
def test_each_implementation_imports_its_own_framework_only(package, other):
    loaded = imported_by(f"import {package}.training")
    assert not other & loaded


def test_only_the_command_and_the_workers_print():
    printing = [
        path.relative_to(HOUSE).as_posix()
        for folder in ("samestep", "tf_impl", "torch_impl", "compare")
        for path in sorted((HOUSE / folder).rglob("*.py"))
        if any(map(_prints, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
    ]
    assert printing == [
        "samestep/experiment/programs/process.py",
        "samestep/experiment/programs/simulate.py",
        "samestep/experiment/programs/train.py",
        "samestep/experiment/programs/variants.py",
        "compare/command/terminal.py",
    ]


def _prints(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
