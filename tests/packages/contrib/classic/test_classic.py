"""classic: classes, mixins, modules and objects that are saved, by what its documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

SHAPES = """
    classic = require 'classic'
    Shape = classic.class('Shape')
    Shape.corners = 4
    function Shape:_init(side) self.side = side end
    function Shape:area() return self.side ^ 2 end
    function Shape._hidden() end
    Cube, super = classic.class('Cube', Shape)
    function Cube:_init(side, name) super._init(self, side); self.name = name end
    function Cube:area() return 6 * super.area(self) end
"""


@pytest.fixture
def lua(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.chdir(tmp_path)
    runtime.execute(SHAPES)
    return runtime


def test_objects_parents_and_attributes(lua: Runtime) -> None:
    lua.execute("cube = Cube(3, 'die')")
    assert lua.execute("return cube:area(), cube.name, cube.corners, Shape(2):area()") == (54, "die", 4, 4)
    assert lua.execute("return cube:class():name(), cube:classIs(Shape), Cube:isSubclassOf(Shape)") == (
        "Cube",
        False,
        True,
    )
    assert lua.execute("return tostring(Cube), Cube:parent() == Shape, Cube:isClassOf(cube)") == (
        "classic.class<Cube>",
        True,
        True,
    )
    assert lua.execute("return classic.isObject(cube), classic.isObject({}), classic.isClass(Cube)") == (
        True,
        False,
        True,
    )
    lua.execute("names = {} for name in pairs(Cube:methods()) do names[#names + 1] = name end")
    assert lua.execute("return table.concat(names, ' '), Cube:allMethods()._hidden ~= nil") == ("area", True)


def test_mixins_static_functions_and_classes_by_name(lua: Runtime) -> None:
    lua.execute("""
        local Named = classic.class('Named')
        Named:mustHave('label')
        function Named:shout() return self:label() .. '!' end
        Ball = classic.class('Ball', 'Shape')
        Ball:include('Named')
        function Ball.static.round() return true end
    """)
    assert lua.execute("return Ball.round(), Ball:abstract(), classic.getClass('Ball') == Ball") == (
        True,
        True,
        True,
    )
    with pytest.raises(LuaError, match=r"t\.lua:1: classic: Ball must have a method label"):
        lua.execute("Ball(1)", "=t.lua")
    lua.execute("function Ball:label() return 'ball ' .. self.side end")
    assert lua.execute("return Ball(1):shout()") == "ball 1!"


def test_callbacks(lua: Runtime) -> None:
    lua.execute("""
        told = {}
        classic.addCallback(classic.events.CLASS_INIT, function(name) told[#told + 1] = name end)
        classic.addCallback(classic.events.CLASS_DEFINE_METHOD, function(c, name) told[#told + 1] = name end)
        local Last = classic.class('Last')
        function Last:go() end
    """)
    assert lua.execute("return table.concat(told, ' ')") == "Last go"


@pytest.mark.parametrize("torch", ["", "require 'classic.torch'"])
def test_strict_objects(lua: Runtime, torch: str) -> None:
    lua.execute(torch + " c = Cube(2) classic.strict(c) c.side = 5")
    assert lua.execute("return c:area()") == 150
    for statement in ("return c.colour", "c.colour = 1"):
        with pytest.raises(LuaError, match="an object of Cube is strict"):
            lua.execute(statement)


def test_objects_are_saved_and_read(lua: Runtime) -> None:
    lua.execute("""
        require 'classic.torch'
        function Cube:__tostring() return 'cube of ' .. self.side end
        local Own = classic.class('Own')
        function Own:__write(file) file:writeInt(7) end
        function Own:__read(file) self.number = file:readInt() end
        torch.save('a.t7', {Cube(4, 'x'), Own()})
        a = torch.load('a.t7')
    """)
    assert lua.execute("return a[1]:area(), tostring(a[1]), a[1]:class() == Cube, torch.type(a[1])") == (
        96,
        "cube of 4",
        True,
        "torch.Object",
    )
    assert lua.execute("return a[2].number") == 7


def test_modules_load_what_is_looked_up(lua: Runtime) -> None:
    Path("zoo").mkdir()
    Path("zoo/init.lua").write_text(
        "local M = classic.module(...) M:class('Cat') M:submodule('tools') M.size = 2 return M"
    )
    Path("zoo/Cat.lua").write_text(
        "local Cat = classic.class(...) function Cat:legs() return 2 * require('zoo').size end return Cat"
    )
    Path("zoo/tools.lua").write_text(
        "local M = classic.module(...) function M.twice(x) return 2 * x end return M"
    )
    assert lua.execute("zoo = require 'zoo' return package.loaded['zoo.Cat'] == nil, zoo.Cat():legs()") == (
        True,
        4,
    )
    assert lua.execute("return zoo.tools.twice(4), tostring(zoo), zoo.Cat:name()") == (
        8,
        "classic.module<zoo>",
        "zoo.Cat",
    )
    with pytest.raises(LuaError, match="the module zoo has no Dog"):
        lua.execute("return zoo.Dog")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("classic:class('A')", "with a dot, not a colon"),
        ("classic.class(3)", "the name of a class is a string"),
        ("classic.class('A', 3)", "the parent is a class or the name of one"),
        ("function Shape:__init() end", "the constructor is called _init"),
        ("return Shape.radius", "the class Shape has no radius"),
        ("Cube:include(Shape)", "Cube has a method"),
        ("super:area()", "has a dot, not a colon"),
        ("super.weight()", "Shape, the parent, has no method weight"),
        ("Shape:final('area') function Shape:area() end", "area is final"),
        ("Shape:final('weight')", "there is no method weight yet"),
        ("Shape.name = 3", "cannot be called name"),
        ("local again = classic.class('Shape') function again:area() return 1 end", "is defined already"),
        ("classic.getClass('nowhere.A')", "cannot be loaded"),
        ("classic.module('Zoo')", "lower_case_with_underscores"),
    ],
)
def test_errors(lua: Runtime, statement: str, message: str) -> None:
    with pytest.raises(LuaError, match=message):
        lua.execute(statement)
