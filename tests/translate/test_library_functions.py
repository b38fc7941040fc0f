"""Functions that a program puts into a library: which stay fields of it."""

from __future__ import annotations

import pytest

from tests.translate.running import assert_same
from torch7py.translate import tree
from torch7py.translate.native.library_functions import read_library_functions
from torch7py.translate.parse import parse


def fields(source: str) -> list[str]:
    block = parse(source.encode(), "file.lua")
    read_library_functions([block])
    found = [node.key.value for node in tree.every(block, tree.Index) if isinstance(node.key, tree.String)]
    return [name for name in found if name == "trim"]


@pytest.mark.parametrize(
    "source",
    [
        "print(string.trim('a')) function string.trim(s) return s end",  # the library's own
        "function string.trim(s) return s end string.trim = nil",
        "local string = other function string.trim(s) return s end",
        "local function f(string) return string.trim('a') end function string.trim(s) return s end",
        "function string.trim(s) return s end function string.trim(s) return s .. s end",
        "function words.trim(s) return s end",
        "if x then function string.trim(s) return s end end",
        "string.trim = trim",
    ],
)
def test_another_field_stays(source: str) -> None:
    assert fields(source)


def test_all_uses_are_of_the_function() -> None:
    source = "local function f() return string.trim(' ') end function string.trim(s) return s end f()"
    assert fields(source) == []


def test_a_table_is_shown() -> None:
    page = assert_same(
        "require 'dataload'\nlocal opt = {rate = 0.5, name = 'it', sizes = {1, 2}}\ntable.print(opt)\n"
    )
    assert page is not None
    assert page.plain_calls == 0
