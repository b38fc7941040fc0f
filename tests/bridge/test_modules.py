"""The contract between a module in Lua and its PyTorch peer, each fact seen from Lua and, where it shows, Python."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

SCALE = """
require 'nn'
local Scale, parent = torch.class('nn.Scale', 'nn.Module')
function Scale:__init(factor)
   parent.__init(self)
   self.factor = factor
   self.calls = {}
end
function Scale:updateOutput(input)
   table.insert(self.calls, 'updateOutput')
   self.output = input * self.factor
   return self.output
end
function Scale:updateGradInput(input, gradOutput)
   table.insert(self.calls, 'updateGradInput')
   self.gradInput = gradOutput * self.factor
   return self.gradInput
end
"""


def lua(runtime: Runtime, code: str) -> Any:
    return runtime.execute(code, "@test.lua")


@pytest.fixture
def nn(runtime: Runtime) -> Runtime:
    """A runtime with nn, the Lua layer nn.Scale, a model m and an input x."""
    lua(runtime, SCALE)
    lua(
        runtime,
        """
        torch.manualSeed(1)
        m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
        x = torch.randn(5, 3)
        """,
    )
    return runtime


# -- identity and overwriting ---------------------------------------------------------------------------------


def test_a_tensor_has_one_userdata(nn: Runtime) -> None:
    assert lua(nn, "local w = m:get(1).weight return rawequal(w, m.modules[1].weight)")
    assert lua(nn, "local t = {} t[m:get(1).weight] = 7 collectgarbage() return t[m:get(1).weight]") == 7


def test_forward_overwrites_the_output(nn: Runtime) -> None:
    same, changed = lua(
        nn,
        """
        local o1 = m:forward(x)
        local before = o1:clone()
        local o2 = m:forward(x * 2)
        return rawequal(o1, o2), (o1 - before):abs():max() > 0.01
        """,
    )
    assert same
    assert changed


def test_forward_overwrites_inner_outputs_too(nn: Runtime) -> None:
    same, equal = lua(
        nn,
        """
        m:forward(x)
        local inner = m:get(2).output
        m:forward(x * 2)
        local expected = torch.tanh(m:get(1).output)
        return rawequal(inner, m:get(2).output), (inner - expected):abs():max() < 1e-15
        """,
    )
    assert same
    assert equal


def test_sequential_output_is_its_last_childs(nn: Runtime) -> None:
    assert lua(nn, "local o = m:forward(x) return rawequal(o, m:get(3).output) and rawequal(o, m.output)")


def test_identity_returns_its_input(nn: Runtime) -> None:
    assert lua(nn, "local i = nn.Identity() return rawequal(i:forward(x), x) and rawequal(i.output, x)")
    assert lua(nn, "local i, t = nn.Identity(), {x, x} return rawequal(i:forward(t), t)")


def test_identity_does_not_overwrite_what_it_returned(nn: Runtime) -> None:
    assert (
        lua(
            nn,
            """
        local i, y = nn.Identity(), x * 2
        local keep = x:clone()
        i:forward(x)
        i:forward(y)
        return (x - keep):abs():max()
        """,
        )
        == 0
    )


def test_grad_input_is_overwritten(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local g1 = m:backward(x, m:forward(x))
        local g2 = m:backward(x, m:forward(x) * 3)
        return rawequal(g1, g2) and rawequal(g1, m:get(1).gradInput)
        """,
    )


# -- real tables ----------------------------------------------------------------------------------------------


def test_modules_is_a_table_that_counts(nn: Runtime) -> None:
    assert lua(nn, "return type(m), type(m.modules), #m.modules, m:size()") == ("table", "table", 3, 3)
    assert lua(nn, "table.insert(m.modules, nn.Linear(2, 7)) return m:forward(x):size(2)") == 7
    assert lua(nn, "table.remove(m.modules) return m:forward(x):size(2)") == 2
    assert lua(nn, "m.modules[3] = nn.Linear(4, 6) return m:forward(x):size(2)") == 6
    assert lua(nn, "m.modules = {nn.Linear(3, 9)} return m:forward(x):size(2)") == 9
    assert len(nn.globals["m"]) == 1


def test_a_table_output_keeps_its_identity(nn: Runtime) -> None:
    result = lua(
        nn,
        """
        local c = nn.ConcatTable():add(nn.Linear(3, 2)):add(nn.Identity())
        local o1 = c:forward(x)
        local first = o1[1]
        local o2 = c:forward(x * 2)
        return type(o1), #o1, rawequal(o1, o2), rawequal(first, o2[1]), rawequal(c.output, o1)
        """,
    )
    assert result == ("table", 2, True, True, True)


def test_inner_table_outputs_are_refilled(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local c = nn.ConcatTable():add(nn.Linear(3, 2)):add(nn.Identity())
        local s = nn.Sequential():add(c)
        s:forward(x)
        local o = c.output
        local y = x * 2
        s:forward(y)
        return rawequal(o, c.output) and rawequal(o[2], y)
        """,
    )


def test_a_layer_of_lua_may_write_its_table_fields(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local Two, parent = torch.class('nn.Two', 'nn.Module')
        function Two:__init() parent.__init(self) self.gradInput = {} self.output = {} end
        function Two:updateOutput(input) self.output[1] = input * 2 self.output[2] = input * 3 return self.output end
        function Two:updateGradInput(input, g) self.gradInput = g[1] * 2 + g[2] * 3 return self.gradInput end
        local both = nn.ParallelTable():add(nn.Tanh()):add(nn.Tanh())
        local s = nn.Sequential():add(nn.Linear(3, 3)):add(nn.Two()):add(both)
        local o = s:forward(x)
        local g = s:backward(x, o)
        local h = s:get(1).output
        return (o[1] - torch.tanh(h * 2)):abs():max() + (o[2] - torch.tanh(h * 3)):abs():max()
        """,
    ) == pytest.approx(0, abs=1e-15)


def test_pairs_and_next_show_all_fields(nn: Runtime) -> None:
    names = lua(
        nn,
        """
        local s = nn.Scale(3)
        local names = {}
        for k, v in pairs(s) do names[#names + 1] = k end
        table.sort(names)
        local n, key = 0, next(s)
        while key ~= nil do n = n + 1 key = next(s, key) end
        return table.concat(names, ' '), n
        """,
    )
    assert names == ("_type calls factor gradInput output", 5)
    assert "weight" in lua(
        nn, "local n = {} for k in pairs(m:get(1)) do n[#n + 1] = k end return table.concat(n, ' ')"
    )


# -- methods that Lua defines ---------------------------------------------------------------------------------


def test_a_layer_of_lua_works_in_a_python_container(nn: Runtime) -> None:
    calls = lua(
        nn,
        """
        s = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Scale(3))
        local o = s:forward(x)
        s:backward(x, o)
        return table.concat(s:get(2).calls, ' '), (o - s:get(1).output * 3):abs():max()
        """,
    )
    assert calls == ("updateOutput updateGradInput", 0)


def test_an_override_calls_its_parent(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local Twice, parent = torch.class('nn.Twice', 'nn.Linear')
        function Twice:__init(a, b) parent.__init(self, a, b) self.count = 0 end
        function Twice:updateOutput(input)
           self.count = self.count + 1
           return parent.updateOutput(self, input):mul(2)
        end
        local t = nn.Twice(3, 2)
        local s = nn.Sequential():add(t)
        local o = s:forward(x):clone()
        local plain = nn.Linear(3, 2)
        plain.weight:copy(t.weight) plain.bias:copy(t.bias)
        return t.count, (o - plain:forward(x) * 2):abs():max(), torch.type(t), torch.isTypeOf(t, 'nn.Linear')
        """,
    ) == (1, 0, "nn.Twice", True)


@pytest.mark.parametrize(
    ("define", "undefine"),
    [
        ("m:get(2).updateOutput = f", "m:get(2).updateOutput = nil"),
        ("nn.Tanh.updateOutput = f", "nn.Tanh.updateOutput = old"),
        (
            "torch.getmetatable('nn.Tanh').updateOutput = f",
            "torch.getmetatable('nn.Tanh').updateOutput = old",
        ),
    ],
)
def test_overrides_come_and_go_after_construction(nn: Runtime, define: str, undefine: str) -> None:
    lua(
        nn,
        """
        old = nn.Tanh.updateOutput
        called = 0
        function f(self, input) called = called + 1 self.output = input:clone() return self.output end
        before = m:forward(x):clone()
        """,
    )
    lua(nn, define)
    assert lua(nn, "during = m:forward(x):clone() return called, (during - before):abs():max() > 1e-3") == (
        1,
        True,
    )
    lua(nn, undefine)
    off, called = lua(nn, "return (m:forward(x) - before):abs():max(), called")
    assert off < 1e-15  # one may be PyTorch's and the other computed in Lua
    assert called == 1


def test_switching_a_method_off(nn: Runtime) -> None:
    first, third = lua(
        nn,
        """
        m:get(1).accGradParameters = function() end
        m:zeroGradParameters()
        m:backward(x, m:forward(x))
        return m:get(1).gradWeight:abs():sum(), m:get(3).gradWeight:abs():sum()
        """,
    )
    assert first == 0
    assert third > 0


def test_a_method_of_every_module(nn: Runtime) -> None:
    assert (
        lua(
            nn,
            """
        function nn.Module:shout() return torch.type(self) .. '!' end
        return m:shout() .. m:get(2):shout()
        """,
        )
        == "nn.Sequential!nn.Tanh!"
    )


def test_apply_reaches_lua_and_python_modules(nn: Runtime) -> None:
    assert (
        lua(
            nn,
            """
        m:add(nn.Scale(2))
        local names = {}
        m:apply(function(module) names[#names + 1] = torch.type(module) end)
        return table.concat(names, ' ')
        """,
        )
        == "nn.Sequential nn.Linear nn.Tanh nn.Linear nn.Scale"
    )


def test_tostring_of_a_lua_class(nn: Runtime) -> None:
    lua(nn, "function nn.Scale:__tostring__() return 'Scale by ' .. self.factor end")
    assert lua(nn, "return tostring(nn.Sequential():add(nn.Scale(4)))") == (
        "nn.Sequential {\n  [input -> (1) -> output]\n  (1): Scale by 4\n}"
    )


# -- nil fields -----------------------------------------------------------------------------------------------


def test_a_field_set_to_nil_stays_nil(nn: Runtime) -> None:
    lua(nn, "m:get(1).gradInput = nil returned = m:backward(x, m:forward(x))")
    assert lua(nn, "return returned == nil and m.gradInput == nil and m:get(1).gradInput == nil")
    assert lua(nn, "m:get(3).bias = nil return m:get(3).bias == nil")


def test_no_gradient_buffer_means_no_accumulation(nn: Runtime) -> None:
    assert lua(nn, "m:get(1).gradWeight = nil m:backward(x, m:forward(x)) return m:get(1).gradWeight == nil")
    assert lua(nn, "return m:get(1).gradBias:abs():sum() > 0")


# -- what the script writes between forward and backward ------------------------------------------------------


def test_backward_sees_weights_written_after_forward(nn: Runtime) -> None:
    assert (
        lua(
            nn,
            """
        local l = nn.Linear(3, 2)
        local g = torch.ones(5, 2)
        l:forward(x)
        l.weight:mul(2)
        return (l:updateGradInput(x, g) - g * l.weight):abs():max()
        """,
        )
        == 0
    )


def test_backward_sees_outputs_written_after_forward(nn: Runtime) -> None:
    assert (
        lua(
            nn,
            """
        local t = nn.Tanh()
        local o = t:forward(x)
        o:fill(0.5)
        return (t:updateGradInput(x, torch.ones(5, 3)) - 0.75):abs():max()
        """,
        )
        == 0
    )


def test_backward_with_another_input(nn: Runtime) -> None:
    assert (
        lua(
            nn,
            """
        local l = nn.Linear(3, 2)
        local y, g = x * 3, torch.ones(5, 2)
        l:zeroGradParameters()
        l:forward(x)
        l:backward(y, g)
        return (l.gradWeight - g:t() * y):abs():max()
        """,
        )
        == 0
    )


def test_backward_twice_accumulates_and_scales(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        m:zeroGradParameters()
        local o = m:forward(x):clone()
        m:backward(x, o)
        local once = m:get(1).gradWeight:clone()
        m:backward(x, o, 0.5)
        return (m:get(1).gradWeight - once * 1.5):abs():max()
        """,
    ) == pytest.approx(0, abs=1e-14)


def test_the_halves_of_backward_alone(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        m:zeroGradParameters()
        local o = m:forward(x):clone()
        local gi = m:updateGradInput(x, o):clone()
        local untouched = m:get(1).gradWeight:abs():sum()
        m:accGradParameters(x, o)
        local grads = m:get(1).gradWeight:clone()
        m:zeroGradParameters()
        local both = m:backward(x, o)
        return untouched, (gi - both):abs():max(), (grads - m:get(1).gradWeight):abs():max()
        """,
    ) == pytest.approx((0, 0, 0), abs=1e-14)  # a kernel adds up by where its operands lie


# -- sharing, flattening, optimizers --------------------------------------------------------------------------


def test_get_parameters_is_one_piece(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        p, g = m:getParameters()
        p:fill(0.25)
        m:zeroGradParameters()
        m:backward(x, m:forward(x))
        return p:nElement(), m:get(3).bias[1], (g:narrow(1, 1, 12) - m:get(1).gradWeight:view(12)):abs():max()
        """,
    ) == (26, 0.25, 0)


def test_get_parameters_again_and_after_type(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local p1 = m:getParameters()
        local p2 = m:getParameters()
        p2:fill(1)
        local second = m:get(1).weight[1][1]
        m:float()
        local p3 = m:getParameters()
        p3:fill(2)
        return second, m:get(1).weight[1][1], torch.type(p3), p3:nElement()
        """,
    ) == (1, 2, "torch.FloatTensor", 26)


def test_get_parameters_of_shared_modules(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local a = nn.Linear(3, 3)
        local b = a:clone('weight', 'bias', 'gradWeight', 'gradBias')
        local s = nn.Sequential():add(a):add(b)
        local p = s:getParameters()
        p:fill(0.5)
        return p:nElement(), a.weight[1][1], b.weight[1][1]
        """,
    ) == (12, 0.5, 0.5)


def test_an_optimizer_moves_shared_parameters_once(nn: Runtime) -> None:
    lua(
        nn,
        """
        a = nn.Linear(3, 3)
        b = nn.Linear(3, 3):share(a, 'weight', 'bias')
        c = nn.Linear(3, 3)
        c.weight:set(a.weight)
        s = nn.Sequential():add(a):add(b):add(c)
        """,
    )
    model = nn.globals["s"]
    parameters = list(model.parameters())
    assert len(parameters) == 3  # one weight, the bias of a and b, the bias of c
    before = parameters[0].detach().clone()
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    for p in parameters:
        p.grad = torch.ones_like(p)
    optimizer.step()
    assert torch.equal(parameters[0].detach(), before - 1)
    assert lua(nn, "return a.weight[1][1] == b.weight[1][1] and a.weight[1][1] == c.weight[1][1]")


def test_an_optimizer_sees_flat_parameters(nn: Runtime) -> None:
    lua(nn, "p, g = m:getParameters()")
    model = nn.globals["m"]
    x = torch.randn(5, 3, dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(x).square().mean().backward()
    flat = nn.globals["g"]
    assert flat.abs().sum() > 0
    before = nn.globals["p"].clone()
    optimizer.step()
    assert torch.allclose(nn.globals["p"], before - 0.1 * flat, rtol=0, atol=1e-15)


def test_gradients_are_one_in_both_languages(nn: Runtime) -> None:
    model = nn.globals["m"]
    x = nn.globals["x"]
    model.zero_grad()
    model(x).sum().backward()
    python = [p.grad.clone() for p in model.parameters()]
    lua(nn, "m:zeroGradParameters() m:forward(x) m:backward(x, torch.ones(5, 2))")
    for ours, theirs in zip(python, model.parameters(), strict=True):
        assert torch.allclose(ours, theirs.grad, rtol=1e-13, atol=1e-15)


def test_zero_grad_to_none_means_zero(nn: Runtime) -> None:
    lua(nn, "m:forward(x) m:backward(x, torch.ones(5, 2))")
    model = nn.globals["m"]
    model.zero_grad(set_to_none=True)
    assert lua(nn, "return m:get(1).gradWeight:abs():sum()") == 0
    assert model[0].weight.grad is not None
    model[0].weight.grad = torch.full_like(model[0].weight, 2.0)
    assert lua(nn, "return m:get(1).gradWeight[1][1]") == 2


def test_a_lua_layer_trains_from_python(nn: Runtime) -> None:
    lua(nn, "m:add(nn.Scale(3))")
    model = nn.globals["m"]
    x = torch.randn(8, 3, dtype=torch.float64)
    y = torch.randn(8, 2, dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert lua(nn, "return #m:get(4).calls") == 60


def test_a_lua_layers_own_parameters(nn: Runtime) -> None:
    lua(
        nn,
        """
        local Gain, parent = torch.class('nn.Gain', 'nn.Module')
        function Gain:__init() parent.__init(self) self.gain = torch.ones(1) self.gradGain = torch.zeros(1) end
        function Gain:parameters() return {self.gain}, {self.gradGain} end
        function Gain:updateOutput(input) self.output = input * self.gain[1] return self.output end
        function Gain:updateGradInput(input, g) self.gradInput = g * self.gain[1] return self.gradInput end
        function Gain:accGradParameters(input, g, scale)
           self.gradGain:add((scale or 1) * torch.cmul(input, g):sum())
        end
        m = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Gain())
        """,
    )
    model = nn.globals["m"]
    x = torch.randn(4, 3, dtype=torch.float64)
    parameters = list(model.parameters())
    assert [p.numel() for p in parameters] == [6, 2, 1]
    model(x).sum().backward()
    expected = model[0](x).sum().item()
    assert parameters[2].grad.item() == pytest.approx(expected, rel=1e-12)
    optimizer = torch.optim.SGD(parameters, lr=0.5)
    optimizer.step()
    assert lua(nn, "return m:get(2).gain[1]") == pytest.approx(1 - 0.5 * expected, rel=1e-12)


# -- clones ---------------------------------------------------------------------------------------------------


def test_clone_is_deep(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local s = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Scale(3))
        s:get(2).list = {x, x}
        local c = s:clone()
        c:get(1).weight:fill(0)
        c:get(2).factor = 5
        c:get(2).list[1]:fill(1)
        return s:get(1).weight:abs():sum() > 0, s:get(2).factor, x:min() == 1,
               rawequal(c:get(2).list[1], c:get(2).list[2]), torch.type(c:get(2)), c:forward(x):size(2)
        """,
    ) == (True, 3, False, True, "nn.Scale", 2)


def test_a_table_becomes_a_module_that_holds_another(nn: Runtime) -> None:
    code = """
        local pool = nn.SpatialMaxPooling(2, 2, 2, 2)
        pool:forward(torch.Tensor{{{1, 2}, {4, 3}}})
        local copy = {pooling = {}, output = torch.Tensor(), gradInput = torch.Tensor(), _type = 'torch.DoubleTensor'}
        for key, value in pairs(pool) do copy.pooling[key] = value end
        torch.setmetatable(copy.pooling, 'nn.SpatialMaxPooling')
        torch.setmetatable(copy, 'nn.SpatialMaxUnpooling')
        local found = copy:forward(torch.Tensor{{{7}}})
        return found, torch.type(copy.pooling)"""
    found, kind = lua(nn, code)
    assert found.tolist() == [[[0, 0], [7, 0]]]
    assert kind == "nn.SpatialMaxPooling"


@pytest.mark.parametrize(("made", "absent"), [("nn.Add(2)", "scalar"), ("nn.Linear(2, 3, false)", "bias")])
def test_a_table_becomes_a_module_without_what_is_nil(nn: Runtime, made: str, absent: str) -> None:
    code = f"""
        local module, copy = {made}, {{}}
        for key, value in pairs(module) do copy[key] = value end
        torch.setmetatable(copy, torch.type(module))
        local x = torch.ones(2)
        return copy:forward(x):equal(module:forward(x)), copy.{absent}"""
    assert lua(nn, code) == (True, None)


def test_clone_with_sharing(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local c = m:clone('weight', 'bias')
        m:get(1).weight:fill(0.5)
        c:zeroGradParameters()
        c:backward(x, c:forward(x))
        return c:get(1).weight[1][1], m:get(1).gradWeight:abs():sum()
        """,
    ) == (0.5, 0)


def test_clone_of_a_flat_model_is_flat(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        m:getParameters()
        local c = m:clone()
        local storage = c:get(1).weight:storage()
        return storage == c:get(3).bias:storage(), storage == m:get(1).weight:storage(), storage:size()
        """,
    ) == (True, False, 26)


# -- modes, types, structure ----------------------------------------------------------------------------------


def test_training_and_evaluate(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        m:add(nn.Dropout(0.5))
        local at_first = m.train
        m:evaluate()
        local eval = m:get(4).train
        local o = m:forward(x):clone()
        m:training()
        return at_first, eval, m:get(4).train, m.train, (m:get(3).output - o):abs():max()
        """,
    ) == (None, False, True, True, 0)
    nn.globals["m"].eval()
    assert lua(nn, "return m:get(4).train") is False


def test_type_conversion_keeps_sharing(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local a = nn.Linear(3, 3)
        local b = nn.Linear(3, 3):share(a, 'weight')
        local s = nn.Sequential():add(a):add(b):add(nn.Scale(2))
        s:get(3).extra = {x}
        s:float()
        a.weight:fill(4)
        return torch.type(a.weight), b.weight[1][1], torch.type(s:get(3).extra[1]), s:type(), torch.type(s.output)
        """,
    ) == ("torch.FloatTensor", 4, "torch.FloatTensor", "torch.FloatTensor", "torch.FloatTensor")


def test_python_conversion_takes_the_same_path(nn: Runtime) -> None:
    model = nn.globals["m"]
    model.float()
    assert lua(nn, "return torch.type(m:get(1).weight), torch.type(m:get(1).gradWeight), m:type()") == (
        "torch.FloatTensor",
        "torch.FloatTensor",
        "torch.FloatTensor",
    )
    assert model[0].weight.grad.dtype == torch.float32


def test_find_modules(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local outer = nn.Sequential():add(m):add(nn.Linear(2, 2))
        local found, containers = outer:findModules('nn.Linear')
        return #found, rawequal(found[1], m:get(1)), rawequal(containers[1], m), rawequal(containers[3], outer)
        """,
    ) == (3, True, True, True)


def test_fields_of_the_script_stay_on_the_table(nn: Runtime) -> None:
    assert lua(
        nn, "m.note = 'mine' m.callback = function(a) return a + 1 end return m.note, m.callback(1)"
    ) == ("mine", 2)
    assert lua(nn, "return rawget(m, 'note')") == "mine"


def test_state_dict_has_sensible_names(nn: Runtime) -> None:
    assert list(nn.globals["m"].state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_unknown_class_and_method(nn: Runtime) -> None:
    with pytest.raises(LuaError, match=r"^test\.lua:1: attempt to call field 'NoSuchLayer'"):
        lua(nn, "local l = nn.NoSuchLayer()")
    with pytest.raises(LuaError, match=r"^test\.lua:2: attempt to call method 'nope'"):
        lua(nn, "local l = nn.Linear(2, 2)\nl:nope()")


def test_wrong_shapes_name_the_line(nn: Runtime) -> None:
    with pytest.raises(LuaError, match=r"^test\.lua:2: nn\.Linear: the input has 4 columns, not 3"):
        lua(nn, "local y = torch.ones(2, 4)\nlocal o = m:forward(y)")
    with pytest.raises(LuaError, match=r"^test\.lua:1: .*argument #2 \('outputSize'\) is missing"):
        lua(nn, "local l = nn.Linear(3)")


def test_a_criterion_of_lua_works_in_a_python_one(nn: Runtime) -> None:
    assert lua(
        nn,
        """
        local Half, parent = torch.class('nn.Half', 'nn.Criterion')
        function Half:updateOutput(input, target) self.output = (input - target):sum() / 2 return self.output end
        function Half:updateGradInput(input, target)
           self.gradInput = input.new():resizeAs(input):fill(0.5)
           return self.gradInput
        end
        local c = nn.MultiCriterion():add(nn.Half(), 3):add(nn.MSECriterion(false))
        collectgarbage() collectgarbage()
        local y = x * 0
        local loss = c:forward(x, y)
        return loss - 1.5 * x:sum() - torch.cmul(x, x):sum(), (c:backward(x, y) - (x * 2 + 1.5)):abs():max()
        """,
    ) == pytest.approx((0, 0), abs=1e-12)


def test_a_type_written_in_lua_counts_inside_containers(nn: Runtime) -> None:
    """Layers empty buffers of their own there, and hand the cache on, by which shared memory stays shared."""
    nn.execute("""
    local Own, parent = torch.class('nn.Own', 'nn.Linear')
    function Own:type(name, cache)
       if name then self.casts, self.buffer = (self.casts or 0) + 1, torch.Tensor(2):fill(3) end
       return parent.type(self, name, cache)
    end
    a, plain = nn.Own(2, 2), nn.Linear(2, 2)
    plain.weight:set(a.weight)
    a.inner = nn.Own(2, 2)
    net = nn.Sequential():add(plain):add(nn.Sequential():add(a))
    net:float()
    """)
    assert nn.execute(
        "return a.casts, a.inner.casts, a.weight:type(), a.buffer:type(), a.inner.weight:type()"
    ) == (
        1,
        1,
        *["torch.FloatTensor"] * 3,
    )
    assert nn.execute("return a.weight:isSetTo(plain.weight), net:type(), a:type()") == (
        True,
        *["torch.FloatTensor"] * 2,
    )
    assert nn.execute(
        "net:double() return a.casts, a.weight:isSetTo(plain.weight), net:clone():get(2):get(1).casts"
    ) == (
        2,
        True,
        2,
    )


def test_a_type_written_in_lua_may_do_otherwise(nn: Runtime) -> None:
    nn.execute("""
    local Stays = torch.class('nn.Stays', 'nn.Linear')
    function Stays:type(name) return name and self or self._type end
    s = nn.Stays(2, 2)
    nn.Sequential():add(s):float()
    """)
    assert nn.execute("return s.weight:type()") == "torch.DoubleTensor"


@pytest.mark.parametrize(
    ("made", "seen"),
    [
        ("nn.Dropout(false)", "m.p == 0.5"),
        ("nn.BatchNormalization(3, false, false)", "m.eps == 1e-5 and m.momentum == 0.1 and m.affine"),
        ("nn.SpatialConvolution(1, 1, 3, 3, false, 2, 1, false)", "m.dW == 1 and m.dH == 2 and m.padH == 1"),
        ("nn.Threshold(false, 2)", "m.threshold == 1e-6 and m.val == 2"),
    ],
)
def test_false_for_a_number_of_a_constructor(runtime: Runtime, made: str, seen: str) -> None:
    """The original's constructors say ``x or default``."""
    assert runtime.execute(f"require 'nn' local m = {made} return {seen}") is True
