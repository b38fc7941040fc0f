"""Classes: their form, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.translate.running import assert_same
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script


def page(source: str) -> str:
    return translate_script(source.encode(), "p.lua").code


def codes(source: str) -> set[str]:
    page = translate_script(source.encode(), "p.lua")
    return {problem.code for problem in (*page.problems, *page.reasons)}


POINT = """
local Point = {}
Point.__index = Point
function Point.new(x) return setmetatable({x = x}, Point) end
function Point:get() return self.x end
"""


def test_a_metatable_is_a_class() -> None:
    text = page(POINT + "print(Point.new(3):get())")
    assert "class Point:\n    def __init__(self, x):\n        self.x = x\n" in text
    assert "    print(Point(3).get())\n" in text


def test_what_a_constructor_does_not_set_is_none_at_first() -> None:
    text = page(POINT + "function Point:mark() self.seen = (self.seen or 0) + 1 end\nPoint.new(1):mark()")
    assert "def __init__(self, x):\n        self.seen = None\n        self.x = x\n" in text


def test_the_parent_is_called_by_super() -> None:
    text = page(
        "do local A = torch.class('A')\nfunction A:__init(n) self.n = n end\nend\n"
        "do local B, parent = torch.class('B', 'A')\nfunction B:__init() parent.__init(self, 2) end\nend\nprint(B().n)"
    )
    assert "class B(A):\n    def __init__(self):\n        super().__init__(2)\n" in text


@pytest.mark.parametrize(
    ("function", "undecided"),
    [
        ("if type(x) == 'table' then x[1] = 5 print(x[1]) end", {"T7-306"}),
        ("if type(x) == 'table' then table.insert(x, 5) print(#x) end", {"T7-306"}),
        ("if type(x) == 'table' then print(x[1]) else x:zero() end", set()),
        ("if not torch.isTensor(x) then for i = 1, #x do print(x[i]) end end", set()),
        ("x:zero()", set()),  # of a table an error there and here
        ("if type(x) == 'table' then print(1) end x:zero()", set()),
        ("if type(x) == 'table' then return end x:zero()", set()),
        ("for i = 1, 2 do if type(x) == 'table' then break end x:zero() end", set()),
        ("x = x or {} if type(x) == 'table' then print(#x) end", {"T7-301"}),
    ],
)
def test_a_parameter_of_several_kinds(function: str, undecided: set[str]) -> None:
    """What cannot be decided is done by plain calls."""
    source = (
        f"local function f(x) {function} end f(torch.ones(2)) local t = {{1, 2}} pcall(f, t) print(#t, t[1])"
    )
    page = translate_script(source.encode(), "p.lua")
    assert page.problems == []
    assert codes(source) == undecided
    if "zero" not in function:
        assert_same(source)


PROTOTYPE = """
local Beast = {}
function Beast:new(o)
   o = o or {}
   setmetatable(o, self)
   self.__index = self
   return o
end
function Beast:say() return self.name end
"""


@pytest.mark.parametrize(
    "source",
    [
        "local t = {name = 'x'}\nlocal b = Beast:new(t)\nt.name = 'y'\nprint(b:say())",  # the same table
        "local b = Beast:new{'x', name = 'y'}\nprint(b:say(), b[1])",
        "local function make(...) return Beast:new(...) end\nprint(make{name = 'x'}:say())",
        "local b = Beast:new{[1] = 2, name = 'y'}\nprint(b:say())",
    ],
)
def test_objects_of_tables_that_are_not_written_out(source: str) -> None:
    assert codes(PROTOTYPE + source) & {"T7-242", "T7-201"}


CHECKED = "local argcheck = require 'argcheck'\nlocal f = argcheck{%s}\nprint(%s)"
NUMBER = "{name = 'x', type = 'number'%s}, call = function(x) return x end"


@pytest.mark.parametrize(
    ("rules", "call"),
    [
        (NUMBER % "" + ", overload = g", "f(1)"),
        (NUMBER % "" + ", pack = true", "f(1)"),
        (NUMBER % ", check = function(x) y = x return x > 0 end", "f(1)"),
        (
            "{name = 'x', type = 'table', default = {}}, call = function(x) x[1] = 2 return #x end",
            "f()",
        ),  # the same each time
        ("{name = 'x', type = 'boolean', default = false}, call = function(x) return x end", "f(nil)"),
        (
            (
                "{name = 'f', type = 'function', default = function() return x end}, {name = 'x', type = 'number'},"
                " call = function(f, x) return f() end"
            ),
            "f(3)",
        ),
    ],
)
def test_rules_for_arguments_that_do_more(rules: str, call: str) -> None:
    assert codes(CHECKED % (rules, call))


@pytest.mark.parametrize(
    "source",
    [
        "function Point.marked(p) return setmetatable(p, Point) end",  # of a table that it did not make
        "function Point:__newindex(key, value) rawset(self, key, value) end",
        "function Point:__concat(o) return 'x' end",
        "Point.size = 3\nlocal p = Point.new(1)\np.size = nil\nprint(p.size)",  # which is the class's then
        "print(setmetatable({x = 2}, Point):get())",  # beside a constructor
    ],
)
def test_refused(source: str) -> None:
    assert codes(POINT + source + "\nprint(Point.new(1))") & {"T7-242", "T7-201"}


def test_the_type_of_what_nothing_is_known_of() -> None:
    source = (
        "function kind(x)\n   if torch.type(x) ~= 'number' then return 'other' end\n   return 'number'\nend\n"
    )
    space: dict[str, Any] = {"__name__": "page"}
    exec(page(source), space)
    given = [3, 0.5, True, "3", None, torch.ones(1), [1]]
    assert [space["kind"](value) for value in given] == ["number"] * 2 + ["other"] * 5


def test_a_method_of_a_class_that_does_not_take_the_arguments_is_not_meant() -> None:
    """``x:size(1)`` is asked of a tensor, where a class has a ``size`` without parameters."""
    own = "local Set = torch.class('Set')\nfunction Set:size() return 2 end\n"
    text = page(
        own + "function rows(x)\n   return x:size(1)\nend\nfunction count(x)\n   return x:size()\nend\n"
    )
    assert "def rows(x):\n    return x.shape[0]\n" in text
    assert 'def count(x):\n    return lua_compat.method(x, "size")\n' in text  # it may be a Set


METERS = """
local meter = torch.class('Meter')
function meter:__init() self.total = 0 end
function meter:add(x) self.total = self.total + x end
local mean = torch.class('Mean', 'Meter')
function mean:value() return self.total / 2 end
local list = torch.class('List', 'Meter')
function list:value() return {self.total, {1, 2}} end
"""
USES = "m:add(4) m:add(2) l:add(1) print(m:value() + 1, #l:value(), l:value()[2][1])"


@pytest.mark.parametrize(
    ("objects", "is_known"),
    [
        ("local m, l = Mean(), List()", True),
        ("m = Mean.new() local l l = List()", True),
        ("local m, l = Mean(), List() if m.total > 0 then m = Mean() end", True),
        ("local m, l = Mean(), List() if m.total > 0 then m = l end", True),  # of m only a number is asked
        ("local m, l = Mean(), nil if m.total > 0 then l = Mean() else l = List() end", False),
    ],
)
def test_objects_are_of_the_classes_that_variables_are_given_objects_of(
    objects: str, is_known: bool, tmp_path: Path
) -> None:
    """Others of the same family have methods of the same names."""
    path = tmp_path / "p.lua"
    path.write_text(f"{METERS}{objects}\n{USES}")
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.problems == []
    assert (page.plain_calls == 0) is is_known
    assert verify_script(page, path).lines == 1
