"""Starts one fresh process per framework, listens to them, and leaves none behind."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from samestep.experiment.frameworks import BY_NAME
from samestep.experiment.plan import FRAMEWORKS, Framework, Plan
from samestep.experiment.programs.engines import Device, Engine
from samestep.experiment.programs.simulate import Answer, Request
from samestep.experiment.programs.variants import Variant, to_json
from samestep.experiment.trace import Trace

_PROGRESS = re.compile(r"(?P<done>\d+)/(?P<total>\d+) (?P<arm>.+)")
_SIGNALS = {each.value: each.name for each in signal.Signals}
_ENDING = [each for each in signal.Signals if each.name in ("SIGINT", "SIGTERM", "SIGHUP")]

OnProgress = Callable[[Framework, int, int, str], None]
"""Called with the framework, the epochs done, the epochs in all, and the arm at hand."""


class WorkerError(RuntimeError):
    """A worker that did not finish. The message is one or two lines; `log` is all that it wrote."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


@dataclass
class _Worker:
    framework: Framework
    process: subprocess.Popen[str]
    log: Path
    out: Path
    last_line: str = ""
    reader: threading.Thread | None = None


def threads_each(workers: int) -> int:
    """Threads for each of several workers that share this machine's cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // workers)


def train(
    plan: Plan,
    on_progress: OnProgress,
    engine: Engine,
    device: Device,
    on_started: Callable[[], None],
) -> dict[Framework, Trace]:
    """Train a plan in each framework, all at once.

    engine, device : how updates are made, and where, see `experiment.programs.engines`.
    on_started : called when all workers are on their way.
    Returns the trace of each. Raises WorkerError for the first worker that does not finish; the others are stopped
    before it is raised, as they are at Ctrl-C.
    """
    with tempfile.TemporaryDirectory(prefix="samestep-") as folder, ExitStack() as stack:
        plan_file = Path(folder, "plan.json")
        plan_file.write_text(plan.to_json(), encoding="utf-8")
        workers = []
        for framework in FRAMEWORKS:
            out = Path(folder, f"trace-{framework}.npz")
            arguments = [BY_NAME[framework].package, str(plan_file), str(out), engine, device]
            workers.append(_start(stack, framework, arguments, out, threads_each(len(FRAMEWORKS))))
        on_started()
        _listen(workers, on_progress)
        return {worker.framework: Trace.load(worker.out) for worker in workers}


def train_variants(wanted: Mapping[Framework, Sequence[Variant]], on_progress: OnProgress) -> None:
    """Train variants of one run in each framework, all frameworks at once; each writes its own file when it is done.

    on_progress : called with the framework, the variants done, the variants in all, and what was trained.
    Raises WorkerError for the first that fails; what was written until then stays.
    """
    with tempfile.TemporaryDirectory(prefix="samestep-") as folder, ExitStack() as stack:
        workers = []
        for framework, variants in wanted.items():
            log = Path(folder, framework)
            module = f"{BY_NAME[framework].package}.variants"
            # the matrices of a plan are small: threads would wait for each other, longest where cores are shared
            worker = _start(stack, framework, [module], log, 1, subprocess.PIPE)
            _tell(worker, to_json(variants))
            workers.append(worker)
        _listen(workers, on_progress)


def ask(requests: Mapping[Framework, Request]) -> dict[Framework, Answer]:
    """Ask frameworks for their native schedules, all at once.

    Raises WorkerError, with what the framework found wrong, for the first that does not answer.
    """
    with _asking(list(requests)) as workers:
        for worker in workers:
            _tell(worker, requests[worker.framework].to_json())
        _listen(workers, lambda *_: None)
        return {worker.framework: Answer.load(worker.out) for worker in workers}


def ask_in_turn(
    first: Framework, request: Request, second: Framework, follow: Callable[[Answer], Request]
) -> tuple[Answer, Answer]:
    """Ask one framework, and then another what follows from its answer; both are started at once.

    Raises WorkerError, with what the framework found wrong, for the first that does not answer.
    """
    with _asking([first, second]) as (one, other):
        _tell(one, request.to_json())
        _listen([one], lambda *_: None)
        answer = Answer.load(one.out)
        _tell(other, follow(answer).to_json())
        _listen([other], lambda *_: None)
        return answer, Answer.load(other.out)


@contextmanager
def _asking(frameworks: Sequence[Framework]) -> Iterator[list[_Worker]]:
    """A worker for each, which waits for its request."""
    with tempfile.TemporaryDirectory(prefix="samestep-") as folder, ExitStack() as stack:
        workers = []
        for place, framework in enumerate(frameworks):
            out = Path(folder, f"answer-{place}.npz")
            arguments = [f"{BY_NAME[framework].package}.simulate", "-", str(out)]
            workers.append(_start(stack, framework, arguments, out, threads_each(len(frameworks)), subprocess.PIPE))
        yield workers


def _tell(worker: _Worker, request: str) -> None:
    assert worker.process.stdin is not None
    with suppress(BrokenPipeError):  # it has died, and `_listen` says of what
        worker.process.stdin.write(request)
        worker.process.stdin.close()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that would end the command wait for the end of the block."""
    if threading.current_thread() is not threading.main_thread():  # another one is never disturbed
        yield
        return
    came: list[int] = []
    handlers = {number: handler for number in _ENDING if callable(handler := signal.getsignal(number))}
    for number in handlers:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for coming in came:
            signal.raise_signal(coming)


def _start(
    stack: ExitStack,
    framework: Framework,
    arguments: Sequence[str],
    out: Path,
    threads: int,
    stdin: int = subprocess.DEVNULL,
) -> _Worker:
    """A new worker, which ends with the stack."""
    log = out.with_suffix(".log")
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}  # a notebook's own
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), str(threads))
    environment["PYTHONIOENCODING"] = "utf-8"
    with log.open("wb") as stderr, _undisturbed():  # or a worker might go on that nobody would stop
        process = subprocess.Popen(
            # -P: nothing in the user's folder may stand in for our packages
            [sys.executable, "-P", "-m", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop the worker with all it started
        )
        worker = _Worker(framework, process, log, out)
        stack.callback(_stop, worker)
    return worker


def _listen(workers: Sequence[_Worker], on_progress: OnProgress) -> None:
    """Pass progress on until every worker has finished; raise for the first that fails."""
    lines: queue.Queue[tuple[_Worker, str | None]] = queue.Queue()

    def read(worker: _Worker) -> None:
        assert worker.process.stdout is not None
        for line in worker.process.stdout:
            lines.put((worker, line))
        lines.put((worker, None))

    for worker in workers:
        worker.reader = threading.Thread(target=read, args=(worker,), daemon=True)
        worker.reader.start()
    running = len(workers)
    while running:
        worker, line = lines.get()
        if line is None:
            running -= 1
            if worker.process.wait() != 0:
                raise _failure(worker)
        elif found := _PROGRESS.fullmatch(line.strip()):
            worker.last_line = line.strip()
            on_progress(worker.framework, int(found["done"]), int(found["total"]), found["arm"])


def _failure(worker: _Worker) -> WorkerError:
    code = worker.process.returncode
    log = worker.log.read_text(encoding="utf-8", errors="replace")
    words = [line.strip() for line in log.splitlines() if line.strip()]
    last = words[-1][:400] if words else "It said nothing."
    if code == 2:  # it knows what is wrong, and said so
        return WorkerError(last, log)
    reached = f"after {worker.last_line}" if worker.last_line else "before its first epoch"
    if code < 0:
        how = f"was killed by {_SIGNALS.get(-code, f'signal {-code}')}"
        hint = "Out of memory? Make the plan smaller." if -code == signal.SIGKILL else f"Its last words: {last}"
    else:
        how = f"died with exit code {code}"
        hint = f"{last} (--traceback shows all it said)"
    return WorkerError(f"The {worker.framework} worker {how} {reached}; nothing was written.\n{hint}", log)


def _stop(worker: _Worker) -> None:
    if worker.process.poll() is None:
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
    if worker.reader is not None:
        worker.reader.join()  # it would fall over a stream that was closed under it
    for stream in (worker.process.stdout, worker.process.stdin):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
