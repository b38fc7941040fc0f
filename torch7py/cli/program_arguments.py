"""Options of a command that also takes those of the program that it is about.

Options of torch7py stand before the program's file or right behind it. The first argument behind the file that is none
of them begins the program's own, which are passed on as they are; so does ``--``, which is not passed on. ::

    torch7py translate train.lua -o train.py -epochs 1 -o weights.t7

gives ``-o train.py`` to torch7py, and ``-epochs 1 -o weights.t7`` to the program. Behind the file an option is one of
torch7py's only where it is written in full, so that ``-output`` is no ``-o utput``.
"""

from __future__ import annotations

from typing import Any

import click

from torch7py.cli.failure import Command

__all__ = ["OptionalFile", "ProgramCommand"]


class OptionalFile(click.Option):
    """An option with the name of a file, which may be left out: what follows is one if it ends so.

    Without one the value is the empty string.
    """

    def __init__(self, *arguments: Any, ending: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ending = ending


class ProgramCommand(Command):
    """A command whose last argument takes all that follows its files and its own options."""

    allow_interspersed_args = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _in_order(self, ctx, args))


def _in_order(command: click.Command, ctx: click.Context, args: list[str]) -> list[str]:
    """Torch7py's options first, then the files, then what is the program's, as click reads them."""
    values: dict[str, bool] = {}  # of each option of torch7py, whether a value follows
    endings: dict[str, str] = {}  # of those that a value may follow, how it then ends
    files = -1  # the last argument is for all the rest
    for parameter in command.get_params(ctx):
        if isinstance(parameter, click.Option):
            takes = not (parameter.is_flag or parameter.count)
            if isinstance(parameter, OptionalFile):
                endings |= dict.fromkeys(parameter.opts, parameter.ending)
            values |= dict.fromkeys([*parameter.opts, *parameter.secondary_opts], takes)
        else:
            files += 1
    options: list[str] = []
    names: list[str] = []
    left = list(args)
    while left and (len(names) < files or _is_torch7py_option(left[0], values)):
        argument = left.pop(0)
        if argument == "--" and not names:  # a file's name may begin with a dash
            names, left = left[:files], left[files:]
        elif argument == "-" or not argument.startswith("-"):
            names.append(argument)
        elif names and not _is_torch7py_option(argument, values):
            return [*options, argument]  # between two files: click says that there is no such option
        elif argument in endings:
            follows = bool(left) and left[0].endswith(endings[argument]) and not left[0].startswith("-")
            options.append(f"{argument}={left.pop(0) if follows else ''}")
        else:
            options.append(argument)
            if values.get(argument):
                if not left:
                    return options  # its value is missing, which click says
                options.append(left.pop(0))
    if len(names) == files and left[:1] == ["--"]:
        left.pop(0)
    return [*options, "--", *names, *left]


def _is_torch7py_option(argument: str, values: dict[str, bool]) -> bool:
    """Whether an argument behind a file is an option of torch7py: ``-o``, ``--out`` or ``--out=page.py``."""
    name, equals, _ = argument.partition("=")
    return name in values and (not equals or (name.startswith("--") and values[name]))
