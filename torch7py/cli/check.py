"""``torch7py check``: what a program uses, and what of it is missing or has no translation."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from torch7py.cli.failure import Command, Failure, Refusal, refuse_models, traceback_option

if TYPE_CHECKING:
    from torch7py.translate.report import Report

__all__ = ["check"]


@click.command(cls=Command, short_help="Say what of a program or a directory can be translated.")
@traceback_option()
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON.")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.pass_context
def check(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Say what of the Lua program PATH, or of all in that directory, is supported and can be translated.

    Nothing is run and nothing is written. For a program, with the files that it requires: the share of its statements
    that has a translation, each place without one, and the names of packages that it uses and that are missing or
    restricted. For a directory: a line for each file and a summary; a file that another one requires is judged once, as
    a part of that program, where more is known of what it is given.

    The exit code is 1 when something is not supported or has no translation.
    """
    from torch7py.translate.check import check_files, check_program, lua_files
    from torch7py.translate.parse import LuaSyntaxError

    if path.is_dir():
        files = lua_files(path)
        if not files:
            raise Refusal(f"{path}: no Lua files in it")
        terminal = sys.stderr.isatty()
        with click.progressbar(
            length=len(files), file=sys.stderr, label=f"{len(files)} files", hidden=not terminal
        ) as bar:
            reports = check_files(files, lambda path: bar.update(1))
        _say_directory(path, reports, as_json)
    else:
        refuse_models(str(path))
        try:
            reports = [check_program(path)]
        except LuaSyntaxError as error:
            raise Failure(f"{error} (this is no Lua)") from None
        if as_json:
            click.echo(json.dumps(reports[0].as_json(), indent=2))
        else:
            click.echo("\n".join(reports[0].lines()))
    ctx.exit(0 if all(report.complete for report in reports if not report.error) else 1)


def _say_directory(path: Path, reports: list[Report], as_json: bool) -> None:
    from torch7py.translate.report import summary

    whole = summary([report for report in reports if not report.error])
    if as_json:
        data = {"directory": str(path), "files": [report.as_json() for report in reports]}
        click.echo(json.dumps(data | {"summary": whole.as_json()}, indent=2))
        return
    for report in reports:
        click.echo(report.line())
    click.echo("")
    click.echo("\n".join(whole.summary_lines()))
