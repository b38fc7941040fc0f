"""The ``torch7py`` command group. Its subcommands load PyTorch and Lua only when they need them."""

from __future__ import annotations

import click

from torch7py import __version__
from torch7py.cli.check import check
from torch7py.cli.convert import convert
from torch7py.cli.inspect import inspect
from torch7py.cli.run import run
from torch7py.cli.translate import translate

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="torch7py", message="%(prog)s %(version)s")
def main() -> None:
    """Legacy Torch7 programs on today's PyTorch.

    Exit codes: 0, done; 1, it failed; 2, a wrong request, or a translation that is not equal; 70, an error in torch7py
    itself; 130, interrupted. `run` ends with the program's own.
    """


main.add_command(run)
main.add_command(inspect)
main.add_command(convert)
main.add_command(translate)
main.add_command(check)
