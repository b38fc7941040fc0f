"""How an error of a Lua program is shown: its message, the program's line, and what was perhaps meant."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

import click

from torch7py.bridge import output

__all__ = ["complain", "width_of_source"]

BESIDE_SOURCE = 14  # columns that a line number and what stands for left out parts take


def complain(message: str, details: Callable[[], Iterable[str]] = list, traceback: str = "") -> None:
    """Write to stderr what has ended a program, or a piece of one; coloured on a terminal.

    The ``details`` below the message are looked for when that has been shown.
    """
    with suppress(OSError):  # which is said at the end
        sys.stdout.flush()  # what the program printed comes before why it stopped
    color = "red" if output.takes_colors(sys.stderr) else None
    click.secho(message, fg=color, err=True)
    for line in details():
        click.secho(line, fg=color if line.endswith("^") else None, err=True)
    if traceback:
        click.echo(traceback, err=True)


def width_of_source() -> int:
    """How many columns of a program's line the terminal has room for."""
    return max(20, shutil.get_terminal_size((120, 24)).columns - BESIDE_SOURCE)
