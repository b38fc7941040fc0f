"""Functions of Lua's libraries as values: handed to functions, kept in tables, given back, and called with less."""

from __future__ import annotations

import pytest

from tests.translate.running import assert_same

MAP = "local function map(f, t) local r = {} for i, v in ipairs(t) do r[i] = f(v) end return r end\n"
# Each with a text and a number that it takes.
FUNCTIONS = [
    ("tonumber", "'0x10'"),
    ("tostring", "2.5"),
    ("type", "'a'"),
    ("string.upper", "'aB'"),
    ("string.lower", "'aB'"),
    ("string.len", "'abc'"),
    ("string.reverse", "'abc'"),
    ("string.format", "'%%'"),
    ("table.concat", "{'a', 'b'}"),
    ("torch.type", "torch.ones(2)"),
    ("torch.isTensor", "torch.ones(2)"),
    ("unpack", "{7, 8}"),
]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("function", "argument"), FUNCTIONS)
def test_a_function_of_a_library_is_a_value(function: str, argument: str) -> None:
    page = assert_same(
        f"""{MAP}
print(map({function}, {{{argument}, {argument}}})[2])
local functions = {{f = {function}}}
print(functions.f({argument}))
local function chosen() return {function} end
print((chosen()({argument})))
local named = {function}
print((named({argument})), map(named, {{{argument}}})[1])
"""
    )
    assert page is not None


@pytest.mark.parametrize(
    ("program", "native"),
    [
        ("local r = map(tonumber, {'4', '2.5'}) print(r[1] + r[2])", "lambda text, base=None: to_number("),
        ("print(map(string.upper, {'ab'})[1])", "map_(lambda text: text.upper(), "),
        ("print((('a1b22'):gsub('%a', string.upper)))", "lambda m: m[0].upper()"),
        ("print(pcall(tonumber, '5'))", ""),
        ("local M = {} M.show = print M.show('shown', 1)", ""),
        # other names, and what a program asks for: they stay as they are
        ("local up = string.upper print(up('a'))", '"a".upper()'),
        ("local unpack = unpack or table.unpack print((unpack({3})))", ""),
        ("if table.unpack then print((table.unpack({4}))) end", ""),
        # of the program's own they are its own
        ("local function tonumber(x) return 7 end print(map(tonumber, {1})[1])", "map_(tonumber, [1])"),
    ],
)
def test_how_it_is_written(program: str, native: str) -> None:
    page = assert_same(MAP + program)
    assert page is not None
    assert native in page.code


@pytest.mark.parametrize(
    "function",
    [
        "function(a, b) return b or a * 2 end",
        "function(a, b, c) return (b or 1) + (c or a) end",
        "function(a, ...) return a end",
        "function() return 3 end",
    ],
)
def test_functions_that_take_more_than_they_are_given(function: str) -> None:
    page = assert_same(f"{MAP}local r = map({function}, {{4, 2}}) print(r[1] + r[2])")
    assert page is not None
