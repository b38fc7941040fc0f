"""What a program asks of libraries that ``th`` always has: the answer is known, and the other way is left out."""

from __future__ import annotations

import pytest

from tests.translate.running import assert_same


@pytest.mark.parametrize(
    ("program", "left"),
    [
        (
            "print(path and path.join and path.join('a', 'b') or paths.concat('a', 'b'))",
            'os.path.join("a", "b")',
        ),
        ("if path then print('there') else print('not') end", 'print("there")'),
        ("local join = path.join or paths.concat print(join('a', 'b'))", 'os.path.join("a", "b")'),
        ("for w in string.gfind('a b', '%a') do print(w) end", 're.findall("[A-Za-z]", "a b")'),
        (
            "local s = require 'pl.stringx' s = s or require 'pl.stringx' print(s.strip(' a '))",
            '" a ".strip()',
        ),
        # the program's own, and what may be nothing
        (
            "local s = require 'pl.stringx' if arg then s = {} end s = s or require 'pl.stringx' print(s.strip)",
            "",
        ),
        ("local path = nil print(path and path.join or 'none')", ""),
        ("local path = {} print(path.join and 1 or 2)", ""),
        ("string.gfind = string.gfind or string.gmatch print(type(string.gfind))", ""),
        ("print(string.match('a', 'b') or 'none')", ""),
    ],
)
def test_a_known_answer(program: str, left: str) -> None:
    page = assert_same(program, refused=not left)
    if left:
        assert page is not None
        assert left in page.code
        assert " if " not in page.code.partition("def main")[2].partition("if __name__")[0]
