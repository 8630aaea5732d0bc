"""`tf_impl` and `torch_impl` are a parallel text: the same files, public names, order and signatures."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
KERAS, TORCH = HOUSE / "tf_impl", HOUSE / "torch_impl"
FILES = sorted(path.name for path in KERAS.glob("*.py"))

# methods that Keras itself calls on a callback; a PyTorch loop has no such calls
CALLED_BY_KERAS = {"on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"}
# where the two frameworks differ by nature, only the names that both have are held against each other
NOT_THE_SAME = {
    "natives.py": "each lacks other schedules, and PyTorch counts calls of scheduler.step()",
    "noted.py": "only PyTorch has schedulers that are stepped, and groups that anybody may write to",
    "reading.py": "PyTorch saves a state without its class",
    "schedules.py": "a live schedule of Keras is already what the optimizer takes",
    "stacked.py": "Keras makes many updates in one graph, PyTorch one after the other",
    "watching.py": "Keras has `fit` and callbacks, PyTorch schedulers that are stepped",
    "stand_ins.py": "each lacks other schedules, and Keras saves them",
}
# PyTorch's optimizers are made with the parameters, Keras' are given them by `fit`; its schedulers with an optimizer,
# which has groups of parameters; Keras' objects keep what they were made with
ONE_SIDE_ONLY = {
    ("training.py", "optimizer"): "parameters",
    ("natives.py", "made"): "optimizer",
    ("reading.py", "read"): "group",
    ("noted.py", "arguments"): "call",
}


def public(path: Path) -> list[tuple[str, ...]]:
    """Public functions, classes and methods in order, each with the names of its arguments."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found.append((node.name, *arguments(node, path)))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found.append((node.name,))
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_"):
                    found.append((f"{node.name}.{member.name}", *arguments(member, path)))
                if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                    found.append((f"{node.name}.{member.target.id}",))
    return [each for each in found if each[0].split(".")[-1] not in CALLED_BY_KERAS]


def arguments(node: ast.FunctionDef, path: Path) -> list[str]:
    given = node.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [name for name in names if name != ONE_SIDE_ONLY.get((path.name, node.name))]


def test_both_folders_hold_the_same_files():
    assert sorted(path.name for path in TORCH.glob("*.py")) == FILES
    assert {"schedules.py", "model.py", "training.py", "simulate.py", "recorder.py", "__main__.py"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_public_names_order_and_signatures_are_the_same(name):
    keras, torch = public(KERAS / name), public(TORCH / name)
    if name in NOT_THE_SAME:
        shared = {each[0] for each in keras} & {each[0] for each in torch}
        keras, torch = ([each for each in found if each[0] in shared] for found in (keras, torch))
        assert len(keras) > 1
    assert keras == torch


# `variants.py` is a program and nothing else
@pytest.mark.parametrize("name", [name for name in FILES if name not in ("__init__.py", "variants.py")])
def test_there_is_something_to_compare(name):
    assert public(KERAS / name)


@pytest.mark.parametrize("folder", [KERAS, TORCH], ids=["tf_impl", "torch_impl"])
def test_neither_asks_which_framework_it_is(folder):
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.If, ast.IfExp)):
                assert "framework" not in ast.unparse(node.test), path
