"""Which options are torch7py's and which the program's."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from torch7py.cli.main import main
from torch7py.cli.program_arguments import OptionalFile, ProgramCommand


@click.command(cls=ProgramCommand)
@click.option("-o", "--out")
@click.option("--force", is_flag=True)
@click.option("--record/--no-record", default=True)
@click.argument("file")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def one(out: str | None, force: bool, record: bool, file: str, arguments: tuple[str, ...]) -> None:
    click.echo(repr((out, force, record, file, arguments)))


@click.command(cls=ProgramCommand)
@click.option("--limit", type=float, default=1)
@click.argument("original")
@click.argument("port")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def two(limit: float, original: str, port: str, arguments: tuple[str, ...]) -> None:
    click.echo(repr((limit, original, port, arguments)))


def call(command: click.Command, text: str) -> Result:
    return CliRunner().invoke(command, text.split())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.lua", (None, False, True, "a.lua", ())),
        ("a.lua -epochs 1", (None, False, True, "a.lua", ("-epochs", "1"))),
        ("a.lua -lr 0.1 --force", (None, False, True, "a.lua", ("-lr", "0.1", "--force"))),
        ("a.lua -o x -epochs 1 -o y", ("x", False, True, "a.lua", ("-epochs", "1", "-o", "y"))),
        ("a.lua --out=x -lr 0.1", ("x", False, True, "a.lua", ("-lr", "0.1"))),
        ("-o x --force a.lua 7 --force", ("x", True, True, "a.lua", ("7", "--force"))),
        ("-ox a.lua 1", ("x", False, True, "a.lua", ("1",))),
        ("a.lua --no-record -- -o x --", (None, False, False, "a.lua", ("-o", "x", "--"))),
        ("a.lua -output x", (None, False, True, "a.lua", ("-output", "x"))),
        ("a.lua --recording", (None, False, True, "a.lua", ("--recording",))),
        ("a.lua --force=1", (None, False, True, "a.lua", ("--force=1",))),
        ("-- -a.lua -o x -e", ("x", False, True, "-a.lua", ("-e",))),
        ("- 1", (None, False, True, "-", ("1",))),
    ],
)
def test_of_a_command_with_one_file(text: str, found: object) -> None:
    assert call(one, text).output == f"{found!r}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.lua b.py", (1.0, "a.lua", "b.py", ())),
        ("--limit 3 a.lua b.py -lr 1", (3.0, "a.lua", "b.py", ("-lr", "1"))),
        ("a.lua --limit 3 b.py -lr 1", (3.0, "a.lua", "b.py", ("-lr", "1"))),
        ("a.lua b.py --limit 3 -lr 1", (3.0, "a.lua", "b.py", ("-lr", "1"))),
        ("a.lua b.py -- --limit 3", (1.0, "a.lua", "b.py", ("--limit", "3"))),
    ],
)
def test_of_a_command_with_two(text: str, found: object) -> None:
    assert call(two, text).output == f"{found!r}\n"


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        (one, "", "Missing argument 'FILE'"),
        (one, "--bad a.lua", "No such option '--bad'"),
        (one, "a.lua -o", "Option '-o' requires an argument"),
        (one, "--force=1 a.lua", "Option '--force' does not take a value"),
        (two, "a.lua", "Missing argument 'PORT'"),
        (two, "a.lua -x b.py", "No such option '-x'"),
        (two, "a.lua b.py --limit much", "'much' is not a valid float"),
    ],
)
def test_what_cannot_be_read(command: click.Command, text: str, said: str) -> None:
    result = call(command, text)
    assert (result.exit_code, said in result.output.replace("option:", "option")) == (2, True)


def test_help_is_had_on_both_sides() -> None:
    assert call(one, "--help").output == call(one, "a.lua --help").output
    assert call(one, "--help").output.startswith("Usage:")


def test_a_program_with_options_is_translated_and_verified(tmp_path: Path) -> None:
    path, page = tmp_path / "train.lua", tmp_path / "page.py"
    path.write_text("""local cmd = torch.CmdLine()
cmd:option('-epochs', 100, 'how many')
cmd:option('-lr', 0.5, 'the rate')
cmd:option('-o', 'out.t7', 'where to')
local opt = cmd:parse(arg)
for epoch = 1, opt.epochs do print(epoch, opt.lr, opt.o) end
""")
    text = f"translate {path} -o {page} -epochs 2 -lr 0.1 -o model.t7"
    result = CliRunner().invoke(main, text.split())
    assert result.exit_code == 0, result.output
    assert "verified: 2 lines" in result.output
    assert page.exists()


@click.command(cls=ProgramCommand)
@click.option("--page", cls=OptionalFile, ending=".html")
@click.option("-o", "--out")
@click.argument("file")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def with_page(page: str | None, out: str | None, file: str, arguments: tuple[str, ...]) -> None:
    click.echo(repr((page, out, file, arguments)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.lua", (None, None, "a.lua", ())),
        ("a.lua --page", ("", None, "a.lua", ())),
        ("a.lua --page x.html", ("x.html", None, "a.lua", ())),
        ("--page a.lua", ("", None, "a.lua", ())),
        ("--page x.html a.lua 3", ("x.html", None, "a.lua", ("3",))),
        ("--page=x.html a.lua", ("x.html", None, "a.lua", ())),
        ("a.lua --page -o b 3", ("", "b", "a.lua", ("3",))),
        ("a.lua --page 3 -o b", ("", None, "a.lua", ("3", "-o", "b"))),
        ("a.lua 3 --page x.html", (None, None, "a.lua", ("3", "--page", "x.html"))),
    ],
)
def test_a_file_that_may_be_left_out(text: str, found: tuple[object, ...]) -> None:
    assert call(with_page, text).output.strip() == repr(found)
