"""``torch7py compare``: a Lua program beside a port of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from torch7py.cli.failure import Failure, Refusal, traceback_option
from torch7py.cli.process import deepen_stack, load_libraries
from torch7py.cli.program_arguments import ProgramCommand

if TYPE_CHECKING:
    from torch7py.translate.ports.outcome import Outcome

__all__ = ["compare"]

DIFFERENT = 2


@click.command(cls=ProgramCommand, short_help="Compare a port, whoever wrote it, with its original.")
@traceback_option()
@click.option(
    "--map",
    "mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON: the names of the port's weights, each with that of the original's (--names shows both).",
)
@click.option("--names", is_flag=True, help="Also say which weights of the two were taken for the same.")
@click.option(
    "--numbers", is_flag=True, help="Compare the numbers of what is printed, whatever the words around them."
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    help="How far apart numbers may be, relatively.  [default: 1e-6, in single precision 1e-3]",
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0, min_open=True),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="Stop each of the two after so long, and compare what was seen.",
)
@click.option("--json", "as_json", is_flag=True, help="The whole outcome as JSON.")
@click.argument("original", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("port", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("arguments", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def compare(
    ctx: click.Context,
    mapping: Path | None,
    names: bool,
    numbers: bool,
    tolerance: float | None,
    limit: float,
    as_json: bool,
    original: Path,
    port: Path,
    arguments: tuple[str, ...],
) -> None:
    """Run the Lua program ORIGINAL and the Python program PORT with the same ARGS, and compare them.

    PORT may be anybody's work, on whatever of PyTorch. It begins with the original's weights and is given its random
    numbers. What both print, losses, gradients and weights are compared, and where they part first is said with the
    lines of both programs.

    Options stand before the files or right behind them; ARGS begin with the first argument that is none, or after `--`.

    The exit code is 0 when both are the same, 2 when they are not, and 1 when one could not be run to its end.
    """
    weights = _map(mapping)
    deepen_stack()
    with load_libraries():
        from torch7py.ops.errors import TorchError
        from torch7py.translate.ports import compare as ports
        from torch7py.translate.ports.weights import WrongMap

    try:
        outcome = ports.compare(
            original,
            port,
            arguments,
            weights=weights,
            tolerance=tolerance,
            numbers_only=numbers,
            limit=limit,
            give_up=lambda text: _give_up(f"{port}: {text}"),
        )
    except WrongMap as error:
        raise Refusal(f"--map: {error}") from None
    except TorchError as error:
        raise Failure(f"{original}: {error}") from None
    if as_json:
        click.echo(json.dumps(outcome.as_json(), indent=2))
    else:
        _say(outcome, names)
    if outcome.failure:
        raise Failure(outcome.failure)
    ctx.exit(DIFFERENT if outcome.differences else 0)


def _say(outcome: Outcome, names: bool) -> None:
    if outcome.differences or outcome.seen() != "nothing":
        for line in outcome.text():
            click.echo(line)
    if names:
        for mine, theirs in outcome.matched.items():
            click.echo(f"  {mine} is {theirs}")


def _map(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise Refusal(f"{path} is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise Refusal(f"{path}: a map is an object of names")
    return data


def _give_up(text: str) -> None:
    """End the process from another thread: the first one is in something that no interrupt ends."""
    os.write(2, f"torch7py: {text}\n".encode(errors="replace"))
    sys.stderr.flush()
    os._exit(1)
