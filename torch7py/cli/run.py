"""``torch7py run``: a Lua program as the original ``th`` ran it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torch7py.bridge import output
from torch7py.bridge.errors import LuaError
from torch7py.bridge.lua_literals import lua_literal
from torch7py.cli import processes
from torch7py.cli.failure import (
    INTERRUPTED,
    Command,
    Failure,
    Refusal,
    refuse_models,
    show_traceback,
    traceback_option,
)
from torch7py.cli.needed_libraries import missing_libraries
from torch7py.cli.process import load_libraries
from torch7py.cli.runtime_options import check_options, library_option, new_runtime, runtime_options
from torch7py.cli.shown_errors import complain, width_of_source
from torch7py.cli.signals import script_signals
from torch7py.ops.errors import ProcessLost

if TYPE_CHECKING:
    from torch7py.bridge.runtime import Runtime
    from torch7py.console.engine import Console
    from torch7py.ops.process_group import ProcessGroup

__all__ = ["run"]

COMMAND_LINE = "(command line)"  # what stands for a file in errors of Lua given with -e


@click.command(
    cls=Command, context_settings={"allow_interspersed_args": False}, short_help="Run a Lua program."
)
@runtime_options
@library_option
@click.option(
    "-e",
    "code",
    multiple=True,
    metavar="CODE",
    help="Run this Lua, before FILE where there is one.",
)
@click.option(
    "-i",
    "--interactive",
    is_flag=True,
    help="Then go on with the prompt of `torch7py repl`, also after an error.",
)
@click.option(
    "--progress",
    is_flag=True,
    help="Show iterations a second, the last loss and memory: on stderr, while it is a terminal, and at the end.",
)
@click.option(
    "--losses",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write each loss of the program's criterions to this file, which `torch7py plot` draws.",
)
@click.option(
    "--nproc",
    type=click.IntRange(min=1),
    metavar="N",
    help="Run N processes, which share the batches of nn.DataParallelTable.",
)
@click.option(
    "--data-parallel",
    is_flag=True,
    help="Let the N processes share the batches of every model, where it computes each example by itself.",
)
@traceback_option("Show the Lua stack when the program fails, and Python's of an error in torch7py itself.")
@click.argument("file", required=False, type=click.Path(allow_dash=True))
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    libraries: tuple[str, ...],
    code: tuple[str, ...],
    interactive: bool,
    progress: bool,
    losses: Path | None,
    nproc: int | None,
    data_parallel: bool,
    file: str | None,
    arguments: tuple[str, ...],
    **options: Any,
) -> None:
    """Run the Lua program FILE; - is the standard input.

    Everything after FILE goes to the program, as its global `arg`. The exit code is the program's own, or
    1 when it fails.
    """
    # On one line, so that the lines of the code keep their numbers.
    first = "".join(f"require {lua_literal(name)} " for name in libraries) + "\n".join(code)
    program = _Program(file, arguments, first)
    if file is None and not code and not interactive:
        raise click.MissingParameter(ctx=ctx, param_hint="'FILE'", param_type="argument")
    if file == "-" and interactive:
        raise Refusal("-i reads from the standard input, which - takes for the program")
    if file is not None and file != "-":
        _check_file(file)
        refuse_models(file)
    several = processes.is_one_of_several() or (nproc or 1) > 1
    if data_parallel and not several:
        raise Refusal("--data-parallel shares batches among several processes: give --nproc N")
    if several and (interactive or file == "-"):
        raise Refusal("several processes run a program that is in a file, without -i")
    if several and not processes.is_one_of_several():
        check_options(**options)
        ctx.exit(processes.supervise(nproc or 1, sys.argv[1:]))
    group = None
    if several:
        options["device"] = processes.device_of(options["device"])
        check_options(**options)
        group = _joined()
        options |= {
            "group": group,
            "data_parallel": data_parallel,
            "seed": processes.same_seed(group, options["seed"]),
        }
        if not group.acts:
            progress, losses = False, None
    else:
        check_options(**options)
    runtime: Runtime | None = None
    console: Console | None = None
    endings: list[Callable[[], None]] = []
    with script_signals(endings), processes.deaf_to_closed_sockets(several):
        try:
            if progress or losses is not None:
                from torch7py.cli.progress import Progress, instrumented, instrumented_package

                options["rewrite"] = instrumented
                options["rewrite_packages"] = instrumented_package
            runtime = new_runtime(**options)
            if interactive:
                from torch7py.console import engine

                console = engine.Console(runtime)
            runtime.take_process()
            with ExitStack() as stack:
                if progress or losses is not None:
                    display = Progress(
                        runtime, progress, None if losses is None else losses.open("w", encoding="utf-8")
                    )
                    endings.append(display.end)
                    stack.enter_context(display)
                if group is not None:
                    finish = partial(group.agree, "the end of the program")
                    runtime.on_exit.append(finish)
                code_of_program = program.run(runtime)
                if group is not None:
                    finish()
        except LuaError as error:
            code_of_program = 1
            details = partial(_explain, error, runtime, console, program)
            complain(error.message, details, error.traceback if show_traceback(ctx) else "")
        except ProcessLost as lost_process:
            code_of_program = processes.LOST
            if not processes.is_watched():
                complain(f"torch7py: {lost_process}")
        except KeyboardInterrupt as interrupt:
            code_of_program = INTERRUPTED
            complain(str(interrupt) or "interrupted")
        finally:
            if runtime is not None and not interactive:
                runtime.close()
        lost = output.flush()
        if lost is not None:
            raise Failure(lost)
        if runtime is not None:
            from torch7py.bridge.workers import abandoned

            if abandoned():
                os._exit(code_of_program)
    if console is not None:
        from torch7py.cli.repl import talk

        with closing(console.runtime):
            code_of_program = talk(console, show_traceback(ctx))
    ctx.exit(code_of_program)


def _joined() -> ProcessGroup:
    """Enter the group of the processes that run the program."""
    processes.be_quiet()
    with load_libraries():
        from torch7py.ops.process_group import join
    group = join()
    assert group is not None
    return group


class _Program:
    """What is to be run: a file or the standard input, and Lua that comes before it."""

    def __init__(self, file: str | None, arguments: tuple[str, ...], first: str) -> None:
        self.file, self.arguments, self.first = file, arguments, first
        # The sources that are in no file, by their names.
        self.texts = {COMMAND_LINE: first.encode(errors="surrogateescape")}

    def run(self, runtime: Runtime) -> int:
        if self.file is None:
            return runtime.run_source(self.texts[COMMAND_LINE], COMMAND_LINE)
        if self.file == "-":
            source, name = sys.stdin.buffer.read(), "stdin"
            self.texts[name] = source
        else:
            source, name = Path(self.file).read_bytes(), self.file
        for line in missing_libraries(Path(name), source):
            click.echo(line, err=True)
        return runtime.run_source(source, name, self.arguments, self.first)


def _explain(
    error: LuaError, runtime: Runtime | None, console: Console | None, program: _Program
) -> list[str]:
    """What to show below the message of an error."""
    if runtime is None:
        return []
    from torch7py.console.engine import Console

    console = console or Console(runtime)
    for name, text in program.texts.items():
        console.remember(name, text.decode(errors="replace"))
    return console.explain(error, width_of_source())


def _check_file(file: str) -> None:
    """Say what is wrong with the path before anything slow is loaded."""
    if not os.path.exists(file):
        reason = "no such file"
    elif os.path.isdir(file):
        reason = "it is a directory"
    elif not os.access(file, os.R_OK):
        reason = "permission denied"
    else:
        return
    raise Failure(f"cannot open {file}: {reason}")
