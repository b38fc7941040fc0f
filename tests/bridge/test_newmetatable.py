"""torch.newmetatable: classes with constructors and factories of their own."""

from __future__ import annotations

import pytest

from tests.ops.lua_forms import failure

POINT = """
    local mt = torch.newmetatable('Point', nil, function(x, y)
        return setmetatable({x = x, y = y}, torch.getmetatable('Point'))
    end)
    function mt:sum() return self.x + self.y end
"""


def test_a_constructor(runtime):
    source = f"{POINT} local p = Point(1, 2) return p:sum(), torch.type(p), Point.sum == mt.sum, Point.new(3, 4):sum()"
    assert runtime.execute(source) == (3, "Point", True, 7)


def test_a_child(runtime):
    source = f"""{POINT}
        local child = torch.newmetatable('Child', 'Point', nil, nil, function() return 'empty' end)
        return child.sum == mt.sum, torch.factory('Child')(), torch.isTypeOf(setmetatable({{}}, child), 'Point')"""
    assert runtime.execute(source) == (True, "empty", True)


def test_what_is_missing_can_come_later(runtime):
    source = f"""{POINT}
        torch.newmetatable('Late')
        local early = pcall(Late)
        local function make() return setmetatable({{x = 5, y = 1}}, torch.getmetatable('Late')) end
        torch.newmetatable('Late', 'Point', make)
        return early, Late():sum()"""
    assert runtime.execute(source) == (False, 6)


def test_a_module_table(runtime):
    assert runtime.execute(
        "local m = {} torch.newmetatable('a.B', nil, function() return 3 end, nil, nil, m) return m.B(), B"
    ) == (3, None)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "torch.newmetatable(3)",
            "bad argument #1 to torch.newmetatable: the class name must be a string, not a number",
        ),
        ("torch.newmetatable('A', nil, 3)", "bad argument #3"),
        ("torch.newmetatable('nowhere.A')", "cannot make class nowhere.A"),
        ("torch.newmetatable('A', 'Nobody')", "class 'A' has the unknown parent 'Nobody'"),
        ("for i = 1, 2 do torch.newmetatable('A', nil, print) end", "class 'A' has a constructor already"),
        (
            "torch.newmetatable('A') for i = 1, 2 do torch.newmetatable('B', 'A') end",
            "class 'B' has a parent already",
        ),
        ("torch.newmetatable('A') A()", "class 'A' has no constructor"),
    ],
)
def test_errors(runtime, source, message):
    assert message in failure(runtime, source)


def test_a_failed_call_makes_nothing(runtime):
    source = "pcall(torch.newmetatable, 'A', 'Nobody') return torch.getmetatable('A'), A"
    assert runtime.execute(source) == (None, None)


def test_a_constructor_is_a_table(runtime):
    """It stands for its class in comparisons, but has no type of its own: argcheck tells classes by that."""
    script = """require 'nn' local Mine = torch.class('Mine')
    return torch.typename(nn.Linear), torch.type(nn.Linear), torch.type(torch.Tensor), torch.type(_G.Mine),
           torch.type(_G.Mine()), torch.isTypeOf(nn.Linear, 'nn.Module')"""
    assert runtime.execute(script) == (None, "table", "table", "table", "Mine", True)


def test_the_registry_knows_classes(runtime):
    script = """require 'nn' local Mine = torch.class('Mine')
    local registry = debug.getregistry()
    return registry[Mine], registry[getmetatable(nn.Linear)], registry[getmetatable(torch.Tensor(1))], registry[{}]"""
    assert runtime.execute(script) == ("Mine", "nn.Linear", "torch.DoubleTensor", None)
