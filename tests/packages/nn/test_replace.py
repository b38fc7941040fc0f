"""``m:replace(f)`` as scripts see it: what lies at every depth afterwards, in Lua's lists, in files and in graphs."""

from __future__ import annotations

import pytest

from torch7py.bridge.runtime import Runtime

NAMES = """
    function names(m)
       local out = {torch.type(m):match('%.(.*)')}
       for _, child in ipairs(m.modules or {}) do out[#out + 1] = names(child) end
       return #out == 1 and out[1] or out[1] .. '(' .. table.concat(out, ' ', 2) .. ')'
    end
    function swap(m) return torch.type(m) == 'nn.Tanh' and nn.Square() or m end
"""


@pytest.fixture
def replacing(runtime: Runtime) -> Runtime:
    runtime.execute("require 'nngraph'" + NAMES)
    return runtime


def test_lists_and_files_have_what_was_put_at_any_depth(replacing: Runtime) -> None:
    replacing.execute(
        """
        inner = nn.Sequential():add(nn.Tanh()):add(nn.Exp())
        list = inner.modules
        net = nn.Sequential():add(nn.ConcatTable():add(nn.Identity()):add(inner)):add(nn.CAddTable())
        net:forward(torch.ones(2))
        net:replace(swap)
        """
    )
    wanted = "Sequential(ConcatTable(Identity Sequential(Square Exp)) CAddTable)"
    assert replacing.execute("return names(net)") == wanted
    assert replacing.execute("return names(torch.deserialize(torch.serialize(net)))") == wanted
    assert replacing.execute("return list == inner.modules")
    assert replacing.execute("return net:forward(torch.ones(2):mul(3))[2]") == pytest.approx(
        3 + 8103.08392758
    )


def test_the_function_may_change_lists_itself(replacing: Runtime) -> None:
    replacing.execute(
        """
        net = nn.Sequential():add(nn.Sequential():add(nn.Tanh()):add(nn.Exp()))
        net:replace(function(m)
           if torch.type(m.modules and m.modules[1]) == 'nn.Tanh' then m.modules[2] = nn.Abs() end
           return swap(m)
        end)
        """
    )
    assert replacing.execute("return names(net)") == "Sequential(Sequential(Square Abs))"
    assert replacing.execute("return net:forward(torch.Tensor{-3})[1]") == 9


def test_graphs_within_and_around(replacing: Runtime) -> None:
    """Nodes have the modules too, whether a graph is inside a container, a graph, or has containers inside."""
    replacing.execute(
        """
        local x = nn.Identity()()
        inner = nn.gModule({x}, {nn.Sequential():add(nn.Sequential():add(nn.Tanh()))(x)})
        local y = nn.Identity()()
        outer = nn.gModule({y}, {nn.CAddTable()({inner(y), nn.Tanh()(y)})})
        net = nn.Sequential():add(nn.Sequential():add(outer))
        net:replace(swap)
        function of_nodes(g)
           local out = {}
           for _, node in ipairs(g.forwardnodes) do
              if node.data.module then out[#out + 1] = names(node.data.module) end
           end
           return table.concat(out, ' ')
        end
        """
    )
    nested = "gModule(Identity Sequential(Sequential(Square)))"
    assert replacing.execute("return of_nodes(outer)") == f"Identity {nested} Square CAddTable"
    assert replacing.execute("return of_nodes(inner)") == "Identity Sequential(Sequential(Square))"
    assert "Tanh" not in replacing.execute("return names(torch.deserialize(torch.serialize(net)))")
    assert replacing.execute("return net:forward(torch.Tensor{3})[1]") == 18
