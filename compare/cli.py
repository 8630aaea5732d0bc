"""The command `samestep`. Nothing else in this folder prints."""

from __future__ import annotations

import gc
import io
import os
import re
import shutil
import signal
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from compare import options

DONE, DIFFERS, WRONG_USE, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 130

SCHEDULE_HELP = (
    "JSON, a file of it, or a short form like 'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase'."
)
SIDE_HELP = (
    "A trace, a log (CSV, JSON lines, Lightning, Hugging Face, Keras, TensorBoard, Weights & Biases, MLflow), a folder "
    "of a run, or a schedule as for explain."
)
SETTINGS_HELP = (
    "What A alone needs: framework=, arm=, seed= to select; step_base=, lr_timing=used|next, loss_kind=, format=, "
    "column.step=, column.lr= to say what its log means."
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
    rich_markup_mode=None,  # Rich's help takes as long as all the rest of --help
    help="Do two training runs walk the same learning-rate schedule? If not: where do they part, and why?",
)


@app.callback()
def samestep(
    context: typer.Context,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Options that stand before the subcommand."""
    context.obj = {"traceback": traceback}


@app.command(epilog="Example: samestep run --plan plan.json --out out/mine --json -")
def run(
    plan: Annotated[
        Path | None, typer.Option(help="The experiment as JSON. Left out: the default plan, 'question'.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write. Left out: out/ and the plan's name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier output of samestep.")] = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="fast|plain|graph|xla",
            help="How updates are made: the fastest way, the plain loop that everybody writes, or how Keras compiles.",
        ),
    ] = "fast",
    device: Annotated[
        str, typer.Option(metavar="cpu|gpu", help="Where both frameworks train. Nothing here is in need of a GPU.")
    ] = "cpu",
    json: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the summary as JSON; - for standard output.")
    ] = None,
) -> None:
    """Train every arm in both frameworks; write CSV, figures and the report."""
    from compare import output, progress, runner
    from compare.ahead import Ahead
    from experiment.plan import Plan, question
    from experiment.programs import engines
    from experiment.programs.process import missing

    how, where = engines.parse(engine), engines.parse_device(device)
    chosen = question() if plan is None else Plan.load(plan)
    if absent := missing():
        raise output.OutputError(absent)
    folder = out or Path("out", chosen.name)
    options.check_targets([plan, folder, getattr(chosen.data, "path", None)], json)
    with output.folder(folder, force) as beside:
        with progress.epochs(chosen, _tell) as on_progress, Ahead("compare.results") as results:
            # pandas and matplotlib come while the workers train, and not before these are on their way
            traces = runner.train(chosen, on_progress, engine=how, device=where, on_started=results.begin)
            write = results.module().write
        summary = write(beside, chosen, traces)
    if json is not None:
        _write_json(json, (folder / "summary.json").read_text(encoding="utf-8"))
    if json != "-":
        from rich.console import Console

        from compare import showing

        showing.run(Console(), summary, chosen, folder)


@app.command(
    epilog="Example: samestep explain 'exponential:initial=1e-3,factor=0.95,every=25 steps,staircase' "
    "--samples 1000 --batch-size 32 --epochs 50"
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

    clock = options.clock(samples, batch_size, drop_last, accumulate)
    options.check_targets([schedule], json, plot=plot)
    explained = explaining.explain(options.schedule(schedule), clock, options.stepping(stepping), epochs)
    if plot is not None:
        from compare import schedule_figures

        options.save_figure(schedule_figures.explained(explained), plot)
    if json is not None:
        _write_json(json, _json_text(explaining.to_json(explained)))
    if json != "-":
        from compare import showing

        showing.explanation(_say, explained)


@app.command(
    epilog="Example: samestep simulate 'cosine:initial=0.1,floor=0,over=50 epochs,after=hold' "
    "--samples 1000 --batch-size 32 --epochs 50 --csv rates.csv"
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
    from experiment.programs.process import missing
    from experiment.trace import write_csv

    clock = options.clock(samples, batch_size, drop_last, 1)
    options.check_targets([schedule], json, csv, plot)
    if absent := missing():
        raise options.refused(absent)
    simulated = simulating.simulate(options.schedule(schedule), clock, options.stepping(stepping), epochs)
    if csv is not None:
        write_csv(csv, simulating.table(simulated))
    if plot is not None:
        from compare import schedule_figures

        options.save_figure(schedule_figures.simulated(simulated), plot)
    if json is not None:
        _write_json(json, _json_text(simulating.to_json(simulated)))
    if json != "-":
        from rich.console import Console

        from compare import showing

        showing.simulation(Console(), simulated)
    return DONE if simulated.verdict == "same" else DIFFERS


@app.command(epilog="Example: samestep translate schedule.json --to torch --samples 1000 --batch-size 32")
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
    from experiment.programs.process import missing

    if to not in translating.TO:
        raise options.refused(f"--to: got {to!r}. Write torch or keras.")
    if (samples is None) != (batch_size is None):
        raise options.refused("--samples and --batch-size belong together. Write both.")
    if drop_last and samples is None:
        raise options.refused("--drop-last is about batches. Write --samples and --batch-size as well.")
    clock = None if samples is None or batch_size is None else options.clock(samples, batch_size, drop_last, 1)
    options.check_targets([file], json)
    if absent := missing([translating.TO[to]]):
        raise options.refused(absent)
    translated = translating.translate(file, translating.TO[to], clock, options.stepping(stepping), class_name)
    if json is not None:
        _write_json(json, _json_text(translating.to_json(translated)))
    if json != "-":
        print(translated.code)
        for line in translating.proof_sentences(translated):
            print(f"# {line}")
    return DONE if translated.proof.verdict == "same" else DIFFERS


@app.command(epilog="Example: samestep compare a.csv b.csv --samples 1000 --batch-size 32 --json result.json")
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=SIDE_HELP, show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.", show_default=False)],
    samples: Annotated[int | None, typer.Option(help="Rows of data seen in an epoch.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a batch.")] = None,
    drop_last: DropLast = False,
    accumulate: Annotated[int, typer.Option(help="Batches whose gradients make one update.")] = 1,
    steps_per_epoch: Annotated[
        int | None, typer.Option(help="Updates in an epoch, instead of --samples and --batch-size.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of two schedules: how long they are compared.")] = None,
    stepping: Annotated[
        str | None, typer.Option(metavar="step|epoch", help="How often a schedule's rate is looked up; else by step.")
    ] = None,
    ulp: Annotated[float, typer.Option(help="Float32 ULP within which two rates are the same.")] = 8,
    columns: Annotated[
        str | None, typer.Option(metavar="step=NAME,lr=NAME", help="What the columns or metrics of both are called.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm of both sides.")] = None,
    framework: Annotated[str | None, typer.Option(help="The framework of both sides.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of both sides.")] = None,
    of_a: Annotated[list[str] | None, typer.Option("--a", metavar="KEY=VALUE,...", help=SETTINGS_HELP)] = None,
    of_b: Annotated[list[str] | None, typer.Option("--b", metavar="KEY=VALUE,...", help="The same for B.")] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a report, tables and figures.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier report of samestep.")] = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML, for a CI system.")] = None,
    json: Json = None,
) -> int:
    """Line two traces, logs or schedules up: first difference, cause, fix. Exits with 0, 1 or 3 for inconclusive."""
    from compare import comparison as comparing
    from compare import requests

    asked = requests.request(
        a,
        b,
        clock=requests.clock(samples, batch_size, drop_last, accumulate, steps_per_epoch),
        ulp=ulp,
        columns=columns,
        select={"arm": arm, "framework": framework, "seed": None if seed is None else str(seed)},
        of_a=of_a or [],
        of_b=of_b or [],
        stepping=None if stepping is None else options.stepping(stepping),
        epochs=epochs,
    )
    if force and report is None:
        raise options.refused("--force replaces an earlier report. Add --report, or leave --force out.")
    if junit is not None and str(junit) == "-":
        raise typer.BadParameter("'-' is no file. Name one for the XML; --json - writes to standard output.")
    options.check_targets([a, b], json, others={"--junit": junit})
    if report is not None:
        from compare import output

        output.check(report, force, "--report")
    compared = comparing.compare(asked)
    if report is not None:
        from compare import comparison_files  # and matplotlib with it

        with output.folder(report, force, "--report") as beside:
            comparison_files.write(beside, compared)
    if junit is not None:
        from compare import junit as xml

        xml.write(junit.resolve(), compared)
    if json is not None:
        from compare import comparison_json

        _write_json(json, _json_text(comparison_json.to_json(compared)))
    if json != "-":
        from compare import showing

        showing.comparison(_say, compared, report)
    return {"same": DONE, "differs": DIFFERS, "inconclusive": INCONCLUSIVE}[compared.verdict]


@app.command(epilog="Example: samestep attribute --arm staircase-steps --precision float64")
def attribute(
    plan: Annotated[
        Path | None, typer.Option(help="The experiment as JSON. Left out: the default plan, 'question'.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another plan for the framework that is mended; left out, the same.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm. Left out: the first whose rate changes.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed. Left out: the plan's first.")] = None,
    precision: Annotated[
        str | None, typer.Option(metavar="float32|float64", help="Train in this, whatever the plan says.")
    ] = None,
    mend: Annotated[
        str, typer.Option(metavar="torch|keras", help="The framework whose optimizer is made to do as the other's.")
    ] = "torch",
    out: Annotated[
        Path | None, typer.Option(help="The folder to write. Left out: out/ and the plan's name, with -attribution.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier output of samestep.")] = False,
    json: Json = None,
) -> None:
    """Which part of a loss gap between Keras and PyTorch comes from what, and what to write so that it goes."""
    from compare import output, progress
    from compare.attribute import asking
    from experiment.programs.process import missing

    experiment = asking.experiment(plan, against, arm, seed, precision, mend)
    if absent := missing():
        raise output.OutputError(absent)
    folder = out or Path("out", f"{experiment.plan.name}-attribution")
    options.check_targets([plan, against, folder], json)
    with output.folder(folder, force) as beside, asking.kept_runs(folder) as runs:
        from compare.attribute import ladder as climbing

        try:
            with progress.trainings(_tell) as on_progress:
                ladder = climbing.climb(experiment, runs, on_progress)
        except KeyboardInterrupt:
            sys.exit(_fail(f"Interrupted; what was trained is kept in {runs}: ask again to go on.", INTERRUPTED))
        from compare.attribute import advice, files  # matplotlib: not before there is something to show

        advised = advice.advice(ladder)
        files.write(beside, ladder, advised)
    if json is not None:
        _write_json(json, (folder / "attribution.json").read_text(encoding="utf-8"))
    if json != "-":
        from rich.console import Console

        from compare.attribute import showing

        showing.ladder(Console(), ladder, advised, folder)


for each in app.registered_commands:
    each.short_help = each.callback.__doc__  # the whole of it: Typer would cut it short


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 2 wrong use or a run that failed, 130 at Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # to look for some takes a tenth of a quick command
    gc.set_threshold(50_000)  # so do collections during imports, which leave nothing to collect
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
            _shown(message), style="bold" if code != INTERRUPTED else None, markup=False, highlight=False
        )
    return code


def _terminated(number: int, _: Any) -> None:
    raise SystemExit(128 + number)


def _shown(text: str) -> str:
    """Without the control characters that names in a foreign log may hold, and a terminal would obey."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "�", text)


def _say(text: str, indent: str = "", wrap: bool = True) -> None:
    """One paragraph, wrapped on a terminal.

    Without Rich, whose import and first print take a fifth of the time that a quick command may take.
    """
    width = shutil.get_terminal_size().columns if wrap and sys.stdout.isatty() else 10**6
    filled = textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    print(_shown(filled if wrap else f"{indent}{text}"))


def _json_text(value: Any) -> str:
    from experiment.trace import json_text

    return json_text(value)


def _write_json(target: str, text: str) -> None:
    from experiment.trace import moved_into_place

    if target == "-":
        sys.stdout.write(text)
        return
    path = Path(target).resolve()  # through a link, not in its place
    with moved_into_place(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _tell(text: str) -> None:
    """A line of progress; a reader that has left does not end the run."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
