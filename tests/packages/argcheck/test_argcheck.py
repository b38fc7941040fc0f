"""argcheck, by what its documentation says of each option."""

from __future__ import annotations

import re

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

START = """
argcheck = require 'argcheck'
function shown(...)
   local parts = {}
   for i = 1, select('#', ...) do parts[i] = tostring((select(i, ...))) end
   return table.concat(parts, ' ')
end
"""
AREA = "area = argcheck{{name = 'w', type = 'number'}, {name = 'h', type = 'number', %s}, call = shown}"
LABEL = "label = argcheck{{name = 'n', type = 'number', default = 1}, {name = 'text', type = 'string'}, call = shown}"


@pytest.fixture
def run():
    runtime = Runtime()
    runtime.execute(START)
    yield runtime
    runtime.close()


CASES = [
    (AREA % "default = 3", "area(2)", "2 3"),
    (AREA % "default = 3", "area(2, 5)", "2 5"),
    (AREA % "default = 3", "area(2, nil)", "2 3"),
    (AREA % "default = 3", "area{w = 4}", "4 3"),
    (AREA % "default = 3", "area{h = 1, w = 4}", "4 1"),
    (AREA % "defaulta = 'w'", "area(6)", "6 6"),
    (AREA % "defaultf = function() return 8 end", "area(6)", "6 8"),
    (AREA % "opt = true", "area(6)", "6 nil"),
    (AREA % "opt = true", "area(6, nil)", "6 nil"),
    (AREA % "check = function(h) return h > 1 end", "area(6, 2)", "6 2"),
    (LABEL, "label('a')", "1 a"),  # what comes first is left out
    (LABEL, "label(nil, 'a')", "1 a"),
    (LABEL, "label(2, 'a')", "2 a"),
    (LABEL.replace("call", "pack = true, call"), "label{text = 'b'}:sub(1, 5)", "table"),
    (
        "f = argcheck{pack = true, {name = 'n', type = 'number', default = 1}}",
        "shown(f().n, f(3).n, f{n = 4}.n)",
        "1 3 4",
    ),
    ("f = argcheck{quiet = true, {name = 'n', type = 'number'}}", "shown(f(3))", "true 3"),
    ("f = argcheck{quiet = true, {name = 'n', type = 'number'}}", "shown((f('x')))", "false"),
    ("f = argcheck{{name = 't', type = 'table'}, call = function(t) return #t end}", "shown(f{1, 2})", "2"),
    (
        "f = argcheck{nonamed = true, {name = 't', type = 'table', opt = true}, call = function(t) return t.t end}",
        "shown(f{t = 5})",
        "5",
    ),
    (
        "f = argcheck{{name = 'x', type = 'torch.*Tensor'}, call = function(x) return x:nElement() end}",
        "shown(f(torch.IntTensor(4)), f(torch.DoubleTensor(2)))",
        "4 2",
    ),
    (
        (
            "f = argcheck{{name = 'a', type = 'number'}, call = function() return 'number' end}\n"
            "f = argcheck{{name = 'a', type = 'string'}, overload = f, call = function() return 'string' end}"
        ),
        "shown(f(1), f('a'), f{a = 2}, f{a = 'b'})",
        "number string number string",
    ),
    (
        (
            "f = argcheck{{name = 'a', type = 'number'}, call = function() return 'old' end}\n"
            "f = argcheck{{name = 'a', type = 'number'}, {name = 'b', type = 'number', default = 2}, overload = f,\n"
            "   force = true, call = shown}"
        ),
        "shown(f(1), f(1, 3))",
        "1 2 1 3",
    ),
    (
        (
            "local C = torch.class('Jar')\n"
            "C.__init = argcheck{{name = 'self', type = 'Jar'}, {name = 'size', type = 'number', default = 7},\n"
            "   call = function(self, size) self.size = size end}\n"
            "C.add = argcheck{{name = 'self', type = 'Jar'}, {name = 'n', type = 'number'},\n"
            "   call = function(self, n) return self.size + n end}\n"
            "torch.class('Mug', 'Jar')\n"
        ),
        "shown(Jar().size, Jar(2).size, Jar{size = 3}:add(1), Jar(4):add{n = 5}, Mug():add(1))",
        "7 2 4 9 8",
    ),
    (
        (
            "doc = require 'argcheck.doc'\ndoc.record()\ndoc('one ')\n"
            "argcheck{doc = '@ARGP|', {name = 'a', type = 'number'}, {name = 'b', type = 'number', default = 1}}"
        ),
        "doc.stop()",
        "one a[, b]|",
    ),
    (
        "f = argcheck{{name = 'n', type = 'even'}, call = function(n) return n end, quiet = true}\n",
        "shown((f(2)))",
        "false",
    ),
    (
        (
            "require('argcheck.env').istype = function(x, kind) return kind == 'even' and x % 2 == 0 end\n"
            "f = argcheck{{name = 'n', type = 'even'}, nonamed = true}"
        ),
        "shown(f(2))",
        "2",
    ),
]


@pytest.mark.parametrize(("made", "call", "wanted"), CASES)
def test_calls(run, made, call, wanted):
    run.execute(f"{made}\nfound = {call}")
    assert run.globals["found"] == wanted


@pytest.mark.parametrize(
    ("made", "call"),
    [
        (AREA % "default = 3", "area()"),
        (AREA % "default = 3", "area('2')"),
        (AREA % "default = 3", "area(1, 2, 3)"),
        (AREA % "default = 3", "area{w = 1, depth = 2}"),
        (AREA % "check = function(h) return h > 1 end", "area(6, 1)"),
        (LABEL.replace("call", "nonamed = true, call"), "label{text = 'b'}"),
        (LABEL.replace("call", "noordered = true, call"), "label('b')"),
    ],
)
def test_arguments_that_do_not_fit(run, made, call):
    with pytest.raises(LuaError, match=r"(?s)p\.lua:2: .*Arguments.*Got.*invalid arguments!"):
        run.execute(f"{made.replace(chr(10), ' ')}\n{call}", "@p.lua")


def test_what_is_said(run):
    run.execute(
        "f = argcheck{quiet = true, {name = 'n', type = 'number', default = 3, help = 'how many'},\n"
        "   {name = 'what', type = 'string'}}\n_, said = f(true, {})"
    )
    assert run.globals["said"].split("\n") == [
        "",
        "*Arguments:*",
        "```",
        "({",
        "  [n    = number]  -- how many [default=3]",
        "   what = string   -- ",
        "})",
        "```",
        "*Got:* **boolean**, **table**",
        "",
    ]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("{name = 'n'}", "a name and a type expected"),
        ("{type = 'number'}", "a name and a type expected"),
        ("{name = 'n', type = 'number'}, noordered = true, nonamed = true", "neither in order nor by name"),
        ("{name = 'n', type = 'number', defaulta = 'm'}", "no argument <m>"),
        ("{name = 'self', type = 'table', opt = true}", "self cannot be left out"),
        ("{name = 'n', type = 'number'}, overload = print", "not one of argcheck"),
        ("{name = 'n', type = 'number'}, debug = true", "debug is not supported"),
        ("{name = 'n', type = 'number', check = 1}", "check of a rule: a function expected"),
        (
            "{name = 'a', type = 'number'}, overload = argcheck{{name = 'b', type = 'number'}}",
            "ambiguous situations",
        ),
    ],
)
def test_rules_that_are_none(run, rules, message):
    with pytest.raises(LuaError, match=rf"p\.lua:1: .*{re.escape(message)}"):
        run.execute(f"argcheck{{{rules}}}", "@p.lua")


def test_saved(run):
    """A saved function checks its arguments as before; one with its own way of telling types too."""
    run.execute(
        """
        local text = torch.serialize(argcheck{{name = 'a', type = 'number'}, {name = 'b', type = 'number', default = 2},
           call = function(a, b) return a * b end})
        f = torch.deserialize(text)
        local istype = env.istype
        env.istype = function(value, wanted) return wanted == 'any' or type(value) == wanted end
        g = torch.deserialize(torch.serialize(argcheck{{name = 'a', type = 'any'}, call = function(a) return a end}))
        env.istype = istype
    """.replace("env.", "require('argcheck.env').")
    )
    assert run.execute("return f(3), f{a = 3, b = 5}, g('x')") == (6, 15, "x")
    with pytest.raises(LuaError, match=r"(?s)p\.lua:1: .*invalid arguments!"):
        run.execute("f('x')", "@p.lua")
