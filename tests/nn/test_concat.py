"""Containers that join their children's outputs: what the golden cases leave out."""

from __future__ import annotations

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.nn.activation import Tanh
from torch7py.nn.concat import Concat, DepthConcat, Parallel
from torch7py.nn.container import ParallelTable, Sequential
from torch7py.nn.linear import Linear
from torch7py.nn.selecting import Narrow
from torch7py.nn.table import JoinTable, SelectTable


def test_concat() -> None:
    layer = Concat(-1).add(Linear(3, 2)).add(Tanh())
    given = values(4, 3)
    output = assert_faces_agree(layer, given)
    torch.testing.assert_close(output[:, 2:], torch.tanh(given))


def test_concat_of_branches_that_take_a_table() -> None:
    first = Sequential().add(SelectTable(1)).add(Linear(3, 2))
    second = Sequential().add(ParallelTable().add(Linear(3, 2)).add(Tanh())).add(JoinTable(2))
    layer = Concat(2).add(first).add(second)
    output = assert_faces_agree(layer, [values(4, 3), values(4, 1)])
    assert output.shape == (4, 5)


def test_depth_concat_centres_smaller_outputs() -> None:
    layer = DepthConcat(1).add(Tanh()).add(Narrow(2, 1, 3)).add(Narrow(2, 1, 2))
    given = values(1, 5)
    output = assert_faces_agree(layer, given)
    expected = torch.zeros(3, 5, dtype=torch.float64)
    expected[0] = torch.tanh(given)
    expected[1, 1:4] = given[0, :3]
    expected[2, 1:3] = given[0, :2]
    torch.testing.assert_close(output, expected)


def test_the_scale_of_a_depth_concat_does_not_reach_the_children(runtime: Runtime) -> None:
    """As in Torch7; accGradParameters alone does scale."""
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.DepthConcat(1):add(nn.Linear(2, 2)), torch.ones(2)
        m:zeroGradParameters()
        m:backward(x, m:forward(x):fill(1), 10)
        local backward = m:get(1).gradBias[1]
        m:zeroGradParameters()
        m:accGradParameters(x, torch.ones(2), 10)
        return backward, m:get(1).gradBias[1]
        """
    ) == (1, 10)


def test_parallel() -> None:
    layer = Parallel(2, -1).add(Linear(3, 2)).add(Linear(3, 4)).add(Tanh())
    given = values(5, 2, 3)
    output = assert_faces_agree(Parallel(2, -1).add(Linear(3, 2)).add(Linear(3, 4)), given)
    assert output.shape == (5, 6)
    # the third module has no slice
    assert layer.updateOutput(given).shape == (5, 6)


def test_parallel_over_the_elements_of_a_vector() -> None:
    output = assert_faces_agree(Parallel(1, 1).add(Linear(1, 2)).add(Tanh()), values(2))
    assert output.shape == (3,)


@pytest.mark.parametrize("make", ["nn.Concat(1)", "nn.DepthConcat(1)", "nn.Parallel(1, 1)"])
def test_parameters_move_at_once(runtime: Runtime, make: str) -> None:
    """backwardUpdate is backward and updateParameters in one."""
    difference = runtime.execute(
        f"""
        require 'nn'
        local m = {make}:add(nn.Linear(3, 2)):add(nn.Linear(3, 1))
        local n = m:clone()
        local x = torch.type(m) == 'nn.Parallel' and torch.ones(2, 3) or torch.ones(3)
        local g = torch.range(1, 3)
        m:forward(x)
        m:backwardUpdate(x, g, 0.5)
        n:zeroGradParameters()
        n:forward(x)
        n:backward(x, g)
        n:updateParameters(0.5)
        return (m:getParameters() - n:getParameters()):abs():max()
        """
    )
    assert difference == pytest.approx(0, abs=1e-15)


def test_a_child_without_a_gradient_is_left_out(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.Concat(1):add(nn.Linear(2, 2)):add(nn.Identity()), torch.ones(2)
        m:get(1).gradInput = nil
        m:forward(x)
        local g = m:backward(x, torch.range(1, 4))
        return g[1], g[2]
        """
    ) == (3, 4)


def test_children_defined_in_lua(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local Twice = torch.class('nn.Twice', 'nn.Module')
        function Twice:updateOutput(x) self.output = x * 2 return self.output end
        function Twice:updateGradInput(x, g) self.gradInput = g * 2 return self.gradInput end
        local x, r = torch.ones(1, 2), {}
        for _, m in ipairs{nn.Concat(2), nn.DepthConcat(2), nn.Parallel(1, 1)} do
           m:add(nn.Twice())
           r[#r + 1] = m:forward(x):sum() + 10 * m:backward(x, m.output):sum()
        end
        return unpack(r)
        """
    ) == (84, 84, 84)


def test_text(runtime: Runtime) -> None:
    assert runtime.execute("require 'nn' return tostring(nn.DepthConcat(2):add(nn.Tanh()))") == (
        "nn.DepthConcat {\n  input\n     `-> (1): nn.Tanh\n     ... -> output\n}"
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.Concat(1):forward(x)", "nn.Concat holds no module"),
        ("nn.Concat(3):add(nn.Tanh()):forward(x)", "nn.Concat: no dimension 3 in an input of 2 dimensions"),
        (
            "nn.Concat(1):add(nn.Tanh()):add(nn.Linear(3, 2)):forward(x)",
            "nn.Concat: part 2 is 2x2, the first 2x3, joined along dimension 1",
        ),
        ("c:backward(x, torch.ones(2, 5))", "nn.Concat: gradOutput is 2x5, the output 2x6"),
        ("d:backward(x, torch.ones(2, 5))", "nn.DepthConcat: gradOutput is 2x5, the output 2x3"),
        (
            "nn.DepthConcat(1):add(nn.Tanh()):add(nn.View(-1)):forward(x)",
            "nn.DepthConcat: the outputs have different numbers of dimensions",
        ),
        ("nn.Parallel(1, 1):add(nn.Tanh()):forward(x)", "nn.Parallel: 2 slices of 2x3 for 1 modules"),
        ("nn.Parallel(3, 1):add(nn.Tanh()):forward(x)", "nn.Parallel: no dimension 3 in an input of 2"),
        ("p:backward(x, torch.ones(5))", "nn.Parallel: gradOutput is 5, the output 6"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    runtime.execute(
        """
        require 'nn'
        x = torch.ones(2, 3)
        c = nn.Concat(2):add(nn.Tanh()):add(nn.Identity()) c:forward(x)
        d = nn.DepthConcat(2):add(nn.Tanh()) d:forward(x)
        p = nn.Parallel(1, 1):add(nn.Tanh()):add(nn.Tanh()) p:forward(x)
        """
    )
    with pytest.raises(LuaError, match=rf"test.lua:2: {message}"):
        runtime.execute(f"\nlocal r = {code}", "@test.lua")


@pytest.mark.parametrize("name", ["Concat", "DepthConcat", "Parallel"])
def test_made_without_dimensions_it_collects_modules(name: str) -> None:
    with Runtime() as rt:
        rt.execute(f"require 'nn' m = nn.{name}():add(nn.Linear(2, 1)):add(nn.Linear(2, 3))")
        assert rt.execute("return m:getParameters():nElement()") == 12
        with pytest.raises(LuaError, match=f"nn.{name}.*it was made without its dimension"):
            rt.execute("m:forward(torch.ones(2, 2))")


def test_only_a_sequential_has_a_length() -> None:
    with Runtime() as rt:
        rt.execute("require 'nn' m = nn.Sequential():add(nn.Tanh()):add(nn.Tanh())")
        assert rt.execute("return #m, m:size(), #nn.Sequential()") == (2, 2, 0)
        with pytest.raises(LuaError, match=r"nn\.ConcatTable has no length operator"):
            rt.execute("return #nn.ConcatTable()")


def test_nothing_is_added_for_nil() -> None:
    """A class derived from a container may be made without the module that it gets later."""
    with Runtime() as rt:
        rt.execute("require 'nn' m = nn.Container()")
        assert rt.execute("return m:add(nil) == m, #m.modules, #nn.ConcatTable():add(nil).modules") == (
            True,
            0,
            0,
        )
        with pytest.raises(LuaError, match=r"nn\.Sequential:add expects a module"):
            rt.execute("nn.Sequential():add(nil)")


@pytest.mark.parametrize(
    ("container", "upstream", "sizes"),
    [("ConcatTable()", "{x, x}", "4 1 3"), ("Concat(1)", "torch.ones(8, 3)", "4 3")],
)
def test_gradients_are_added_by_element(runtime: Runtime, container: str, upstream: str, sizes: str) -> None:
    """As many elements in other sizes are the same elements; fewer are an error, and never broadcast."""
    runtime.execute(
        f"""
        require 'nn'
        local Sized, parent = torch.class('nn.Sized', 'nn.Module')
        function Sized:__init(...) parent.__init(self) self.sizes = {{...}} end
        function Sized:updateOutput(x)
           self.output = x
           return x
        end
        function Sized:updateGradInput()
           self.gradInput = torch.range(1, torch.Tensor(self.sizes):prod()):view(unpack(self.sizes))
           return self.gradInput
        end
        x = torch.ones(4, 3)
        function back(...)
           local m = nn.{container}:add(nn.Sized(4, 1, 3)):add(nn.Sized(...))
           m:forward(x)
           return m:backward(x, {upstream})
        end
        """
    )
    assert runtime.execute("return table.concat(back(4, 3):size():totable(), ' ')") == sizes
    assert runtime.execute("return back(12):view(-1)[12]") == 24
    for other in ("3", "1"):
        with pytest.raises(
            LuaError, match=f"x.lua:1: nn.{container.split('(')[0]}: a module's gradient is {other}, to be"
        ):
            runtime.execute(f"back({other})", "@x.lua")
