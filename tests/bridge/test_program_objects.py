"""Objects of a program's own classes that go through layers: they are no tables to these, and stay in Lua.

Every expectation is what the original does with the same program.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import lua

CLASSES = """
    require 'nn' require 'nngraph'
    local Class = torch.class('Sample')
    function Class:__init(n)
        self.x, self.n, self[1] = torch.ones(2) * n, n, torch.ones(3)
        self.text = function() return n end
        self.inner = {torch.zeros(1), k = torch.zeros(2)}
    end
    function Class:say() return 'sample ' .. self.n end
    local Layer = torch.class('nn.SampleLayer', 'nn.Module')
    function Layer:updateOutput(x) self.output, self.seen = x, x:say() return x end
    function Layer:updateGradInput(x, g) self.gradInput = g return g end
    a = Sample(3)"""


@pytest.fixture
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        runtime.execute(CLASSES)
        yield runtime


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "local m = nn.Identity() return rawequal(m:forward(a), a), rawequal(m.output, a), m.output:say()",
            (True, True, "sample 3"),
        ),
        (
            """local m = nn.Sequential():add(nn.Identity()):add(nn.SampleLayer()) local o = m:forward(a)
               return rawequal(o, a), rawequal(m:backward(a, a), a), torch.type(m.gradInput), m:get(2).seen""",
            (True, True, "Sample", "sample 3"),
        ),
        (
            """local i, j = nn.Identity()(), nn.Identity()()
               local m = nn.gModule({i, j}, {nn.SampleLayer()(nn.Identity()(i)), nn.Tanh()(j)})
               local input = {a, torch.zeros(2)}
               local o, g = m:forward(input), m:backward(input, {torch.zeros(1), torch.ones(2)})
               return rawequal(o[1], a), o[2]:sum(), torch.type(g[1]), g[2]:sum()""",
            (True, 0, "torch.DoubleTensor", 2),
        ),
        (
            """local m = nn.ParallelTable():add(nn.Identity()):add(nn.SampleLayer())
               return rawequal(m:forward{torch.ones(1), a}[2], a)""",
            True,
        ),
        (
            """local o = nn.ConcatTable():add(nn.Identity()):add(nn.SampleLayer()):forward(a)
               return rawequal(o[1], a), rawequal(o[2], a)""",
            (True, True),
        ),
        (
            "local o = nn.FlattenTable():forward{a, {a, torch.ones(1)}} return #o, rawequal(o[1], a)",
            (3, True),
        ),
        ("return nn.SelectTable('x'):forward(a):sum(), nn.SelectTable(1):forward(a):sum()", (6, 3)),
        (
            """local m = nn.SelectTable('x') m:forward(a) local g = m:backward(a, torch.ones(2))
               return torch.type(g), g.x:sum(), g[1]:sum(), g.n, g.text""",
            ("table", 2, 0, None, None),
        ),
        ("local m = nn.ParallelTable():add(nn.Identity()) return m:forward(a)[1]:sum()", 3),
        (
            """local m = nn.Identity() m:forward(a) a.x:fill(9) a.more = 'e'
               return m.output.x:sum(), m.output.more, m:forward(a).more""",
            (18, "e", "e"),
        ),
    ],
)
def test_layers_hand_it_on_as_it_is(rt: Runtime, source: str, expected: object) -> None:
    assert lua(rt, source) == expected
    assert lua(rt, "return a:say(), a.x:nElement(), a.text(), #a.inner") == ("sample 3", 2, 3, 1)


def test_a_clone_of_a_layer_has_a_clone_of_it(rt: Runtime) -> None:
    source = """
        local m = nn.Sequential():add(nn.Identity()):add(nn.SampleLayer())
        m:forward(a)
        local c = m:clone()
        return c.output:say(), rawequal(c.output, c:get(2).output), rawequal(c.output, a), c.output.text()"""
    assert lua(rt, source) == ("sample 3", True, False, 3)


def test_a_file_of_a_layer_has_it(rt: Runtime, tmp_path: Path) -> None:
    rt.globals["path"] = str(tmp_path / "m.t7")
    source = """
        local m = nn.Sequential():add(nn.Identity()):add(nn.SampleLayer())
        m:forward(a)
        torch.save(path, m)
        local read = torch.load(path)
        return read.output:say(), read.output.x:sum(), rawequal(read.output, read:get(1).output)"""
    assert lua(rt, source) == ("sample 3", 6, True)


def test_a_change_of_type_or_state_leaves_it(rt: Runtime) -> None:
    source = """
        local m, i = nn.Sequential():add(nn.Identity()), nn.Identity()
        m:forward(a) i:forward(a)
        m:float()
        local kind = torch.type(a.x)
        m:clearState() i:clearState()
        return kind, m.output, i.output, a.x:sum(), a:say()"""
    assert lua(rt, source) == ("torch.DoubleTensor", None, None, 6, "sample 3")


def test_the_error_of_a_layer_that_wants_a_tensor_names_its_class(rt: Runtime) -> None:
    assert "input Sample" in str(
        lua(rt, "return select(2, pcall(function() nn.Linear(2, 3):forward(a) end))")
    )


def test_what_it_holds_is_not_looked_at(rt: Runtime) -> None:
    """A call takes over nothing of an object, so that its time does not depend on what that holds."""
    known = len(rt.handles.lua_contents)
    rt.execute("""
        m = nn.Sequential():add(nn.Identity()):add(nn.SampleLayer())
        m:forward(a)
        for i = 1, 100 do a['field' .. i] = {torch.ones(1), {i}} end
        m:forward(a)""")
    assert len(rt.handles.lua_contents) <= known + 2  # the lists of modules


@pytest.mark.parametrize("first", ["{1, k = 2}", "{torch.ones(1)}", "a", "'text'", "torch.ones(1)"])
def test_a_result_that_a_script_takes_away_is_gone(rt: Runtime, first: str) -> None:
    source = f"""
        local m = nn.Identity()
        m.output = {first} m.output = nil
        local away = m.output
        m.output = {first} m.output = nil m.output = torch.ones(2)
        m:type()
        return away, m.output:sum()"""
    assert lua(rt, source) == (None, 2)
