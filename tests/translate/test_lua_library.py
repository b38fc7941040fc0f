"""Every function of Lua's libraries, in each form in which a program uses it, gives in a page what it gives in Lua."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from tests.translate.running import in_page, in_runtime
from torch7py.bridge.errors import LuaError
from torch7py.translate.native.program import translate_script

SETTING = """local s, n, t = 'one two', 3, {5, 6, 7}
local words, mixed = {'b', 'a'}, {x = 1, 'z'}
local function twice(...) return ..., select('#', ...) end
"""
CALLS = r"""
string.len(s)
string.sub(s, 2, 4)
string.upper(s)
string.lower('AbC')
string.rep('ab', n)
string.reverse(s)
string.byte(s)
string.byte(s, 1, 3)
string.char(72, 105)
string.format('%d %s %5.2f', 3, s, 2.5)
string.find(s, 'two')
string.find(s, '(o)(n)')
string.find(s, 'zz')
string.match(s, '%a+')
string.match(s, '(%a+) (%a+)')
string.match(s, '%d')
string.gsub(s, 'o', '0')
string.gsub(s, '%a+', string.upper)
s:find('two')
s:gsub('o', '0')
s:byte(1, -1)
s:match('(t)(w)')
math.abs(-n)
math.floor(-2.5)
math.fmod(7, n)
math.frexp(8)
math.modf(-2.75)
math.ldexp(1, 3)
math.log(8)
math.max(1, n, 2)
math.min(4, n)
math.pow(2, n)
math.sqrt(16)
math.atan2(1, 2)
table.concat(words)
table.concat(t, '-', 2, 3)
table.remove({1, 2, 3}, 1)
table.maxn(t)
table.getn(t)
table.foreach(t, print)
table.foreachi(t, print)
table.unpack(t)
table.pack(1, 2).n
os.remove('nothing.txt')
os.rename('nothing.txt', 'else.txt')
os.execute('true')
os.execute('exit 3')
os.getenv('NOT_SET_HERE')
os.difftime(5, 3)
os.date('%Y', 0)
os.date('!*t', 86400).year
os.time{year=2000, month=1, day=1, hour=12}
io.open('nothing.txt')
io.type(s)
io.popen('exit 3'):close()
io.tmpfile():close()
assert(1, 2)
assert(s)
pcall(error, 'x')
pcall(twice, 1, 2)
select('#', 1, 2, nil)
select(2, 'a', 'b', 'c')
tonumber('10')
tonumber('z', 36)
tonumber('zz')
tostring(n)
type(s)
type(nil)
type(print)
unpack(t)
unpack(t, 2)
next(t)
next({})
rawequal(t, t)
rawget(t, 2)
getmetatable(t)
xpcall(twice, print, 1)
xpcall(error, function(e) return 'caught' end)
collectgarbage()
twice(1, 2)
bit.band(6, n)
bit.bnot(n)
bit.lshift(1, n)
bit.tobit(2^32 + 1)
bit.tohex(255)
coroutine.status(coroutine.create(twice))
coroutine.resume(coroutine.create(function(a) coroutine.yield(a, 2) end), 1)
""".strip().split("\n")
FORMS = {
    "all values, printed": "print({call})",
    "the first": "local a = {call} print(a)",
    "two": "local a, b = {call} print(a, b)",
    "behind another": "local a, b, c = 'x', {call} print(a, b, c)",
    "none": "{call}",
    "a condition": "if {call} then print('yes') else print('no') end",
    "turned": "print(not {call})",
    "in brackets": "print(({call}))",
    "or": "local a = {call} or 'none' print(a)",
    "and": "print({call} and 'some')",
    "compared": "print({call} == nil, {call} == 'x')",
    "asserted": "print(pcall(function() return assert({call}) end))",
    "a field": "local o = {{}} o.v = {call} print(o.v)",
    "returned": "local function f() return {call} end print(f())",
    "the first of what is returned": "local function f() return {call} end local a = f() print(a)",
    "its kind": "print(type({call}))",
    "as text": "print('<' .. tostring({call}) .. '>')",
    "by another name": "local f = {function} print(f({arguments}))",
    "protected": "print(pcall({function}, {arguments}))",
    "protected, by parts": "local ok, v = pcall({function}, {arguments}) print(ok, v)",
    "handed to a function": "local function g(f, ...) return f(...) end print(g({function}, {arguments}))",
    "a field's": "local o = {{go = {function}}} print(o.go({arguments}))",
}
# What pages do not have: text that is run, and what tells of the run itself. Nothing else is refused.
REFUSED = [
    "loadstring('return 1')()",
    "load('return 4')()",
    "debug.getinfo(1).short_src",
    "coroutine.running()",
]
# What fails in a page as it would in Lua, by an error of Python's: a list with nil in it, a file that is not there
# where the program does not look, an item of a list that it does not have, nil that may be no value at all.
FAILS = re.compile(
    r"a list with nil|No such file|pop from empty|unsupported format string|list index out of range"
    r"|nil or no value at all"
)


def programs(call: str) -> Iterator[tuple[str, str]]:
    named = re.fullmatch(r"([\w.]+)\((.+)\)", call)
    for name, form in FORMS.items():
        parts = {"call": call}
        if "{function}" in form:
            if named is None or named[1] in ("twice",) or call.startswith("io.open"):
                continue
            parts = {"function": named[1], "arguments": named[2]}
        yield name, SETTING + form.format(**parts)


def differences(cases: list[tuple[str, str, str]]) -> list[str]:
    others = []
    for call, form, source in cases:
        try:
            expected = in_runtime(source)
        except LuaError:
            continue
        page = translate_script(source.encode(), "p.lua")
        if page.problems:
            others.append(f"{call}, {form}: refused, {page.problems[0]}")
            continue
        try:
            given = in_page(page)
        except BaseException as error:  # noqa: BLE001  (told below, where it is none of those that are allowed)
            given = f"{type(error).__name__}: {error}"
            if FAILS.search(given):
                continue
        if given != expected:
            others.append(f"{call}, {form}: {given!r} for {expected!r}")
    return others


CASES = [(call, form, source) for call in CALLS for form, source in programs(call)]
# An odd step that takes every form, and every function in time.
SAMPLE = 31


@pytest.mark.parametrize(
    "chosen", [CASES[::SAMPLE], pytest.param(CASES, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_a_page_gives_what_lua_gives(chosen: list[tuple[str, str, str]], tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert differences(chosen) == []


def test_the_sample_has_every_form() -> None:
    assert {form for _, form, _ in CASES[::SAMPLE]} == FORMS.keys()


@pytest.mark.parametrize("call", REFUSED)
def test_what_is_refused(call: str) -> None:
    first = next(itertools.islice(programs(call), 1))[1]
    assert translate_script(first.encode(), "p.lua").problems
