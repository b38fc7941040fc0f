"""Penlight's lexer, sequences, maps, sets, strict tables and import into a table, by its documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.registry import packages

TOKENS = """
lexer = require 'pl.lexer'
function tokens(stream)
   local found = {}
   for kind, value in stream do found[#found + 1] = kind .. ':' .. tostring(value) end
   return table.concat(found, ' ')
end
"""

CASES = {
    "tokens(lexer.scan('alpha = sin(20)'))": "iden:alpha =:= iden:sin (:( number:20 ):)",
    "tokens(lexer.scan('a  b', nil, {}))": "iden:a space:   iden:b",
    "tokens(lexer.scan('x -1.5e3', nil, {space = true}, {}))": "iden:x number:-1.5e3",
    """tokens(lexer.scan([['it"s' "" "a \\" b"]]))""": r'string:it"s string: string:a \" b',
    """tokens(lexer.scan([["b\\\\" c]]))""": r"string:b\\ iden:c",
    "tokens(lexer.lua('for i=1,n do'))": "keyword:for iden:i =:= number:1 ,:, iden:n keyword:do",
    "tokens(lexer.lua('10+0x1F ~= ...'))": "number:10 +:+ number:31 ~=:~= ...:...",
    "tokens(lexer.lua('x -- more\\n[==[long]==] --[[block]] y'))": "iden:x string:long iden:y",
    "tokens(lexer.lua('a --[[b\\nc]]', {space = true}))": "iden:a comment:--[[b\nc]]",
    "tokens(lexer.cpp('int a->b; // note\\n'))": "keyword:int space:  iden:a ->:-> iden:b ;:; space: ",
    "tokens(lexer.cpp('#define X 1\\nx += 2', {space = true}))": "prepro:#define X 1\n iden:x +=:+= number:2",
    "tokens(lexer.scan(''))": "",
    # the stream gives what it is asked for
    "(function() local s = lexer.scan('one two\\nthree'); s(); return lexer.getline(s) .. '|' .. tokens(s) end)()": (
        " two\n|iden:three"
    ),
    "(function() local s = lexer.scan('one two three'); s(); return lexer.getrest(s) .. '|' .. tokens(s) end)()": (
        " two three|"
    ),
    "(function() local s = lexer.scan('a c'); s(); lexer.insert(s, 'iden', 'b'); return tokens(s) end)()": (
        "iden:b iden:c"
    ),
    "lexer.expecting(lexer.scan('  20 30', nil, {}), 'number')": 20,
    """(function()
       local lists, last = lexer.get_separated_list(lexer.scan('a, f(b, c), 3) d'))
       return ('%d %d %s%s'):format(#lists, #lists[2], last[1], lists[2][1][2])
    end)()""": "3 6 )f",
    "select(2, lexer.get_separated_list(lexer.scan('a, b')))": "EOS",
    # rules of one's own: actions yield, and may be passed over
    """(function()
       local function word(t) return coroutine.yield('word', t:upper()) end
       local function gap(t) return coroutine.yield('gap', t) end
       return tokens(lexer.scan('an old rule', {{'^%a+', word}, {'^%s+', gap}}, {[gap] = true}))
    end)()""": "word:AN word:OLD word:RULE",
}


@pytest.mark.parametrize("source", CASES)
def test_lexer(source: str) -> None:
    with Runtime() as runtime:
        runtime.execute(TOKENS)
        assert runtime.execute(f"return {source}") == CASES[source]


def test_lines_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("one two\nthree\n")
    with Runtime() as runtime:
        runtime.execute(TOKENS)
        runtime.execute(f"s = lexer.scan(io.open('{path}'))")
        assert runtime.execute("s() s() local kind, value = s() return value") == "three"
        assert runtime.execute("return lexer.lineno(s)") == (2, 6)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("lexer.expecting(lexer.scan('a'), 'number')", "expecting number"),
        (
            "lexer.scan('!', {{'^%a', function(t) return coroutine.yield('a', t) end}})()",
            "nothing fits at '!'",
        ),
        ("lexer.scan('a', {{'^%d*', function(t) return coroutine.yield('a', t) end}})()", "finds nothing"),
        ("lexer.scan(nil)", "a string or an object with read is expected"),
    ],
)
def test_refused(source: str, message: str) -> None:
    with Runtime() as runtime:
        runtime.execute(TOKENS)
        with pytest.raises(LuaError, match=f"x.lua:1: .*{message}"):
            runtime.execute(source, "@x.lua")


SEQUENCES = {
    "seq{1, 2, 3, 4}:filter(function(x) return x % 2 == 0 end):map('|x| x * 10'):copy():concat ','": "20,40",
    "seq{'a', 'b'}:upper():copy():concat()": "AB",
    "all(seq.enum(seq.take({'a', 'b', 'c'}, 2)))": "1a 2b",
    "all(seq.last(seq.range(3, 6)))": "43 54 65",
    "all(seq.splice(seq.skip(seq.list{1, 2, 3}, 2), {7}))": "3 7",
    "all(seq.zip({1, 2, 3}, {'x', 'y'}))": "1x 2y 3",
    "all(seq.unique{'b', 'a', 'b'})": "a b",
    "all(seq.sort(seq.keys{y = 1, x = 2}))": "x y",
    "seq.reduce('-', {1, 2, 3, 4, 5})": -13,
    "seq.copy_tuples(seq.zip({1, 2}, {3, 4}))[2][2]": 4,
    "select(2, seq.sum{2, 3})": 2,
    "select(2, seq.minmax{3, '10', 2})": 10,
    "seq.count({1, 2, 3}, seq.greater_than(1))": 2,
    "seq.count_map{'a', 'b', 'a'}.a": 2,
}


def test_sequences() -> None:
    with Runtime() as runtime:
        runtime.execute("""
            seq = require 'pl.seq'
            function all(s)
               local found = {}
               for a, b in s do found[#found + 1] = a .. (b or '') end
               return table.concat(found, ' ')
            end
        """)
        assert {source: runtime.execute(f"return {source}") for source in SEQUENCES} == SEQUENCES


MAPS = {
    "tostring(Map{one = 1, two = 2})": "{one=1,two=2}",
    "Map{one = 1, two = {2}} == Map{two = {2}, one = 1}": True,
    "Map{b = 1, a = 2}:items()[1][2]": 2,
    "tostring(OrderedMap{{z = 1}, {a = 'x'}, {k = 2}}:set('z', nil):insert(1, 'f', 9):insert(3, 'a'))": (
        '{f=9,k=2,a="x"}'
    ),
    "(function() local m = OrderedMap() m.q = 1 m.b = 2 m.q = 3 return m:values():concat ',' end)()": "3,2",
    "tostring(Set{'x', 'y'} + Set{'y', 'z'} + 'w')": "[w,x,y,z]",
    "tostring(Set{'x', 'y'} * Set{'y', 'z'})": "[y]",
    "tostring(Set{'x', 'y'} - 'y')": "[x]",
    "tostring(Set{'x', 'y'} ^ Set{'y', 'z'})": "[x,z]",
    "Set{'x', 'y'} == Set{'y', 'x', 'x'}": True,
    "Set{'x', 'y'} < Set{'x'}": False,
    "Set.len(Set{1, 2, 2})": 2,
    "types.type(Map{})": "Map",
    "types.is_type(OrderedMap(), OrderedMap)": True,
    "types.to_bool('Yes')": True,
    "require('pl.operator').match('abc', '^b')": False,
    "require('pl.tablex').reduce(require('pl.operator').sub, {9, 2, 3})": 4,
}


def test_maps_and_sets() -> None:
    with Runtime() as runtime:
        runtime.execute(
            "for name in ('Map OrderedMap Set types'):gmatch('%a+') do _G[name] = require('pl.' .. name) end"
        )
        assert {source: runtime.execute(f"return {source}") for source in MAPS} == MAPS
        with pytest.raises(LuaError, match=r"x.lua:1: cannot use an array to initialize an OrderedMap"):
            runtime.execute("OrderedMap{1, 2}", "@x.lua")


def test_import_into() -> None:
    with Runtime() as runtime:
        assert runtime.execute("pl = require 'pl.import_into'() return pl.utils.split('a b')[2]") == "b"
        assert runtime.execute("return rawget(_G, 'stringx'), pl.nothing") == (None, None)
        assert runtime.execute("return pl.stringx == require 'pl.stringx'") is True
        runtime.execute("env, module = require 'pl.import_into'(true) env.f = 1")
        assert runtime.execute("return module.f, module.utils, env.tablex.size{1, 2}") == (1, None, 2)


def test_every_module_is_a_global_when_it_is_named() -> None:
    modules = sorted(name.removeprefix("pl.") for name in packages if name.startswith("pl."))
    with Runtime() as runtime:
        found = {name: runtime.execute(f"return rawget(_G, '{name}'), type({name})") for name in modules}
    for name in ("strict", "import_into"):
        assert found.pop(name) == (None, "nil")
    assert set(found.values()) == {(None, "table")}


def test_dates() -> None:
    """Those of the calendar: a leap year's February, months that carry over, seconds since 1970."""
    with Runtime() as runtime:
        assert (
            runtime.execute("""
            require 'pl'
            local d, now = Date(2016, 2, 3, 4, 5, 6), os.date('*t')
            assert(Date {os.date()}:day() == now.day and Date {os.date()}:hour() == 12)
            assert(d:month() == 2 and d:weekday_name() == 'Wed' and d:month_name(true) == 'February')
            assert(Date(d):last_day():day() == 29 and Date(d):add {month = 11}:year() == 2017)
            assert(d < Date {year = 2017} and d == Date(d) and d:toUTC().time == d.time)
            assert(tostring(Date(86400):diff(Date(0))) == '1 day' and tostring(Date(86400) - Date(0)) == '1 day')
            assert(tostring(Date(0) + Date.Interval(90)) == '1970-01-01T00:01:30Z' and (d + {day = 27}):month() == 3)
            return tostring(Date(1e9))
        """)
            == "2001-09-09T01:46:40Z"
        )
        with pytest.raises(LuaError, match=r"pl.Date:diff: the other date is later"):
            runtime.execute("Date(0):diff(Date(1))")


def test_all_that_is_below_a_directory(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("x", "a/y", "a/b/z"):
        (tmp_path / name).touch()
    (tmp_path / "broken").symlink_to("nowhere")
    with Runtime() as runtime:
        found = runtime.execute(f"""
            local found = {{}}
            for name, is_dir in require 'pl.dir'.dirtree('{tmp_path}/') do
               table.insert(found, name:sub(#'{tmp_path}' + 2) .. (is_dir and '/' or ''))
            end
            table.sort(found)
            return table.concat(found, ' ')
        """)
        assert found == "a/ a/b/ a/b/z a/y x"
        with pytest.raises(LuaError, match=r"x.lua:1: directory parameter is missing or empty"):
            runtime.execute("require 'pl.dir'.dirtree('')", "@x.lua")


def test_strict_globals() -> None:
    with Runtime() as runtime:
        runtime.execute("before = 1 require 'pl.strict'")
        with pytest.raises(LuaError, match=r"x.lua:1: variable 'missing' is not declared"):
            runtime.execute("print(missing)", "@x.lua")
        with pytest.raises(LuaError, match=r"x.lua:2: assign to undeclared global 'inner'"):
            runtime.execute("(function()\ninner = 3\nend)()", "@x.lua")
        runtime.execute("later = nil (function() later = 2 end)()")
        assert runtime.execute("return before, later, torch.Tensor{1}[1]") == (1, 2, 1)
        runtime.execute("require 'nn' require 'optim' require 'image' require 'pl'")
        assert runtime.execute("return nn.Linear(1, 1):forward(torch.zeros(1)):size(1), List{1}[1]") == (1, 1)


def test_strict_tables() -> None:
    with Runtime() as runtime:
        runtime.execute("PENLIGHT_NO_GLOBAL_STRICT = true strict = require 'pl.strict'")
        assert runtime.execute("return missing") is None
        runtime.execute("t = strict.module('t', {a = 1}, {b = true})")
        assert runtime.execute("t.c = 3 return t.a, t.b, t.c") == (1, None, 3)
        with pytest.raises(LuaError, match=r"variable 'd' is not declared in 't'"):
            runtime.execute("return t.d")
        runtime.execute("open = {} closed = strict.closed_module(open, 'closed') open.f = 5")
        assert runtime.execute("return closed.f, rawget(open, 'f')") == (5, None)
        runtime.execute("all = {inner = {x = 1}} strict.make_all_strict(all)")
        with pytest.raises(LuaError, match=r"variable 'y' is not declared in 'inner'"):
            runtime.execute("return all.inner.y")
