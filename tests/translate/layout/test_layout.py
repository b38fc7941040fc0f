"""Long lines are broken, and empty lines set, as ``ruff format`` does it: compared on random Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.translate.layout.random_python import page, statements
from torch7py.translate.layout import WIDTH, lay_out, lay_out_all, spaced


def formatted(folder: Path, pages: dict[str, str]) -> dict[str, str]:
    """What the formatter makes of pages."""
    for name, text in pages.items():
        folder.joinpath(f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "-q", f"--line-length={WIDTH}", "."]
    subprocess.run(command, cwd=folder, check=True)
    return {name: folder.joinpath(f"{name}.py").read_text() for name in pages}


def check_statements(folder: Path, seed: int, count: int) -> None:
    found = statements(seed, count)
    assert sum(len(lines[0]) > WIDTH for lines in found) > count // 2
    functions = [["def f():", *(f"    {line}" for line in lines)] for lines in found]
    as_made = "\n\n\n".join("\n".join(lines) for lines in functions) + "\n"
    laid_out = "\n\n".join(lay_out_all(lines) for lines in functions)
    wanted = formatted(folder, {"statements": as_made})["statements"]
    pairs = zip(laid_out.split("\n\n\n"), wanted.split("\n\n\n"), strict=True)
    for (ours, theirs), lines in zip(pairs, found, strict=True):
        # In a pair that is returned the formatter writes `x** 2` the first time, and `x**2` the second.
        close = theirs.replace("** ", "**") if lines[0].startswith("return ") else theirs
        assert ours.rstrip("\n") in (theirs.rstrip("\n"), close.rstrip("\n")), lines[0]


def check_comments(folder: Path, seed: int, count: int) -> None:
    """What is laid out with a comment behind it the formatter leaves so."""
    functions = [
        ["def f():", f"    {first}  # why it is so", *(f"    {line}" for line in block)]
        for first, *block in statements(seed, count)
    ]
    laid_out = "\n\n".join(lay_out_all(lines) for lines in functions)
    assert laid_out.count("# why it is so\n") == count
    assert formatted(folder, {"statements": laid_out})["statements"] == laid_out


def check_pages(folder: Path, seeds: range) -> None:
    pages = {f"page{seed}": spaced(page(seed)) for seed in seeds}
    for name, text in formatted(folder, pages).items():
        assert pages[name] == text, name


def test_random_statements(tmp_path: Path) -> None:
    check_statements(tmp_path, seed=1, count=250)


def test_random_comments(tmp_path: Path) -> None:
    check_comments(tmp_path, seed=1, count=150)


def test_empty_lines(tmp_path: Path) -> None:
    check_pages(tmp_path, range(60))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_statements(tmp_path: Path, seed: int) -> None:
    check_statements(tmp_path, seed, count=12000)


@pytest.mark.slow
def test_many_pages(tmp_path: Path) -> None:
    check_pages(tmp_path, range(100, 3000))


def test_a_comment_stays_at_the_first_line() -> None:
    assert lay_out("x = first_value + second_value * third  # why", 30) == [
        "x = (  # why",
        "    first_value",
        "    + second_value * third",
        ")",
    ]


def test_a_comment_goes_before_where_there_is_no_bracket_for_it() -> None:
    assert lay_out("assert first_value == second_value, 'a message'  # why", 40) == [
        "# why",
        "assert first_value == second_value, (",
        "    'a message'",
        ")",
    ]
    assert lay_out("x = 1  # a longer comment", 20) == ["# a longer comment", "x = 1"]


def test_comprehensions() -> None:
    assert lay_out("x = join(value for _, value in numbered(words) if value)", 40) == [
        "x = join(",
        "    value",
        "    for _, value in numbered(words)",
        "    if value",
        ")",
    ]
    assert lay_out("x = call('one for all, in two', second, third)", 40) == [
        "x = call(",
        "    'one for all, in two', second, third",
        ")",
    ]


def test_an_entry_of_brackets_around_it() -> None:
    assert lay_out('    "a key": first_value + second_value(third),', 30) == [
        '    "a key": first_value',
        "    + second_value(third),",
    ]
    assert lay_out("    name=call(first, second, third),", 30) == [
        "    name=call(",
        "        first, second, third",
        "    ),",
    ]


def test_declared_names_become_several_statements() -> None:
    assert lay_out("    nonlocal first, second, third", 26) == [
        "    nonlocal first, second",
        "    nonlocal third",
    ]


def test_wide_letters_take_two_columns() -> None:
    assert lay_out('x = f("漢字漢字")', 16) == ["x = f(", '    "漢字漢字"', ")"]
    assert lay_out('x = f("漢字漢字")', 17) == ['x = f("漢字漢字")']


def test_what_is_no_statement_stays() -> None:
    for line in ("    a line of a text, with ends: (or not) and", "# a comment that says more than fits"):
        assert lay_out(line, 20) == [line]
