"""The command `samestep`. Nothing else in this folder prints."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from compare.explain import Explanation
    from compare.simulate import Simulation
    from compare.summary import Summary
    from experiment.clock import Clock, Stepping
    from experiment.plan import Plan
    from experiment.schedules import Schedule

DONE, DIFFERS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

SCHEDULE_HELP = (
    "JSON, a file of it, or a short form like 'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase'."
)
Spec = Annotated[str, typer.Argument(metavar="SCHEDULE", help=SCHEDULE_HELP, show_default=False)]
Samples = Annotated[int, typer.Option(help="Rows of data seen in an epoch.")]
BatchSize = Annotated[int, typer.Option(help="Rows in a batch.")]
DropLast = Annotated[bool, typer.Option("--drop-last", help="Leave out a last batch that is shorter.")]
Epochs = Annotated[int, typer.Option(help="Passes over the data.")]
Stepped = Annotated[
    str, typer.Option(metavar="step|epoch", help="How often the rate is looked up: before each update, or per epoch.")
]
Json = Annotated[str | None, typer.Option(metavar="FILE", help="Write the result as JSON; - for standard output.")]
Plot = Annotated[Path | None, typer.Option(help="Draw it: a .png, .svg or .pdf file.")]

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
    _check_targets([plan, folder, getattr(chosen.data, "path", None)], json)
    with output.folder(folder, force) as beside:
        with _progress(chosen) as on_progress:
            traces = runner.train(chosen, on_progress)
        from compare import results  # pandas and matplotlib: not before there is something to show

        summary = results.write(beside, chosen, traces)
    if json is not None:
        _write_json(json, (folder / "summary.json").read_text(encoding="utf-8"))
    if json != "-":
        _show(summary, chosen, folder)


@app.command(
    epilog="Example: [bold]samestep explain 'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase' "
    "--samples 1000 --batch-size 32 --epochs 50[/bold]"
)
def explain(
    schedule: Spec,
    samples: Samples,
    batch_size: BatchSize,
    epochs: Epochs,
    drop_last: DropLast = False,
    accumulate: Annotated[int, typer.Option(help="Batches whose gradients make one update.")] = 1,
    stepping: Stepped = "step",
    plot: Plot = None,
    json: Json = None,
) -> None:
    """When the rate changes, in steps, epochs and batches; needs no framework."""
    from compare import explain as explaining

    clock = _clock(samples, batch_size, drop_last, accumulate)
    _check_targets([schedule], json, plot=plot)
    explained = explaining.explain(_schedule(schedule), clock, _stepping(stepping), epochs)
    if plot is not None:
        from compare import schedule_figures

        _save_figure(schedule_figures.explained(explained), plot)
    if json is not None:
        _write_json(json, _json_text(explaining.to_json(explained)))
    if json != "-":
        _show_explanation(explained)


@app.command(
    epilog="Example: [bold]samestep simulate 'cosine:initial=0.1,floor=0,over=50 epochs,after=hold' "
    "--samples 1000 --batch-size 32 --epochs 50 --csv rates.csv[/bold]"
)
def simulate(
    schedule: Spec,
    samples: Samples,
    batch_size: BatchSize,
    epochs: Epochs,
    drop_last: DropLast = False,
    stepping: Stepped = "step",
    csv: Annotated[Path | None, typer.Option(help="Write one row per update.")] = None,
    plot: Plot = None,
    json: Json = None,
) -> int:
    """Ask the real schedulers of both frameworks, without training."""
    from compare import simulate as simulating
    from experiment.trace import write_csv
    from experiment.worker import missing

    clock = _clock(samples, batch_size, drop_last, 1)
    _check_targets([schedule], json, csv, plot)
    if absent := missing():
        raise _refused(absent)
    simulated = simulating.simulate(_schedule(schedule), clock, _stepping(stepping), epochs)
    if csv is not None:
        write_csv(csv, simulating.table(simulated))
    if plot is not None:
        from compare import schedule_figures

        _save_figure(schedule_figures.simulated(simulated), plot)
    if json is not None:
        _write_json(json, _json_text(simulating.to_json(simulated)))
    if json != "-":
        _show_simulation(simulated)
    return DONE if simulated.verdict == "same" else DIFFERS


@app.command(epilog="Example: [bold]samestep translate schedule.json --to torch --samples 1000 --batch-size 32[/bold]")
def translate(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A schedule of the vocabulary (JSON or short form), a Keras schedule's config (JSON), or a PyTorch "
            "scheduler's state_dict (JSON or .pt).",
            show_default=False,
        ),
    ],
    to: Annotated[str, typer.Option(metavar="torch|keras", help="The framework to write it for.")],
    samples: Annotated[int | None, typer.Option(help="Rows of data in an epoch, where units change.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a batch, where units change.")] = None,
    drop_last: DropLast = False,
    stepping: Stepped = "step",
    class_name: Annotated[
        str | None, typer.Option("--class", help="The scheduler's class, where the file does not say it.")
    ] = None,
    json: Json = None,
) -> int:
    """The same schedule in the other framework, as code, with proof."""
    from compare import translate as translating
    from experiment.worker import missing

    if to not in translating.TO:
        raise _refused(f"--to: got {to!r}. Write torch or keras.")
    if (samples is None) != (batch_size is None):
        raise _refused("--samples and --batch-size belong together. Write both.")
    clock = None if samples is None or batch_size is None else _clock(samples, batch_size, drop_last, 1)
    _check_targets([file], json)
    if absent := missing([translating.TO[to]]):
        raise _refused(absent)
    translated = translating.translate(file, translating.TO[to], clock, _stepping(stepping), class_name)
    if json is not None:
        _write_json(json, _json_text(translating.to_json(translated)))
    if json != "-":
        print(translated.code)
        for line in translating.proof_sentences(translated):
            print(f"# {line}")
    return DONE if translated.proof.verdict == "same" else DIFFERS


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
        name = re.sub(r"\.([^/]+)\.\d+\.partial$", r"\1", str(error.filename or "What was to be written"))
        return f"{name}: {error.strerror or error}. Name a place that can be used."
    if isinstance(error, (ValueError, RuntimeError)) and type(error).__module__.split(".")[0] in (
        "compare",
        "experiment",
    ):
        return str(error)
    said = f"{type(error).__name__}: {error}".replace("\n", " ")[:300]
    return f"{said}\nThis is a mistake in samestep. Run it again as samestep --traceback … and report what it shows."


def _fail(message: str, code: int) -> int:
    from rich.console import Console

    with suppress(OSError):  # nobody can be told; the exit code still says it
        Console(stderr=True, soft_wrap=True).print(
            message, style="bold" if code != INTERRUPTED else None, markup=False, highlight=False
        )
    return code


def _terminated(number: int, _: Any) -> None:
    raise SystemExit(128 + number)


def _check_targets(
    taken: Sequence[Path | str | None], json: str | None, csv: Path | None = None, plot: Path | None = None
) -> None:
    """Refuse before any work what could not be written after it."""
    used = [Path(each).resolve() for each in taken if each is not None and len(str(each)) < 200]
    for option, target in (("--json", json), ("--csv", csv), ("--plot", plot)):
        if target in (None, "-"):
            continue
        path = Path(str(target))
        if path.is_dir() or not path.absolute().parent.is_dir():
            name = str(target) or "A file without a name"
            raise _refused(f"{name} cannot be written. Name a file in a folder that exists with {option}.")
        if path.resolve() in used:
            raise _refused(f"{target} is read or written already. Name another file with {option}.")
        used.append(path.resolve())
    if plot is not None and plot.suffix not in (".png", ".svg", ".pdf"):
        raise _refused(f"--plot: got {str(plot)!r}. Write a name that ends in .png, .svg or .pdf.")


def _refused(message: str) -> ValueError:
    from compare.output import OutputError

    return OutputError(message)


def _schedule(text: str) -> Schedule:
    from experiment.schedules.text import parse

    return parse(text)


def _clock(samples: int, batch_size: int, drop_last: bool, accumulate: int) -> Clock:
    from experiment.clock import Clock

    try:
        return Clock(samples, batch_size, drop_last, accumulate)
    except ValueError as error:
        raise _refused(str(error)) from None


def _stepping(text: str) -> Stepping:
    if text == "step":
        return "step"
    if text == "epoch":
        return "epoch"
    raise _refused(f"--stepping: got {text!r}. Write step or epoch.")


def _json_text(value: Any) -> str:
    from experiment.trace import json_text

    return json_text(value)


def _save_figure(figure: Figure, path: Path) -> None:
    from experiment.trace import moved_into_place

    drawn = io.BytesIO()  # a pipe can only be written in one go
    figure.savefig(drawn, format=path.suffix[1:], dpi=150)
    with moved_into_place(path.resolve()) as beside:
        beside.write_bytes(drawn.getvalue())


def _write_json(target: str, text: str) -> None:
    from experiment.trace import moved_into_place

    if target == "-":
        sys.stdout.write(text)
        return
    path = Path(target).resolve()  # through a link, not in its place
    with moved_into_place(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[str, int, int, str], None]]:
    """A bar per framework on a terminal; elsewhere a line per arm."""
    from rich.console import Console

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
    from rich.console import Console
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


def _show_explanation(explained: Explanation) -> None:
    """The timeline in words, the changes as a table, the warnings with what to write instead.

    Without Rich, whose import and first print take a fifth of the time that this command may take.
    """
    from compare.explain import sentences

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**6

    def say(text: str, indent: str = "") -> None:
        print(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False))

    for text in sentences(explained):
        say(text)
    within = "batch" if explained.clock.accumulate == 1 else "update"
    rows: list[tuple[str, ...]] = [("change", "step", "epoch", within, "rate")]
    half, left_out = len(explained.shown) // 2, explained.changes - len(explained.shown)
    for index, change in enumerate(explained.shown):
        if left_out and index == half:
            rows.append(("…", "…", "…", "…", "…"))
        number = index + 1 + (left_out if index >= half else 0)
        place = change.place
        counts = (f"{each:,}" for each in (number, place.step, place.epoch, place.batch))
        rows.append((*counts, f"{change.lr:.6g}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if explained.shown else ():
        print("  ".join(cell.rjust(each) for cell, each in zip(row, widths, strict=True)))
    for doubt in explained.warnings:
        say(f"Warning: {doubt.says}")
        say(doubt.advice, indent="  ")


def _show_simulation(simulated: Simulation) -> None:
    """The changes as a table with all three rates, and how far each framework lies from the closed form."""
    from rich.console import Console
    from rich.table import Table

    from compare.runner import LABELS
    from compare.simulate import changes, changes_of, tolerance_words
    from compare.words import counted

    console = Console()
    total, rows = changes(simulated)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("step", "epoch", "batch", "closed form", *LABELS.values()):
        table.add_column(heading, justify="right")
    for index, row in enumerate(rows):
        if total > len(rows) - 1 and index == 1 + (len(rows) - 1) // 2:
            table.add_row(*["…"] * 6)
        rates = [row[name] for name in ("lr_closed_form", "lr_tensorflow", "lr_torch")]
        table.add_row(
            *(f"{row[name]:,}" for name in ("step", "epoch", "batch")),
            *("–" if rate is None else f"{rate:.9g}" for rate in rates),
        )
    console.print(table)
    steps = counted(len(simulated.lr_closed_form), "step")
    console.print(f"{counted(total, 'change')} of the closed form in {steps}.", highlight=False)
    if len(simulated.lr_closed_form) < simulated.run_steps:
        console.print(f"The schedule ends there; the run has {counted(simulated.run_steps, 'step')}.", highlight=False)
    for name, answer in simulated.answers.items():
        label, against = LABELS[name], simulated.against[name]
        parts = f", parts at step {against.parts_at}" if against.parts_at is not None else ""
        console.print(
            f"{label}: {answer.native}, {counted(len(changes_of(answer.lr)), 'change')}, at most "
            f"{against.max_ulp32:.2g} float32 ULP from the closed form ({against.max_relative:.1e} relative){parts}; "
            f"{tolerance_words(against)}.",
            markup=False,
            highlight=False,
        )
        if answer.note:
            console.print(f"  {answer.note}", markup=False, highlight=False)


if __name__ == "__main__":
    main()
