"""`samestep record` around whatever trains: several processes, forks, ends of every kind, and wrong use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LOOP = """
import sys
import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.rand(64, 3)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True, num_workers=WORKERS)
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
for epoch in range(4):
    for a, b in data:
        optimizer.zero_grad()
        loss = ((model(a) - b) ** 2).mean()
        loss.backward()
        optimizer.step()
        print(loss.item().hex())
    scheduler.step()
"""
RATES = [0.1] * 8 + [0.05] * 8


def script(folder: Path, end: str = "", workers: int = 0, begin: str = "") -> Path:
    path = folder / "train.py"
    path.write_text(begin + LOOP.replace("WORKERS", str(workers)) + end, encoding="utf-8")
    return path


def record(
    folder: Path, *command: str | Path, options: tuple[str, ...] = (), **more
) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "samestep", "record", "--out", "run.csv", *options, "--", *map(str, command)]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=600, **more)


def rates(path: Path) -> list[float]:
    return [float(line.split(",")[6]) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def facts(path: Path) -> dict:
    return json.loads(path.with_suffix(".facts.json").read_text(encoding="utf-8"))


def test_no_number_of_the_training_changes(tmp_path):
    train = script(tmp_path)
    plain = subprocess.run([sys.executable, train], cwd=tmp_path, capture_output=True, text=True, check=True)
    watched = record(tmp_path, sys.executable, train, options=("--no-check",))
    assert (watched.stdout, watched.returncode) == (plain.stdout, 0)
    assert rates(tmp_path / "run.csv") == RATES
    assert facts(tmp_path / "run.csv")["steps_per_epoch"] == 4


def test_the_script_s_own_arguments_folder_input_and_code(tmp_path):
    end = "print(sys.argv[1:], __name__, sys.path[0], input())\nimport os; print(os.getcwd())\nsys.exit(7)\n"
    train = script(tmp_path, end)
    done = record(tmp_path, sys.executable, "train.py", "--lr", "--out", "x y", input="from outside\n")
    assert done.returncode == 7
    said = done.stdout.splitlines()[-2:]
    assert said == [f"['--lr', '--out', 'x y'] __main__ {tmp_path} from outside", str(tmp_path)]
    assert rates(tmp_path / "run.csv") == RATES
    assert "ended with 7" in done.stderr
    assert train.exists()


def test_workers_of_a_data_loader_record_nothing_of_their_own(tmp_path):
    done = record(tmp_path, sys.executable, script(tmp_path, workers=2))
    assert done.returncode == 0, done.stderr
    assert rates(tmp_path / "run.csv") == RATES
    assert [path.name for path in tmp_path.glob("run*.csv")] == ["run.csv"]


def test_an_exception_is_the_script_s(tmp_path):
    done = record(tmp_path, sys.executable, script(tmp_path, "raise ValueError('mine')\n"))
    assert done.returncode == 1
    assert "ValueError: mine" in done.stderr
    assert (rates(tmp_path / "run.csv"), facts(tmp_path / "run.csv")["ended"]) == (RATES, "raised")


@pytest.mark.parametrize(
    "end",
    [
        "import os, time; time.sleep(3); os._exit(0)\n",
        "import os, signal, time\ntime.sleep(3); os.kill(os.getpid(), signal.SIGKILL)\n",
    ],
)
def test_what_was_recorded_is_there_when_nothing_could_be_said_at_the_end(tmp_path, end):
    done = record(tmp_path, sys.executable, script(tmp_path, end))
    assert rates(tmp_path / "run.csv") == RATES
    assert facts(tmp_path / "run.csv")["ended"] is None
    assert done.returncode == (0 if "_exit" in end else 128 + signal.SIGKILL)


@pytest.mark.parametrize(("option", "count", "lines"), [("--updates", "5", 5), ("--epochs", "2", 8)])
def test_it_ends_as_a_script_does_that_is_done(tmp_path, option, count, lines):
    begin = "import atexit; atexit.register(print, 'at exit')\n"
    done = record(tmp_path, sys.executable, script(tmp_path, begin=begin), options=(option, count, "--no-check"))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "at exit")
    assert len(rates(tmp_path / "run.csv")) == lines
    assert facts(tmp_path / "run.csv")["cut_by"] == option.removeprefix("--")


def test_two_processes_have_a_file_each(tmp_path):
    begin = "import torch.distributed as dist; dist.init_process_group('gloo')\n"
    script(tmp_path, "dist.destroy_process_group()\n", begin=begin)
    done = record(
        tmp_path, sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", "train.py"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    both = [tmp_path / "run.csv", tmp_path / "run-1.csv"]
    assert [rates(path) for path in both] == [RATES, RATES]
    assert [facts(path)["process"] for path in both] == [{"rank": rank, "world_size": 2} for rank in (0, 1)]


def test_accelerate_launches_it(tmp_path):
    text = LOOP.replace("WORKERS", "0").replace(
        "for epoch in",
        "from accelerate import Accelerator\naccelerator = Accelerator(cpu=True)\n"
        "model, optimizer, data, scheduler = accelerator.prepare(model, optimizer, data, scheduler)\nfor epoch in",
        1,
    )
    (tmp_path / "train.py").write_text(text.replace("loss.backward()", "accelerator.backward(loss)"), encoding="utf-8")
    done = record(
        tmp_path,
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--cpu",
        "--num_processes=1",
        "train.py",
        env=os.environ | {"ACCELERATE_USE_CPU": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert rates(tmp_path / "run.csv") == RATES


def test_a_shell_script_and_both_frameworks(tmp_path):
    script(tmp_path, begin="import keras\n")
    (tmp_path / "run.sh").write_text(f"cd {tmp_path}\n{sys.executable} train.py > log.txt\n", encoding="utf-8")
    done = record(tmp_path, "sh", "run.sh", env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert (rates(tmp_path / "run.csv"), facts(tmp_path / "run.csv")["framework"]) == (RATES, "torch")


CELLS = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel()
for cell in {cells!r}:
    client.execute_interactive(cell)
client.stop_channels()
manager.shutdown_kernel()
"""


def test_a_notebook_is_recorded_with_its_cells(tmp_path):
    """Its kernel is a process of its own, and a cell has a number where a script has a name."""
    made, loop = LOOP.replace("WORKERS", "0").split("for epoch")
    (tmp_path / "notebook.py").write_text(CELLS.format(cells=[made, f"for epoch{loop}"]), encoding="utf-8")
    done = record(tmp_path, sys.executable, "notebook.py")
    assert done.returncode == 0, done.stderr
    assert rates(tmp_path / "run.csv") == RATES
    (scheduler,) = facts(tmp_path / "run.csv")["schedulers"]
    assert scheduler["made"]["file"] == "In [1]"
    assert [each["file"] for each in scheduler["steps"]] == ["In [2]"]


def test_the_user_s_own_start_is_kept(tmp_path):
    """A `sitecustomize` on the path is loaded as before, and PYTHONPATH stands behind ours."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sitecustomize.py").write_text("started = True\n", encoding="utf-8")
    done = record(
        tmp_path,
        sys.executable,
        "-c",
        "import sitecustomize, sys; print(sitecustomize.started, [p for p in sys.path if 'starting' in p])",
        env=os.environ | {"PYTHONPATH": str(tmp_path / "mine")},
    )
    assert done.stdout == "True []\n"


WRONG = {
    "no command": ((), "There is no command. Write it after --"),
    "a command that is not there": (("no-such-program",), "no-such-program: there is no such command."),
    "no Python": (("true",), "started no Python that reads PYTHONPATH"),
    "no framework": ((sys.executable, "-c", "pass"), "imported neither torch nor keras"),
    "no update": ((sys.executable, "-c", "import torch"), "made no update"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_line_says_what_is_wrong(tmp_path, name):
    command, said = WRONG[name]
    done = record(tmp_path, *command)
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.returncode == (2 if "command" in name else 3)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_is_there_is_kept_unless_asked(tmp_path):
    (tmp_path / "run.csv").write_text("mine\n", encoding="utf-8")
    done = record(tmp_path, sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--force to replace it, --append to continue it" in done.stderr
    assert (tmp_path / "run.csv").read_text() == "mine\n"
    missing = record(tmp_path, "true", options=("--out", "no/such/run.csv"))
    assert (missing.returncode, "no/such" in missing.stderr) == (2, True)


def test_a_resumed_run_is_continued(tmp_path):
    train = script(tmp_path)
    assert record(tmp_path, sys.executable, train, options=("--no-check",)).returncode == 0
    assert record(tmp_path, sys.executable, train, options=("--append", "--no-check")).returncode == 0
    assert rates(tmp_path / "run.csv") == RATES * 2
    assert record(tmp_path, sys.executable, train, options=("--force", "--no-check")).returncode == 0
    assert rates(tmp_path / "run.csv") == RATES


def test_ctrl_c_is_the_script_s(tmp_path):
    """The terminal sends it to every process; the script may go on, and its recording is kept."""
    train = script(
        tmp_path,
        "import time\ntry:\n    print('waits', flush=True); time.sleep(60)\nexcept KeyboardInterrupt:\n    print('stopped')\n",
    )
    words = [
        sys.executable,
        "-m",
        "samestep",
        "record",
        "--out",
        "run.csv",
        "--no-check",
        "--",
        sys.executable,
        str(train),
    ]
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line == "waits\n":
            break
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    assert (process.returncode, rest) == (0, "stopped\n")
    assert rates(tmp_path / "run.csv") == RATES
