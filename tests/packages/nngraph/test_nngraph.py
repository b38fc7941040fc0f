"""nngraph: graphs of modules against the same models made of containers, and by hand."""

from __future__ import annotations

import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime


@pytest.fixture
def rt(runtime: Runtime) -> Runtime:
    runtime.execute(
        """
        require 'nngraph'
        torch.manualSeed(1)
        a, b = nn.Linear(3, 4), nn.Linear(4, 2)
        x = torch.randn(2, 3)
        function passes(m, x, g)
           m:zeroGradParameters()
           local y = m:forward(x)
           return y, m:backward(x, g or y:clone():fill(1))
        end
        """
    )
    return runtime


def both(rt: Runtime, graph: str, model: str, input: str = "x", gradient: str = "nil") -> None:
    """Output, gradInput and gradients of a graph are those of a model of the same layers."""
    results = []
    for made in (graph, model):
        rt.execute(f"m = {made} y, gi = passes(m, {input}, {gradient}) p, g = m:parameters()")
        results.append([t.clone() for name in ("y", "gi", "g") for t in flatten(rt.globals[name])])
    assert len(results[0]) == len(results[1]) > 0
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-14)


def flatten(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for item in value for t in flatten(item)] if isinstance(value, list) else []


CHAIN = "nn.Sequential():add(a):add(nn.Tanh()):add(b)"


@pytest.mark.parametrize(
    "graph",
    [
        "(function() local i = nn.Identity()() return nn.gModule({i}, {b(nn.Tanh()(a(i)))}) end)()",
        "(function() local i = - nn.Identity() local o = i - a - nn.Tanh() - b return nn.gModule({i}, {o}) end)()",
        "(function() local i = a() return nn.gModule({i}, {b(nn.Tanh()(i))}) end)()",
        "(function() local i = - a return nn.gModule({i}, {i - nn.Tanh() - b}) end)()",
    ],
    ids=["calls", "minus", "a layer first", "a layer first, minus"],
)
def test_a_chain(rt: Runtime, graph: str) -> None:
    both(rt, graph, CHAIN)


def test_branches(rt: Runtime) -> None:
    both(
        rt,
        "(function() local i = nn.Identity()() local h = a(i) "
        "return nn.gModule({i}, {nn.CAddTable()({nn.Tanh()(h), nn.Sigmoid()(h)})}) end)()",
        "nn.Sequential():add(a):add(nn.ConcatTable():add(nn.Tanh()):add(nn.Sigmoid())):add(nn.CAddTable())",
    )


def test_several_inputs_and_outputs(rt: Runtime) -> None:
    both(
        rt,
        "(function() local i, j = nn.Identity()(), nn.Identity()() "
        "return nn.gModule({i, j}, {a(i), nn.Tanh()(j)}) end)()",
        "nn.ParallelTable():add(a):add(nn.Tanh())",
        "{x, torch.ones(2)}",
        "{torch.ones(2, 4), torch.ones(2)}",
    )


def test_a_table_for_one_input(rt: Runtime) -> None:
    both(
        rt,
        "(function() local i = nn.Identity()() local p, q = i:split(2) "
        "return nn.gModule({i}, {nn.CMulTable()({nn.Tanh()(p), q})}) end)()",
        "nn.Sequential():add(nn.ParallelTable():add(nn.Tanh()):add(nn.Identity())):add(nn.CMulTable())",
        "{x, torch.ones(2, 3):mul(2)}",
    )


def test_an_output_of_several_is_split(rt: Runtime) -> None:
    rt.execute(
        "local i = nn.Identity()() local p, q, r = nn.SplitTable(2)(i):split(3) "
        "m = nn.gModule({i}, {nn.CSubTable()({p, q}), r}) y, gi = passes(m, x, {torch.ones(2), torch.ones(2):mul(5)})"
    )
    x, (first, last) = rt.globals["x"], rt.globals["y"]
    assert torch.equal(first, x[:, 0] - x[:, 1])
    assert torch.equal(last, x[:, 2])
    assert torch.equal(rt.globals["gi"], torch.tensor([[1.0, -1, 5]] * 2, dtype=torch.float64))


def test_a_graph_in_a_graph(rt: Runtime) -> None:
    both(
        rt,
        "(function() local i = nn.Identity()() local inner = nn.gModule({i}, {nn.Tanh()(a(i))}) "
        "local j = nn.Identity()() return nn.gModule({j}, {b(inner(j))}) end)()",
        CHAIN,
    )


def test_a_node_used_by_several_sums_its_gradients(rt: Runtime) -> None:
    """``y = x + 2 x + x``, and nothing is written into the gradients that were given."""
    rt.execute(
        """
        local i = nn.Identity()()
        m = nn.gModule({i}, {nn.CAddTable()({i, nn.MulConstant(2)(i), nn.Identity()(i)})})
        g = torch.ones(2, 3)
        y, gi = passes(m, x, g)
        """
    )
    x = rt.globals["x"]
    torch.testing.assert_close(rt.globals["y"], 4 * x)
    assert torch.equal(rt.globals["gi"], torch.full((2, 3), 4.0, dtype=torch.float64))
    assert torch.equal(rt.globals["g"], torch.ones(2, 3, dtype=torch.float64))


def test_parts_are_there_on_access(rt: Runtime) -> None:
    rt.execute(
        """
        local i = nn.Identity()()
        hidden = nn.Tanh()(a(i)):annotate{name = 'hidden', description = 'after the first layer'}
        m = nn.gModule({i}, {b(hidden)})
        y, gi = passes(m, x)
        """
    )
    assert rt.execute(
        "return hidden.data.annotations.name, hidden.data.module.output:dist(a.output:clone():tanh())"
    ) == ("hidden", 0)
    assert rt.execute(
        "return b.gradInput:dist(hidden.data.module.gradInput) > 0, #m.forwardnodes, #m.modules"
    ) == (True, 6, 4)


def test_names_of_the_local_variables(rt: Runtime) -> None:
    rt.execute(
        "function build() local start = nn.Identity()() local hidden = a(start) nngraph.annotateNodes() "
        "return nn.gModule({start}, {hidden}), start, hidden end m, s, h = build()"
    )
    assert rt.execute("return s.data.annotations.name, h.data.annotations.name") == ("start", "hidden")


def test_module_from_criterion(rt: Runtime) -> None:
    rt.execute(
        "m = nn.ModuleFromCriterion(nn.MSECriterion()) t = torch.zeros(2, 3) y, gi = passes(m, {x, t}, torch.Tensor{3})"
    )
    x = rt.globals["x"]
    assert rt.execute("return y[1]") == pytest.approx(x.square().mean().item(), rel=1e-14)
    torch.testing.assert_close(rt.globals["gi"][0], 3 * 2 * x / x.numel())
    assert torch.count_nonzero(rt.globals["gi"][1]) == 0


ERRORS = {
    "an input that leads nowhere": (
        "local i, j = nn.Identity()(), nn.Identity()() nn.gModule({i, j}, {a(i)})",
        "",
    ),
    "too few inputs": (
        "local i, j = nn.Identity()(), nn.Identity()() m = nn.gModule({i, j}, {nn.CAddTable()({i, j})}) m:forward({x})",
        "",
    ),
    "no node": ("nn.Tanh()(5)", ""),
    "a table for a module": (
        "local n = nngraph.Node({module = {}}) local i = nn.Identity()() n:add(i, true) m = nn.gModule({i}, {n})",
        "a node holds something that is not an nn.Module",
    ),
    "a node twice": ("local i = nn.Identity()() nn.CAddTable()({i, i})", "Don't pass the same input twice"),
    "a wrong shape": (
        "local i = nn.Identity()() m = nn.gModule({i}, {b(a(i))}) m:forward(torch.ones(2, 5))",
        r"nn\.Linear: the input has 5 columns, not 3 \(at gModule\[2\]\.Linear\)",
    ),
    "a wrong gradient": (
        "local i = nn.Identity()() m = nn.gModule({i}, {b(a(i))}) m:forward(x) m:backward(x, torch.ones(2, 3))",
        r"nn\.Linear: gradOutput is 2x3, the output 2x2 \(at gModule\[3\]\.Linear\)",
    ),
}


@pytest.mark.parametrize(("code", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(rt: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^t\.lua:1: .*{message}"):
        rt.execute(code, "=t.lua")


def test_an_input_without_a_gradient(rt: Runtime) -> None:
    """A layer may give nil for an input that has none, lengths say; in a table that is its end."""
    rt.execute("""
    require 'nngraph'
    local Cut = torch.class('nn.Cut', 'nn.Module')
    function Cut:updateOutput(input) self.output = input[1] * input[2][1] return self.output end
    function Cut:updateGradInput(input, gradOutput) return {gradOutput * input[2][1], nil} end
    l = nn.Linear(2, 2)
    local x, n = nn.Identity()(), nn.Identity()()
    m = nn.gModule({x, n}, {nn.Cut()({l(x), n})})
    local input = {torch.ones(3, 2), torch.Tensor{2}}
    m:forward(input)
    g = m:backward(input, torch.ones(3, 2))
    """)
    assert rt.execute("return g[1]:size(1), g[1]:size(2), g[2]") == (3, 2, None)
    assert rt.execute("local w = l.weight return (g[1][1] - w:sum(1):view(2) * 2):abs():max() < 1e-14")


def test_nesting(rt: Runtime) -> None:
    rt.execute("""
    nesting = require 'nngraph.nesting'
    a = {torch.ones(2), {x = torch.ones(3):mul(2)}}
    b = nesting.cloneNested(a)
    nesting.addNestedTo(b, a)
    c = {torch.Tensor(), {x = torch.Tensor(), y = torch.ones(1)}, torch.ones(1)}
    nesting.resizeNestedAs(c, a)
    nesting.copyNested(c, a)
    """)
    assert rt.execute("return b[1]:sum(), b[2].x:sum(), a[1]:sum()") == (4, 12, 2)
    assert rt.execute("return c[1]:sum(), c[2].x:sum(), c[2].y, c[3]") == (2, 6, None, None)
    assert rt.execute("nesting.fillNested(c, 5) return c[1]:sum(), c[2].x:sum()") == (10, 15)
    with pytest.raises(LuaError, match="the input has no key 2"):
        rt.execute("nesting.copyNested({torch.ones(1), torch.ones(1)}, {torch.ones(1)})")
    with pytest.raises(LuaError, match="the output has no key 2"):
        rt.execute("nesting.addNestedTo({torch.ones(1)}, {torch.ones(1), torch.ones(1)})")


def test_an_object_that_answers_the_protocol(rt: Runtime) -> None:
    """A node may hold an object of a class of the program's own that is no nn.Module; numbers by hand."""
    rt.execute("""
    local Scale = torch.class('Scale')
    function Scale:__init() self.w, self.g = torch.Tensor{2}, torch.zeros(1) end
    function Scale:updateOutput(x) return x * self.w[1] end
    function Scale:updateGradInput(x, g) self.gradInput = g * self.w[1] return self.gradInput end
    function Scale:accGradParameters(x, g, scale) self.g:add(torch.dot(x, g) * (scale or 1)) end
    function Scale:parameters() return {self.w}, {self.g} end
    function Scale:evaluate() self.evaluating = true end
    local input = nn.Identity()()
    node = nngraph.Node({module = _G.Scale()})
    node:add(input, true)
    m = nn.gModule({input}, {nn.MulConstant(3)(node)})
    local x = torch.Tensor{1, 4}
    y = m:forward(x)
    gi = m:backward(x, torch.Tensor{1, 10})
    m:evaluate()
    copy = torch.deserialize(torch.serialize(m))
    """)
    assert rt.execute("return y[1], y[2], gi[1], gi[2]") == (6, 24, 6, 60)
    assert rt.execute("return node.data.module.g[1], node.data.module.evaluating") == (123, True)
    assert rt.execute("local p, g = m:parameters() return #p, g[1][1]") == (1, 123)
    assert rt.execute("return torch.type(node.data.module), copy:forward(torch.ones(2)):sum()") == (
        "Scale",
        12,
    )
    rt.execute("node.data.module.w[1] = 5")
    assert rt.execute("return m:forward(torch.ones(2)):sum(), copy:forward(torch.ones(2)):sum()") == (30, 12)
