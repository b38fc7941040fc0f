"""The ``torch7py`` command group. Its subcommands load PyTorch and Lua only when they need them."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from torch7py import __version__
from torch7py.bridge import output
from torch7py.cli.check import check
from torch7py.cli.compare import compare
from torch7py.cli.convert import convert
from torch7py.cli.doctor import doctor
from torch7py.cli.failure import Failure
from torch7py.cli.inspect import inspect
from torch7py.cli.kernel import kernel
from torch7py.cli.plot import plot
from torch7py.cli.process import wait_passively
from torch7py.cli.repl import repl
from torch7py.cli.run import run
from torch7py.cli.show import show
from torch7py.cli.translate import translate

__all__ = ["main"]

OVERVIEW = """\
torch7py: Torch7 programs and models, in Lua, on today's PyTorch

  torch7py run train.lua [ARGS]                runs a program as `th` did
  torch7py inspect model.t7                    shows what a file holds
  torch7py convert model.t7 model.safetensors  the same for other tools
  torch7py translate train.lua -o train.py     as PyTorch, compared by a run

Further: {others}.
`torch7py COMMAND --help` has the options, `torch7py --help` all commands."""


class Commands(click.Group):
    """Commands that end with one line and an exit code where what they say cannot be written."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        code: Any = 0
        try:
            try:
                return super().main(*args, **kwargs)
            except SystemExit as end:
                code = end.code
                raise
            finally:
                sys.stdout.flush()
        except OSError as error:
            output.give_up()
            # A reader that has seen enough is no failure to speak of, and a command that has failed has said why.
            if not code and error.errno != errno.EPIPE:
                Failure(f"cannot write: {error.strerror or error}").show()
            sys.exit(code or 1)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="torch7py", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Legacy Torch7 programs on today's PyTorch.

    Exit codes: 0, done; 1, it failed; 2, a wrong request, or a translation or port that is not equal; 70, an error in
    torch7py itself; 130, interrupted. `run` ends with the program's own.
    """
    if ctx.invoked_subcommand is None:
        others = sorted(name for name in main.commands if f"torch7py {name} " not in OVERVIEW)
        click.echo(OVERVIEW.format(others=", ".join(others)))
        return
    wait_passively()


main.add_command(doctor)
main.add_command(plot)
main.add_command(run)
main.add_command(repl)
main.add_command(inspect)
main.add_command(show)
main.add_command(convert)
main.add_command(translate)
main.add_command(check)
main.add_command(compare)
main.add_command(kernel)
