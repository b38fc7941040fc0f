"""``torch7py inspect``: what a ``.t7`` file holds."""

from __future__ import annotations

import json

import click

from torch7py.cli.failure import Command, Failure, traceback_option

__all__ = ["inspect"]


@click.command(cls=Command, short_help="Show what a .t7 file holds, as text.")
@traceback_option()
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON, for programs.")
@click.option("--all", "everything", is_flag=True, help="Also gradients, results, buffers and long tables.")
@click.option(
    "--depth", type=click.IntRange(min=0), default=30, show_default=True, help="How deep the tree goes."
)
@click.argument("file")
def inspect(as_json: bool, everything: bool, depth: int, file: str) -> None:
    """Show what the .t7 FILE holds; - is the standard input.

    A tree of its tables and objects with their classes, the sizes and types of tensors, which of them share memory,
    and how many parameters the models have. Numbers in tensors are not read, so that large files take no longer.
    """
    from torch7py.t7.errors import T7Error
    from torch7py.t7.outline import outline
    from torch7py.t7.outline_text import as_data, as_lines

    try:
        text = outline("/dev/stdin" if file == "-" else file)
    except T7Error as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"cannot open {file}: {error.strerror}") from None
    if as_json:
        click.echo(json.dumps(as_data(text)))
    else:
        for line in as_lines(text, everything=everything, depth=depth):
            click.echo(line)
