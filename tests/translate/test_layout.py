"""Pages are laid out by the formatter; comments, and names declared, by rules of their own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.translate.formatter import Formatter
from torch7py.translate.layout import WIDTH, items, lay_out, lay_out_all

pytestmark = pytest.mark.own_formatter

LONG = " + ".join(f"a_value_{number}" for number in range(20))
WORDS = "words of a comment " * 5


def test_a_comment_goes_before_a_line_that_is_too_long_with_it() -> None:
    short = "x = first_value + second_value"
    assert lay_out(f"{short}  # why\n") == f"{short}  # why\n"
    assert lay_out(f"{short}  # {WORDS}\n") == f"# {WORDS.strip()}\n{short}\n"
    laid_out = lay_out(f"def f():\n    x = {LONG}  # why\n").splitlines()
    assert laid_out[:3] == ["def f():", "    # why", "    x = ("]
    assert max(map(len, laid_out)) <= WIDTH


def test_a_comment_longer_than_a_line_becomes_several() -> None:
    first, second, code = lay_out(f"x = 1  # {WORDS}{WORDS}\n").splitlines()
    assert f"{first[2:]} {second[2:]}" == f"{WORDS}{WORDS}".strip()
    assert code == "x = 1"
    assert len(first) <= WIDTH


def test_wide_letters_take_two_columns() -> None:
    assert lay_out(f"x = 1  # {'漢' * 50}\n") == f"x = 1  # {'漢' * 50}\n"
    assert lay_out(f"x = 1  # {'漢' * 51}\n") == f"# {'漢' * 51}\nx = 1\n"


def test_comments_without_words_are_left_out_unless_they_part_others() -> None:
    assert lay_out("x = 1  #\n#\ny = 2\n") == "x = 1\ny = 2\n"
    assert lay_out("# one\n#\n# two\nx = 1\n") == "# one\n#\n# two\nx = 1\n"


def test_lines_of_texts_stay() -> None:
    page = f'x = """\n#\nnonlocal {LONG}  # {WORDS}\n"""\n'
    assert lay_out(page) == page


def test_declared_names_become_several_statements() -> None:
    names = [f"name_{number}" for number in range(30)]
    page = f"def f():\n    {' = '.join(names)} = 1\n\n    def g():\n        nonlocal {', '.join(names)}\n"
    declared = [line.strip() for line in lay_out(page).splitlines() if "nonlocal" in line]
    assert ", ".join(line.removeprefix("nonlocal ") for line in declared) == ", ".join(names)
    assert len(declared) > 1
    assert "\\" not in lay_out(page)


def test_what_is_no_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        lay_out("x = = 1\n")


def test_items_of_what_is_written_out() -> None:
    assert items("[a, (b, c), f(d, e)]") == ["a", "(b, c)", "f(d, e)"]
    assert items('{"é": [1, 2], "b": x}') == ['"é": [1, 2]', '"b": x']
    assert items("f(x)") == []


def test_the_formatter_that_stays_lays_out_alike(formatter: Formatter) -> None:
    """Pages of snapshots as a translator might write them, one of them laid out, and odd ones."""
    snapshots = sorted(Path(__file__).with_name("snapshots").rglob("*.py"))[::10]
    pages = [ast.unparse(ast.parse(path.read_text())) + "\n" for path in snapshots]
    pages += [snapshots[0].read_text(), "", "x='\u2028漢' ;y=1\n# é\n\n\n\nz  =1", "x = 'a'  \r\ny=1\r\n"]
    assert formatter.lay_out_all(pages) == lay_out_all(pages)
    with pytest.raises(SyntaxError):
        formatter.lay_out_all([*pages, "x = = 1\n"])
