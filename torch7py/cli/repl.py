"""``torch7py repl``: the prompt of ``th``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from shutil import get_terminal_size
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from torch7py import __version__
from torch7py.bridge import output
from torch7py.bridge.errors import LuaError
from torch7py.cli.failure import Command, Failure, one_line, show_traceback, traceback_option
from torch7py.cli.runtime_options import check_options, library_option, new_runtime, runtime_options
from torch7py.cli.shown_errors import complain, width_of_source
from torch7py.ops.errors import TorchError
from torch7py.ops.user_files import state_folder

if TYPE_CHECKING:
    from torch7py.console.engine import Console

__all__ = ["repl", "talk"]

LEAVE = ("exit", "quit")
FIRST, MORE = "th> ", "..> "

SHOWN_FROM = 0.01  # seconds from which it is said how long something took

Read = Callable[[], str]
"""Reads a piece of Lua. Raises EOFError at the end, KeyboardInterrupt on Ctrl-C."""


@click.command(cls=Command, short_help="Start the prompt of `th`.")
@runtime_options
@library_option
@traceback_option("Show the Lua stack of an error, and Python's of an error in torch7py itself.")
@click.pass_context
def repl(ctx: click.Context, /, libraries: tuple[str, ...], **options: Any) -> None:
    """The prompt of `th`: Lua is evaluated as it is typed, and its values are printed.

    `?` says what the prompt can do, and `?torch.add` what a function does. With prompt_toolkit (pip install
    'torch7py[repl]') there are completion, a history and editing of several lines. The standard input may also be a
    file.
    """
    check_options(**options)
    runtime = new_runtime(**options)
    from torch7py.console.engine import Console

    with closing(runtime):
        try:
            for name in libraries:
                runtime.require(name)
        except LuaError as error:
            raise Failure(error.message) from None
        code = talk(Console(runtime), show_traceback(ctx))
    ctx.exit(code)


def talk(console: Console, traceback: bool = False) -> int:
    """Evaluate what is typed until it ends; returns the exit code. ``traceback``: errors are shown with it."""
    console.runtime.buffer_output("no")  # what a piece writes is seen while it runs
    try:
        read = _reader(console)
        while True:
            with suppress(KeyboardInterrupt):  # in what is typed, or between two pieces
                text = read()
                if text.strip() in LEAVE:
                    return 0
                _evaluate(console, text, traceback)
    except EOFError:
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        lost = output.flush()
        if lost is not None:
            raise Failure(lost)


def _evaluate(console: Console, text: str, traceback: bool) -> None:
    """Evaluate a text, say what is wrong with it, and on a terminal how long it took."""
    begun = perf_counter()
    problem: tuple[str, Callable[[], list[str]], str] | None = None
    try:
        with one_line("stdin", traceback):
            problem = _problem(console, text)
    except Failure as failure:
        problem = failure.message, list, ""
    took = perf_counter() - begun
    if problem is not None:
        message, details, stack = problem
        complain(message, details, stack if traceback else "")
    if took >= SHOWN_FROM and sys.stdout.isatty():
        shown = f"[{took:.4f}s]".rjust(get_terminal_size().columns - 1)
        click.secho(shown, fg="bright_black" if output.takes_colors(sys.stdout) else None)


def _problem(console: Console, text: str) -> tuple[str, Callable[[], list[str]], str] | None:
    """Evaluate a text; what ended it, what finds the lines to show below, and the Lua stack."""
    try:
        console.evaluate(text, "stdin")
    except LuaError as error:
        return error.message, partial(console.explain, error, width_of_source()), error.traceback
    except KeyboardInterrupt as interrupt:
        return str(interrupt) or "interrupted", list, ""
    return None


def _reader(console: Console) -> Read:
    """What reads from the standard input: a prompt with completion, a plain one, or none for a file."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _lines_of(console, console.read_line)
    from torch7py.bridge.engine import TITLES
    from torch7py.packages.optional_libraries import import_library

    engine = TITLES[console.runtime.engine]
    click.echo(f"torch7py {__version__}, {engine}: ? for help, Ctrl-D to leave", err=True)
    try:
        import_library("prompt_toolkit", "completion and history at the prompt")
    except TorchError as error:
        click.echo(str(error), err=True)
        return _lines_of(console, input)
    from torch7py.cli import prompt

    return prompt.reader(console, _history())


def _lines_of(console: Console, line: Callable[[str], str]) -> Read:
    """Reads line by line, as many as make a piece that is complete."""

    def read() -> str:
        text = line(FIRST)
        with suppress(EOFError):  # where it is incomplete, its error says what is missing
            while console.is_complete(text) == "incomplete":
                text += "\n" + line(MORE)
        return text

    return read


def _history() -> Path | None:
    """The file that keeps what was typed; None, which is said, where there can be none."""
    path = state_folder() / "history"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("ab"):
            return path
    except OSError as error:
        click.echo(f"no history is kept: {path}: {error.strerror}", err=True)
        return None
