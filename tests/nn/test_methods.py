"""Methods of Module, Container and Criterion that no other test calls by name, with answers known from mathematics."""

from __future__ import annotations

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime


@pytest.fixture
def nn(runtime: Runtime) -> Runtime:
    runtime.execute(
        """
        require 'nn'
        m = nn.Linear(2, 1)
        m.weight:copy(torch.Tensor{1, 2}) m.bias:fill(3)
        x, g = torch.Tensor{4, 5}, torch.Tensor{2}
        """
    )
    return runtime


def test_called_as_a_function(nn: Runtime) -> None:
    assert nn.execute("return m(x)[1]") == 17
    assert nn.execute("local y, gi = m(x, g) return y[1], gi[1], gi[2], m.gradBias[1]") == (17, 2, 4, 2)


def test_a_criterion_called_as_a_function(nn: Runtime) -> None:
    assert nn.execute(
        "local l, gi = nn.MSECriterion()(torch.Tensor{1, 2}, torch.Tensor{0, 0}) return l, gi[1], gi[2]"
    ) == (2.5, 1, 2)


@pytest.mark.parametrize("method", ["accUpdateGradParameters", "defaultAccUpdateGradParameters"])
def test_updates_at_once_leave_the_gradient_buffers(nn: Runtime, method: str) -> None:
    nn.execute(f"m:zeroGradParameters() m:forward(x) m:updateGradInput(x, g) m:{method}(x, g, 0.5)")
    assert nn.execute("return m.weight[1][1], m.weight[1][2], m.bias[1]") == (1 - 4, 2 - 5, 3 - 1)
    assert nn.execute("return m.gradWeight:sum(), m.gradBias[1]") == (0, 0)


def test_updates_of_shared_parameters_go_through_the_buffers(nn: Runtime) -> None:
    nn.execute(
        "m = nn.Mul() m.weight:fill(2) g = torch.ones(2) m:forward(x) m:updateGradInput(x, g) "
        "m:sharedAccUpdateGradParameters(x, g, 0.5)"
    )
    assert nn.execute("return m.weight[1], m.gradWeight[1]") == (2 - 0.5 * 9, 9)


SHARING = {
    "clone": "net:clone('weight', 'gradWeight')",
    "share": "nn.Linear(2, 2):share(net, 'weight', 'gradWeight')",
}


@pytest.mark.parametrize("shared", SHARING.values(), ids=SHARING)
def test_what_is_shared_lies_in_the_same_memory_for_now(nn: Runtime, shared: str) -> None:
    """A flat vector or a type of the one alone has memory of its own, where the other one stays as it was."""
    start = f"local net = nn.Linear(2, 2) net.weight:fill(5) net.gradWeight:fill(5) local other = {shared} "
    ask = " return other.weight:sum(), other.gradWeight:sum()"
    assert nn.execute(f"{start} net.weight:fill(1) net.gradWeight:fill(2) {ask}") == (4, 8)
    flat = "local w, g = net:getParameters() w:fill(1) g:fill(2)"
    assert nn.execute(start + flat + ask) == (20, 20)
    assert nn.execute(f"{start} net:float() net.weight:fill(1) {ask}") == (20, 20)
    both = flat.replace("net:", "nn.Sequential():add(net):add(other):")
    assert nn.execute(start + both + ask) == (4, 8)
    assert nn.execute(f"{start} return other.weight == net.weight, torch.type(other.weight)") == (
        False,
        "torch.DoubleTensor",
    )


def test_backward_update(nn: Runtime) -> None:
    nn.execute("m:zeroGradParameters() m:forward(x) gi = m:backwardUpdate(x, g, 0.5)")
    assert nn.execute("return gi[1], gi[2], m.bias[1]") == (2, 4, 2)


def test_apply_to_modules_reaches_children_alone(nn: Runtime) -> None:
    nn.execute(
        """
        seen = {}
        s = nn.Sequential():add(m):add(nn.Sequential():add(nn.Tanh()))
        s:applyToModules(function(child) seen[#seen + 1] = torch.type(child) end)
        """
    )
    assert nn.globals["seen"] == ["nn.Linear", "nn.Sequential"]


def test_flatten(nn: Runtime) -> None:
    """``Module.flatten`` makes one tensor of many, each storage once, with the given ones as views of it."""
    nn.execute("a, b = torch.Tensor{1, 2}, torch.Tensor{3} f = nn.Module.flatten({a, b, a}) f:mul(10)")
    assert nn.execute("return f:nElement(), a[1], a[2], b[1]") == (3, 10, 20, 30)


CONTAINER = "s = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh())"


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("s:insert(nn.Sigmoid(), 1)", "nn.Sigmoid nn.Linear nn.Tanh"),
        ("s:insert(nn.Sigmoid())", "nn.Linear nn.Tanh nn.Sigmoid"),
        ("s:insert(nn.Sigmoid(), 3)", "nn.Linear nn.Tanh nn.Sigmoid"),
        ("s:remove(1)", "nn.Tanh"),
        ("s:remove()", "nn.Linear"),
    ],
)
def test_insert_and_remove(nn: Runtime, code: str, kinds: str) -> None:
    nn.execute(f"{CONTAINER} {code} found = {{}} for i = 1, s:size() do found[i] = torch.type(s:get(i)) end")
    assert nn.globals["found"] == kinds.split()
    assert nn.execute("return #s") == len(kinds.split())


@pytest.mark.parametrize(
    "code", ["s:insert(nn.Tanh(), 5)", "s:insert(nn.Tanh(), 0)", "s:remove(3)", "s:get(3).x = 1"]
)
def test_a_place_that_is_not_there(nn: Runtime, code: str) -> None:
    nn.execute(CONTAINER)
    with pytest.raises(LuaError, match=r"^t\.lua:1: "):
        nn.execute(code, "=t.lua")


def test_errors_of_children_written_in_lua_say_which(nn: Runtime) -> None:
    nn.execute(
        """
        local C, parent = torch.class('nn.Mine', 'nn.Container')
        function C:updateOutput(input) return self:rethrowErrors(self.modules[1], 1, 'updateOutput', input) end
        c = nn.Mine():add(m)
        """
    )
    assert nn.execute("return c:forward(x)[1]") == 17
    with pytest.raises(LuaError, match=r"In 1 module of nn\.Mine:\n.*2"):
        nn.execute("c:forward(torch.ones(3))")


def test_a_backward_of_linear_with_an_input_of_three_dimensions_does_nothing(nn: Runtime) -> None:
    """As in the original, whose halves ask for 1 and for 2 dimensions and have no else."""
    nn.execute(
        """
        y = torch.Tensor {{1, 2}, {3, 4}, {5, 6}, {7, 8}}
        m:zeroGradParameters() m:forward(y) m:backward(y, torch.ones(4, 1))
        again = m:backward(y:view(2, 2, 2), torch.ones(7))
        """
    )
    assert nn.execute("return again:dim(), again:sum(), m.gradWeight[1][1], m.gradBias[1]") == (3, 12, 16, 4)
    assert nn.execute("return m:backward(torch.ones(1, 2, 2), torch.ones(3)):sum()") == 0


# The elements of the results of a model and of the layer in it after a backward and float(), which empties those of
# CMul and Euclidean, as nn 8726825, nngraph 3ed3b9b and dpnn c0a8ca6 gave them.
LEFT_BY_TYPE = {
    "nn.Sequential():add(layer)": [0, 12, 0, 12],
    "nn.Sequential():add(nn.Sequential():add(layer))": [0, 12, 0, 12],
    "nn.Sequential():add(layer):add(nn.Tanh())": [12, 12, 0, 12],
    "nn.Concat(2):add(layer)": [12, 12, 0, 0],
    "nn.Decorator(layer)": [0, 12, 0, 12],
    "nn.Serial(layer)": [12, 12, 12, 12],
    "(function() local i = nn.Identity()() return nn.gModule({i}, {layer(i)}) end)()": [12, 12, 12, 12],
}


@pytest.mark.parametrize("layer", ["nn.CMul(4)", "nn.Euclidean(4, 4)"])
def test_what_type_leaves_of_results(nn: Runtime, layer: str) -> None:
    found = nn.execute(f"""
        require 'dpnn'
        require 'nngraph'
        local found, x = {{}}, torch.randn(3, 4)
        for i = 1, {len(LEFT_BY_TYPE)} do
           local layer = {layer}
           local m = ({{{", ".join(f"function(layer) return {text} end" for text in LEFT_BY_TYPE)}}})[i](layer)
           m:backward(x, m:forward(x):clone())
           m:float()
           for _, part in ipairs{{m, m.modules[1]}} do
              found[#found + 1] = part.output:nElement()
              found[#found + 1] = part.gradInput:nElement()
           end
        end
        return found
    """)
    assert found == [count for counts in LEFT_BY_TYPE.values() for count in counts]


def test_a_layer_of_cosines_is_updated_at_once_by_the_weight_as_it_was(nn: Runtime) -> None:
    nn.execute("""
        local x, g = torch.Tensor{{1, 2, 3}, {-1, 0.5, 2}}, torch.Tensor{{0.3, -0.2}, {0.1, 0.4}}
        m = nn.Cosine(3, 2)
        m.weight:copy(torch.Tensor{{0.5, -1, 0.25}, {1, 0.75, -0.5}})
        local before, _, gradients = m.weight:clone(), m:parameters()
        m:forward(x)
        m:zeroGradParameters()
        m:accGradParameters(x, g, 1)
        local expected = before + gradients[1]   -- of a batch scale, here -1, counts for nothing
        m:zeroGradParameters()
        m:accUpdateGradParameters(x, g, 1)
        assert((m.weight - expected):abs():max() < 1e-12)
        assert(m.gradWeight:abs():max() == 0)
    """)
