"""The command from outside: wrong use, output folders, dying workers, Ctrl-C. One or two lines, and nothing left behind."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import PATIENCE, default_signals, samestep

from samestep._compare.workers import runner
from samestep.experiment.plan import question

LONG = question().replace(name="long", epochs=20_000)


def lines(done):
    """The error that was said: what a user reads."""
    return [line for line in done.stderr.splitlines() if " epochs, " not in line]


def children(process):
    """Workers of a running command, from the process table."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes().split(b"\0")
            if parent == process.pid:
                found |= {
                    package: int(entry.name) for package in ("tf_impl", "torch_impl") if package.encode() in command
                }
    return found


def alive(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


@contextlib.contextmanager
def running(tmp_path):
    """A long run with both workers under way, in a session of its own."""
    (tmp_path / "plan.json").write_text(LONG.to_json())
    with default_signals():
        process = subprocess.Popen(
            [sys.executable, "-m", "samestep", "run", "--plan", "plan.json"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    try:
        workers = until(lambda: len(found := children(process)) == 2 and found)
        yield process, workers
    finally:
        process.kill()
        process.communicate()


def left_behind(tmp_path):
    return sorted(path.name for path in tmp_path.rglob("*") if path.name not in ("plan.json", "out"))


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["ctrl-c", "terminated", "hung-up"],
)
def test_interrupted_run_leaves_nothing_behind(tmp_path, number, code):
    with running(tmp_path) as (process, workers):
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == code
        assert said == ("Interrupted; nothing was written.\n" if code == 130 else "")
        assert not any(alive(pid) for pid in workers.values())
        assert left_behind(tmp_path) == []


STARTING = """
import os, signal, subprocess, sys
from samestep._compare.command import main

start = subprocess.Popen._execute_child

def started(self, *arguments, **options):
    start(self, *arguments, **options)
    print(self.pid, flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))

subprocess.Popen._execute_child = started
main.main(["run", "--plan", "plan.json"])
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_while_a_worker_starts_leaves_none(tmp_path, number, code):
    """The signal comes when the process is there, and nobody has noted it yet."""
    (tmp_path / "plan.json").write_text(LONG.to_json())
    call = [sys.executable, "-c", STARTING, str(int(number))]
    with default_signals():
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code
    (worker,) = map(int, done.stdout.split())
    assert not alive(worker)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("package", ["tf_impl", "torch_impl"])
def test_killed_worker_ends_the_run_and_is_named(tmp_path, package):
    with running(tmp_path) as (process, workers):
        os.kill(workers[package], signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE)
        framework = {"tf_impl": "tensorflow", "torch_impl": "torch"}[package]
        assert process.returncode == 2
        assert f"The {framework} worker was killed by SIGKILL" in said
        assert len(said.splitlines()) == 2
        assert not any(alive(pid) for pid in workers.values())
        assert left_behind(tmp_path) == []


def test_workers_do_not_outlive_a_command_that_was_killed(tmp_path):
    with running(tmp_path) as (process, workers):
        process.kill()
        process.wait()
        until(lambda: not any(alive(pid) for pid in workers.values()))


def broken(tmp_path, module, text):
    """A folder in which a module stands that takes the place of the real one."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / f"{module}.py").write_text(text)
    return {"PYTHONPATH": str(folder)}


def test_dying_worker_ends_the_run_and_says_why(tmp_path, small):
    (tmp_path / "plan.json").write_text(small.to_json())
    environment = broken(tmp_path, "torch", "raise RuntimeError('no such instruction')")
    done = samestep("run", "--plan", "plan.json", cwd=tmp_path, **environment)
    assert done.returncode == 2
    assert len(lines(done)) == 2
    assert "The torch worker died with exit code 1 before its first epoch; nothing was written." in done.stderr
    assert "RuntimeError: no such instruction" in done.stderr
    assert not (tmp_path / "out" / "small").exists()
    whole = samestep("--traceback", "run", "--plan", "plan.json", cwd=tmp_path, **environment)
    assert "Traceback" in whole.stderr
    assert "in <module>" in whole.stderr


@pytest.mark.parametrize("framework", ["tensorflow", "torch"])
def test_missing_framework_is_named_with_the_pip_command(tmp_path, framework):
    environment = broken(tmp_path, "sitecustomize", f"import sys; sys.modules[{framework!r}] = None")
    done = samestep("run", cwd=tmp_path, **environment)
    assert done.returncode == 2
    assert lines(done) == [f"{framework} is not installed. Run: pip install 'samestep[{framework}]'"]
    package = {"tensorflow": "tf_impl", "torch": "torch_impl"}[framework]
    (tmp_path / "plan.json").write_text(question().to_json())
    alone = subprocess.run(
        [sys.executable, "-m", package, "plan.json", "out.npz"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    assert alone.returncode == 2
    assert alone.stderr.splitlines()[-1] == f"{framework} is not installed. Run: pip install 'samestep[{framework}]'"


def test_both_frameworks_missing_is_one_line(tmp_path):
    environment = broken(
        tmp_path, "sitecustomize", "import sys; sys.modules['torch'] = sys.modules['tensorflow'] = None"
    )
    done = samestep("run", cwd=tmp_path, **environment)
    assert lines(done) == ["tensorflow and torch are not installed. Run: pip install 'samestep[tensorflow,torch]'"]


def test_folders_of_the_users_do_not_stand_in_for_ours(tmp_path, small):
    for name in ("experiment", "keras", "torch"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not this one')")
    (tmp_path / "plan.json").write_text(small.to_json())
    done = samestep("run", "--plan", "plan.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_tensorflows_chatter_stays_out_of_the_way(tmp_path, small):
    (tmp_path / "plan.json").write_text(small.to_json())
    done = samestep("run", "--plan", "plan.json", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0
    assert lines(done) == []
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "small" / "summary.json").read_text())


def test_json_goes_to_a_file_as_well(tmp_path, small):
    (tmp_path / "plan.json").write_text(small.to_json())
    done = samestep("run", "--plan", "plan.json", "--json", "s.json", cwd=tmp_path)
    assert "Report: out/small/report.html" in done.stdout
    assert (tmp_path / "s.json").read_text() == (tmp_path / "out" / "small" / "summary.json").read_text()


WRONG_USE = {
    "absent-plan": (["run", "--plan", "absent.json"], "absent.json: No such file or directory."),
    "broken-plan": (["run", "--plan", "broken.json"], "broken.json: not JSON"),
    "wrong-plan": (["run", "--plan", "wrong.json"], "wrong.json: epochs: got 0. Write a number of at least 1."),
    "no-unit": (["run", "--plan", "unit.json"], "'25' has no unit. Write '25 steps' or '25 epochs'."),
    "output-exists": (
        ["run", "--out", "mine"],
        "mine exists. Name another folder with --out, or replace it with --force.",
    ),
    "output-not-ours": (
        ["run", "--out", "mine", "--force"],
        "mine holds no output of samestep, so --force leaves it alone.",
    ),
    "output-is-a-file": (["run", "--out", "file", "--force"], "file is not a folder"),
    "output-in-a-file": (["run", "--out", "file/x"], "file/x cannot be written: file is not a folder."),
    "output-not-writable": (["run", "--out", "/proc/x"], "/proc/x cannot be written"),
    "json-nowhere": (["run", "--json", "nowhere/s.json"], "nowhere/s.json cannot be written."),
    "json-is-the-plan": (
        ["run", "--plan", "right.json", "--json", "right.json"],
        "right.json is read or written already",
    ),
    "json-is-the-output": (["run", "--out", "new", "--json", "new"], "new is read or written already"),
    "engine": (["run", "--engine", "quick"], "engine: got 'quick'. Write one of fast, plain, graph, xla."),
    "device": (["run", "--device", "tpu"], "device: got 'tpu'. Write one of cpu, gpu."),
    "unknown-option": (["run", "--plam", "x"], "No such option: --plam"),
    "unknown-command": (["rnu"], "No such command 'rnu'."),
    "stray-argument": (["run", "plan.json"], "unexpected extra argument"),
}


@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_is_a_line_or_two_and_exit_code_2(tmp_path, case):
    arguments, says = WRONG_USE[case]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "broken.json").write_text("{")
    plan = json.loads(question().to_json())
    (tmp_path / "right.json").write_text(json.dumps(plan))
    (tmp_path / "wrong.json").write_text(json.dumps(plan | {"epochs": 0}))
    plan["arms"][1]["schedule"]["every"] = "25"
    (tmp_path / "unit.json").write_text(json.dumps(plan))
    before = sorted(tmp_path.rglob("*"))
    done = samestep(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert 1 <= len(done.stderr.splitlines()) <= 2
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_force_replaces_an_earlier_output(tmp_path, small):
    (tmp_path / "plan.json").write_text(small.to_json())
    assert samestep("run", "--plan", "plan.json", cwd=tmp_path).returncode == 0
    out = tmp_path / "out" / "small"
    trace = (out / "trace.csv").read_bytes()
    (out / "trace.csv").write_text("")
    refused = samestep("run", "--plan", "plan.json", cwd=tmp_path)
    assert refused.returncode == 2
    notes = out / "notes.txt"
    notes.write_text("mine")
    refused = samestep("run", "--plan", "plan.json", "--force", cwd=tmp_path)
    assert "out/small holds notes.txt, which samestep did not write" in refused.stderr
    refused = samestep("run", "--plan", "../../plan.json", "--out", ".", "--force", cwd=out)
    assert ". is the current folder" in refused.stderr
    assert notes.read_text() == "mine"
    notes.unlink()
    assert samestep("run", "--plan", "plan.json", "--force", cwd=tmp_path).returncode == 0
    assert (out / "trace.csv").read_bytes() == trace
    assert left_over(tmp_path / "out") == ["small"]


def left_over(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "two files, got 0"),
        (["plan.json"], "two files, got 1"),
        (["plan.json", "out.txt"], "ends in .npz or .csv"),
        (["plan.json", "folder.csv"], "folder.csv is a folder"),
        (["plan.json", "nowhere/out.npz"], "there is no folder nowhere"),
        (["absent.json", "out.npz"], "absent.json: No such file"),
        (["plan.json", "out.npz", "fast", "cpu", "more"], "two files, got 5"),
        (["plan.json", "out.npz", "quick"], "engine: got 'quick'"),
        (["plan.json", "out.npz", "fast", "tpu"], "device: got 'tpu'"),
    ],
)
@pytest.mark.parametrize("package", ["tf_impl", "torch_impl"])
def test_worker_by_itself_says_what_is_wrong(tmp_path, package, arguments, says):
    (tmp_path / "folder.csv").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", package, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there may be a GPU")
def test_a_gpu_that_is_not_there_is_said_in_a_line(tmp_path, small):
    (tmp_path / "plan.json").write_text(small.to_json())
    done = samestep("run", "--plan", "plan.json", "--device", "gpu", cwd=tmp_path)
    assert done.returncode == 2
    assert re.search("sees no GPU here. Leave --device out, or install (TensorFlow|PyTorch) for one.$", done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert left_over(tmp_path) == ["plan.json"]


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"]])
def test_help_has_an_example(arguments):
    done = samestep(*arguments)
    assert done.returncode == 0
    if arguments[0] == "run":
        assert "Example: samestep run --plan" in " ".join(done.stdout.split())


def test_threads_are_shared_out():
    cores = len(os.sched_getaffinity(0))
    assert runner.threads_each(2) == max(1, cores // 2)
    assert runner.threads_each(10**6) == 1
