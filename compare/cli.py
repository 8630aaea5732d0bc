"""The command `samestep`. Nothing else in this folder prints."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from compare.summary import Summary
    from experiment.plan import Plan

DONE, WRONG_USE, INTERRUPTED = 0, 2, 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Do two training runs walk the same learning-rate schedule? If not: where do they part, and why?",
)


@app.callback()
def samestep(
    context: typer.Context,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Options that stand before the subcommand."""
    context.obj = {"traceback": traceback}


@app.command(epilog="Example: [bold]samestep run --plan plan.json --out out/mine --json -[/bold]")
def run(
    plan: Annotated[
        Path | None, typer.Option(help="The experiment as JSON. Left out: the default plan, 'question'.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write. Left out: out/ and the plan's name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier output of samestep.")] = False,
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the summary as JSON; - for standard output.")
    ] = None,
) -> None:
    """Train every arm in both frameworks; write CSV, figures and the report."""
    from compare import output, runner
    from experiment.plan import Plan, question
    from experiment.worker import missing

    chosen = question() if plan is None else Plan.load(plan)
    if absent := missing():
        raise output.OutputError(absent)
    folder = out or Path("out", chosen.name)
    _check_json_target(json, [plan, folder, getattr(chosen.data, "path", None)])
    with output.folder(folder, force) as beside:
        with _progress(chosen) as on_progress:
            traces = runner.train(chosen, on_progress)
        from compare import results  # pandas and matplotlib: not before there is something to show

        summary = results.write(beside, chosen, traces)
    if json is not None:
        _write_json(json, (folder / "summary.json").read_text(encoding="utf-8"))
    if json != "-":
        _show(summary, chosen, folder)


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 2 wrong use or a run that failed, 130 at Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores the latter
            signal.signal(number, _terminated)
    for name in ("stdout", "stderr"):  # closed, or of an encoding that lacks what an arm is called
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(_run(arguments, traceback="--traceback" in arguments))


def _run(arguments: list[str], traceback: bool) -> int:
    try:
        code = app(arguments, prog_name="samestep", standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except typer.TyperException as error:
        said = error.format_message() if hasattr(error, "format_message") else str(error)
        return _fail(f"{said} See samestep --help.", WRONG_USE)
    except SystemExit as stop:
        if stop.code == 1:  # Typer's word for a reader of standard output that has left, like head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        raise
    except Exception as error:
        if traceback:
            if log := getattr(error, "log", ""):
                print(log, file=sys.stderr)
            raise
        return _fail(_in_two_lines(error), WRONG_USE)
    if code == INTERRUPTED:
        return _fail("Interrupted; nothing was written.", INTERRUPTED)
    return code if isinstance(code, int) else DONE


def _in_two_lines(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'A file'}: {error.strerror or error}. Name a place that can be used."
    if isinstance(error, (ValueError, RuntimeError)) and type(error).__module__.split(".")[0] in (
        "compare",
        "experiment",
    ):
        return str(error)
    said = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
    return f"{said}\nThis is a mistake in samestep. Run it again as samestep --traceback … and report what it shows."


def _fail(message: str, code: int) -> int:
    Console(stderr=True, soft_wrap=True).print(
        message, style="bold" if code != INTERRUPTED else None, markup=False, highlight=False
    )
    return code


def _terminated(number: int, _: Any) -> None:
    raise SystemExit(128 + number)


def _check_json_target(json: str | None, taken: list[Path | str | None]) -> None:
    from compare.output import OutputError

    if json in (None, "-"):
        return
    if Path(json).is_dir() or not Path(json).absolute().parent.is_dir():
        raise OutputError(f"{json} cannot be written. Name a file in a folder that exists, or - for standard output.")
    if Path(json).resolve() in [Path(each).resolve() for each in taken if each is not None]:
        raise OutputError(f"{json} is the plan, its data or the output folder. Name another file with --json.")


def _write_json(target: str, text: str) -> None:
    from experiment.trace import moved_into_place

    if target == "-":
        sys.stdout.write(text)
        return
    path = Path(target).resolve()  # through a link, not in its place
    if path.exists() and not path.is_file():  # a pipe or a device
        path.write_text(text, encoding="utf-8")
        return
    with moved_into_place(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[str, int, int, str], None]]:
    """A bar per framework on a terminal; elsewhere a line per arm."""
    from compare.runner import LABELS

    console = Console(stderr=True)
    total = len(plan.seeds) * len(plan.arms) * plan.epochs
    if not console.is_terminal:

        def line(framework: str, done: int, total: int, arm: str) -> None:
            if done % plan.epochs == 0:
                with suppress(OSError):  # a reader that has left does not end the run
                    print(f"{LABELS[framework]}: {done} of {total} epochs, {arm} done", file=sys.stderr, flush=True)

        yield line
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.fields[label]:<8}"), BarColumn(), TextColumn("{task.completed}/{task.total} epochs"))
    with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[arm]}"), console=console) as bars:
        tasks = {name: bars.add_task("", total=total, label=label, arm="starting") for name, label in LABELS.items()}
        yield lambda framework, done, total, arm: bars.update(tasks[framework], completed=done, arm=arm)


def _show(summary: Summary, plan: Plan, folder: Path) -> None:
    """The verdict, a table of the arms, and where the report is."""
    from rich.table import Table

    from compare.report.sentences import advice, verdict, warnings

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("arm", "changes", "first change: step", "final rate", "rates", "losses"):
        table.add_column(heading)
    for arm in summary.arms:
        torch = arm.frameworks["torch"]
        first = torch.first_change
        table.add_row(
            arm.arm if len(plan.seeds) == 1 else f"{arm.arm}, seed {arm.seed}",
            str(torch.changes),
            f"{first.step} (epoch {first.epoch}, batch {first.batch})" if first else "never",
            f"{torch.final_lr:.6g}",
            arm.lr.verdict,
            arm.loss.verdict,
        )
    console.print(table)
    for text in filter(None, (verdict(summary, plan), advice(plan), *warnings(summary))):
        console.print(text, markup=False, highlight=False)
    console.print(f"Report: {folder / 'report.html'}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
