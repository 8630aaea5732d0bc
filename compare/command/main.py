"""The command `samestep`: its subcommands, and how it starts and ends."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from typing import Annotated, Any

import typer

from . import attribute, check, compare, explain, record, run, simulate, terminal, translate, why
from .terminal import DONE, INTERRUPTED, WRONG_USE

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich's help takes as long as all the rest of --help
    help="Do two training runs follow the same learning-rate schedule? If not: where do they first differ, and why?",
)


def _version(asked: bool) -> None:
    if asked:
        from samestep.experiment import __version__

        terminal.say(f"samestep {__version__}")
        raise typer.Exit


@app.callback()
def samestep(
    context: typer.Context,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show the whole traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the subcommand."""
    context.obj = {"traceback": traceback}


for subcommand in (run, record, check, explain, simulate, translate, compare, attribute, why):
    name = subcommand.__name__.rpartition(".")[2]
    call = getattr(subcommand, name)
    # the whole docstring as short help: Typer would cut it
    app.command(name, epilog=f"Example: {subcommand.EXAMPLE}", short_help=call.__doc__)(call)


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
        context = getattr(error, "ctx", None)
        return terminal.fail(f"{said} See {context.command_path if context else 'samestep'} --help.", WRONG_USE)
    except SystemExit as stop:
        if stop.code == 1:  # Typer's word for a reader of standard output that has left, like head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        raise
    except Exception as error:
        if traceback:
            if log := getattr(error, "log", ""):
                terminal.tell(log)
            raise
        return terminal.fail(terminal.in_two_lines(error), WRONG_USE)
    if code == INTERRUPTED:
        return terminal.fail("Interrupted; nothing was written.", INTERRUPTED)
    return code if isinstance(code, int) else DONE


def _terminated(number: int, _: Any) -> None:
    raise SystemExit(128 + number)
