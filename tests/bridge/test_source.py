"""What a source becomes before the engine reads it, and that it then does what Torch's LuaJIT did with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bridge.chunks import Engine, engines
from torch7py.bridge.source import patch


@pytest.fixture(params=engines)
def engine(request) -> Engine:
    engine = Engine(request.param)
    engine.chunk("compat.lua")
    return engine


LEN = "__torch7py_len"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("n = #x", "n = (LEN(x))"),
        ("n = # x+1", "n = (LEN( x))+1"),
        ("return #x", "return (LEN(x))"),
        ("n = #x^2", "n = (LEN(x^2))"),
        ("n = #x.y[#z]:f{#u}", "n = (LEN(x.y[(LEN(z))]:f{(LEN(u))}))"),
        ("n = #'a' .. #\"b\" .. #[[c]]", "n = (LEN('a')) .. (LEN(\"b\")) .. (LEN([[c]]))"),
        ("n = ##x", "n = (LEN((LEN(x))))"),
        ("n = -#x, not #y, #-z", "n = -(LEN(x)), not (LEN(y)), (LEN(-z))"),
        ("n = #{1, 2}", "n = (LEN({1, 2}))"),
        ("n = #...", "n = (LEN(...))"),
        ("n = #(x)(y)", "n = (LEN((x)(y)))"),
        ("n = # --[[ c ]] x -- d", "n = (LEN( --[[ c ]] x)) -- d"),
        ("n = #\nx\n.y", "n = (LEN(\nx\n.y))"),
        ("for i = 1, #x do end", "for i = 1, (LEN(x)) do end"),
    ],
)
def test_length(before, after):
    assert patch(before) == after.replace("LEN", LEN)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f\n(x)", "f(\n x)"),
        ("f -- c\n\n  (x)", "f( -- c\n\n   x)"),
        ("f --[[ c\n ]] (x)", "f( --[[ c\n ]]  x)"),
        ("a.b:c\n(x)\n(y)", "a.b:c(\n x)(\n y)"),
        ("f(x)\r\n(y)\r\n", "f(x)(\r\n y)\r\n"),
        ("f(x)\r(y)", "f(x)(\r y)"),
        ("f{}\n(#x)", "f{}(\n (LEN(x)))"),
        ("n = #f\n(x)", "n = (LEN(f(\n x)))"),
        ("n = (f)\n(x)", "n = (f)(\n x)"),
    ],
)
def test_a_call_whose_parenthesis_is_on_a_later_line(before, after):
    assert patch(before) == after.replace("LEN", LEN)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (";;", "  "),
        ("x = 1;; y = 2", "x = 1;  y = 2"),
        ("x = 1 ; ; (f)()", "x = 1 ;   (f)()"),
        ("do ; (f)() end", "do   (f)() end"),
        ("if x then ; else ; end", "if x then   else   end"),
        ("while x do break; f() end", "while x do do break end; f() end"),
        ("while x do break f() end", "while x do do break end f() end"),
        ("while x do f() break -- c\n ; ; end", "while x do f() break -- c\n ;   end"),
    ],
)
def test_statements_of_lua_52(before, after):
    assert patch(before) == after


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1",
        "x = '#' .. \"#y\" .. [[ #z ]] .. [==[ # ]] ]==]",
        "-- #x\n--[[ f\n(#x) ]]\n--[==[ #x ]] ]==]",
        "f(\nx)\nf\n'text'\nf\n{x}",
        "x = 1; f(); return x;",
        "while x do if y then break end f() end",
        "x = 'a\\x41\\\nb'",
        "local x = f;\n(g)()",
        "x = '\xff\xfe\x00\x80' -- \xe9\x00",
        "gr\xc3\xb6sse = 1 f();;",
        "goto done; ::done::",
        "x = 10LL + 0x1p4 + 0xffULL + 2i",
    ],
)
def test_everything_else_stays(source):
    assert patch(source) == source.replace(";;", "; ")
    assert patch(source.encode("latin1")) == source.replace(";;", "; ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("#!/usr/bin/env th\nn = #x", "\nn = (LEN(x))"),
        ("#!/usr/bin/env th", ""),
        ("# anything\r\nx = 1", "\r\nx = 1"),
        ("\xef\xbb\xbfn = #x", "n = (LEN(x))"),
        ("\xef\xbb\xbf#!th\nx = 1", "\nx = 1"),
    ],
)
def test_first_line(before, after):
    assert patch(before) == after.replace("LEN", LEN)


@pytest.mark.parametrize(
    "source", ["n = #", "n = #x +", "f\n(", "for #x do", "x = '#", "end #x", "local goto = 1"]
)
def test_what_is_not_lua(source):
    assert patch(source) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r"x = '\x41\x7f\xfF'", r"x = '\065\127\255'"),
        (r"x = '\\x41\n\065'", r"x = '\\x41\n\065'"),
        (r"x = [[\x41\z ]]", r"x = [[\x41\z ]]"),
        ("x = 'a\\z\n   \t\n b' y = 1", "x = 'ab'\n\n y = 1"),
        (r"x = '\u{e9}\u{20AC}'", r"x = '\195\169\226\130\172'"),
    ],
)
def test_escapes_for_plain_lua(before, after):
    assert patch(before, escapes=True) == after
    assert patch(before) == before


@pytest.mark.parametrize("name", engines)
def test_escapes_give_luajits_strings(name):
    engine = Engine(name)
    source = r"""return '\x41\xfe|\z
                 |\\x41\9', "\x22'" """
    patched = patch(source, escapes=not engine.jit)
    assert patched is not None
    assert engine.run(patched) == ("A\xfe||\\x41\t", "\"'")


# -- what patched sources do ------------------------------------------------------------------------------

SPACE = st.sampled_from(["", " ", "\n", " --c #x\n", " --[[ #( ]] "])
# Before the parenthesis of a call stands BREAK: a blank for the engine, a new line for the patched source.
BREAK = "\x01"
TABLES: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["t", "t[3]", "t.u", "box(2)", "box(0)", "'#x'", '"ab"', "[[#]]", "{}", "..."]),
        st.builds("({}{})".format, SPACE, TABLES),
        st.builds("{{{}{},{}}}".format, SPACE, NUMBERS, TABLES),
        st.builds("f{}({}{})".format, st.just(BREAK), SPACE, TABLES),
        st.builds("t.f{}({})".format, st.just(BREAK), TABLES),
        st.builds("t:g{}({}){}({})".format, st.just(BREAK), NUMBERS, st.just(BREAK), TABLES),
        st.builds("f{{{}}}".format, NUMBERS),
        st.builds("(f{}{{{}}})[{}]".format, SPACE, TABLES, st.just("1")),
        st.builds("box(#{}{} % 5)".format, SPACE, TABLES),
    )
)
LENGTHS = st.builds("#{}{}".format, SPACE, TABLES)
NUMBERS: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        LENGTHS,
        st.sampled_from(["1", "2"]),
        st.builds("{} {}{} {}".format, NUMBERS, st.sampled_from("+-*%"), SPACE, NUMBERS),
        st.builds("- {}".format, NUMBERS),
        st.builds("({}{})".format, NUMBERS, SPACE),
        st.builds("{} ^ #{}".format, st.sampled_from(["2", "#t"]), TABLES),
        st.builds("(function(...) return {}{} end)()".format, SPACE, NUMBERS),
        st.builds(
            "(function(...) local n = {} {}; return n end){}(t)".format, NUMBERS, SPACE, st.just(BREAK)
        ),
    )
)

SETUP = """
local kind = ...
-- A value of length n: every Lua asks a userdata's metatable for it, only Torch's a table's.
function box(n)
   if kind == 'table' then return setmetatable({1, 2, 3, 4, 5}, {__len = function() return n end}) end
   local u = newproxy(true)
   getmetatable(u).__len = function() return n end
   return u
end
function f(x) return x end
t = {1, 2, {4, 5, 6, 7}, u = box(7), f = f, g = function() return f end}
"""

OUTCOME = """
local ok, value = pcall(assert(loadstring(...)), 'argument')
return ok and tostring(value)
"""


@pytest.mark.parametrize("name", engines)
def test_any_expression(name):
    """The engine's own operator and calls on one side, patched ones on the other."""
    original, patched = Engine(name), Engine(name)
    original.run(SETUP, "userdata")
    patched.chunk("compat.lua")
    patched.run(SETUP, "table")

    @given(
        NUMBERS,
        st.sampled_from(["return {}", "local n = {} return n", "do return ({}) end", "return tostring({})"]),
    )
    def check(expression: str, statement: str) -> None:
        source = statement.format(expression)
        broken = source.replace(BREAK, "\n")
        text = patch(broken)
        assert text is not None
        assert text.count("\n") == broken.count("\n")
        expected = original.run(OUTCOME, source.replace(BREAK, " "))
        assert patched.run(OUTCOME, text) == expected

    check()


def test_length_of_tables_with_len(engine):
    source = """
        local seen
        local t = setmetatable({1, 2, 3}, {__len = function(...) seen = {...} return 7, 8 end})
        local class = setmetatable({}, {__len = function() return 5 end, __metatable = {__len = false}})
        return #t, rawequal(seen[1], t), select('#', #t), #class, #setmetatable({1, 2}, {}), #{1}, #'abc'
    """
    assert engine.run(patch(source)) == (7, True, 1, 5, 2, 1, 3)


@pytest.mark.parametrize("value", ["nil", "1", "true", "print"])
def test_length_of_what_has_none(engine, value):
    ok, message = engine.run(patch(f"local x = {value}\nreturn pcall(function()\n\n return #x end)"))
    assert not ok
    assert message == f"test.lua:4: attempt to get length of a {engine.run(f'return type({value})')} value"


def test_lines_of_errors(engine):
    source = "local f = error\n\nf -- c\n('one')\n"
    assert engine.run(patch(f"return pcall(function()\n {source} end)"))[1] == "test.lua:4: one"
    source = "local x = {}\nlocal n = #x\nerror('two')"
    assert engine.run(patch(f"return pcall(function()\n {source} end)"))[1] == "test.lua:4: two"


def test_luajit_accepts_what_is_patched(engine):
    source = (
        "local f, n = print, 0;; while true do n = n + 1 if n > 2 then break; end break; n = 9 end return n"
    )
    with pytest.raises(Exception, match=r"test\.lua:1"):
        engine.run(source)
    assert engine.run(patch(source)) == 1


def test_a_name_that_is_a_keyword_of_a_later_lua(runtime):
    code = """
        local global = setmetatable({}, {__len = function() return 7 end})
        local t = {global = 1}
        function t.f(x) return x end
        return #global, t.global, t.f
        (global) == global
    """
    assert runtime.execute(code) == (7, 1, True)
