"""How a command ends when it cannot do what it was asked.

Exit codes: 0, done; 1, the work failed (``Failure``); 2, the request makes no sense here (``Refusal``), or a
translation does not compute what the original does; 70, an error in torch7py itself; 130, interrupted. ``run`` ends
with the code of the program, 1 where it fails.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from traceback import format_exception
from typing import IO, Any

import click

__all__ = [
    "INTERRUPTED",
    "Command",
    "Failure",
    "Refusal",
    "one_line",
    "refuse_models",
    "show_traceback",
    "traceback_option",
]

INTERRUPTED = 130  # 128 and the number of SIGINT
INTERNAL = 70  # EX_SOFTWARE of sysexits.h
_SHOW = "torch7py traceback"  # the key of the option in a context's ``meta``


class Failure(click.ClickException):
    """Ends the command with one line on stderr and exit code 1: the work failed."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"torch7py: {self.message}", file=file, err=file is None)


class Refusal(Failure):
    """A request that makes no sense here: exit code 2, as for a wrong option."""

    exit_code = 2


def refuse_models(file: str) -> None:
    """Say of a model that was given for a program what it is."""
    if file.endswith(".t7"):
        raise Refusal(
            f"{file} is no program: torch7py inspect says what is in it, torch7py translate ports a model"
        )


class _Internal(Failure):
    exit_code = INTERNAL


class _Interrupted(Failure):
    exit_code = INTERRUPTED


def traceback_option(help: str = "Show Python's traceback of an error.") -> Callable[[Any], Any]:
    """The option ``--traceback`` of a command."""

    def remember(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        ctx.meta[_SHOW] = value

    return click.option("--traceback", is_flag=True, expose_value=False, callback=remember, help=help)


def show_traceback(ctx: click.Context) -> bool:
    return bool(ctx.meta.get(_SHOW))


class Command(click.Command):
    """A command that ends with a line and an exit code whatever happens in it, and no traceback unasked."""

    def invoke(self, ctx: click.Context) -> Any:
        named = (ctx.params.get(name) for name in ("file", "path", "port"))
        with one_line(next(filter(None, named), None), show_traceback(ctx)):
            return super().invoke(ctx)


@contextlib.contextmanager
def one_line(file: object, traceback: bool = False) -> Iterator[None]:
    """Make any error a ``Failure`` that names the file; what click ends commands with passes."""
    try:
        yield
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise  # the last is a reader that has seen enough, of which nothing is said
    except KeyboardInterrupt:
        raise _Interrupted("interrupted") from None
    except Exception as error:  # noqa: BLE001  (the end of the command: whatever it is becomes an exit code)
        if traceback:
            click.echo("".join(format_exception(error)).rstrip(), err=True)
        raise _failure(error, file, traceback) from None


def _failure(error: Exception, file: object, shown: bool) -> Failure:
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("torch7py"):
        return Failure(
            f"{error.name} is not installed, which torch7py needs (`torch7py doctor` says how to get it)"
        )
    from torch7py.ops.error_messages import bytes_refused
    from torch7py.ops.errors import Torch7Error

    first = str(error).strip().split("\n", 1)[0]
    if isinstance(error, Torch7Error):
        return Failure(str(error))
    if isinstance(error, OSError):
        return Failure(
            f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        )
    if isinstance(error, MemoryError) or bytes_refused(error) is not None:
        return Failure(f"{file}: out of memory")
    if isinstance(error, RecursionError):
        return Failure(f"{file}: nested too deeply, or within itself")
    more = "" if shown else " (--traceback shows where)"
    return _Internal(f"{file}: an error in torch7py itself: {type(error).__name__}: {first}{more}")
