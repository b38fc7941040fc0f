"""Recurrent classes that a script defines or changes: Python's steps go through its methods."""

from __future__ import annotations

import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

ELMAN = """
    require 'rnn'
    local Elman, parent = torch.class('nn.Elman', 'nn.AbstractRecurrent')

    function Elman:__init(n)
       parent.__init(self, 99)
       self.recurrentModule = nn.Sequential()
       self.recurrentModule:add(nn.ParallelTable():add(nn.Linear(n, n)):add(nn.Linear(n, n)))
       self.recurrentModule:add(nn.CAddTable()):add(nn.Sigmoid())
       self.modules[1] = self.recurrentModule
       self.sharedClones[1] = self.recurrentModule
       self.zero = torch.zeros(n)
    end

    function Elman:before(step) return self.outputs[step - 1] or self.zero end

    function Elman:updateOutput(input)
       self:recycle()
       self.output = self:getStepModule(self.step):updateOutput{input, self:before(self.step)}
       self.outputs[self.step] = self.output
       self.step = self.step + 1
       self.updateGradInputStep, self.accGradParametersStep, self.later = nil, nil, nil
       return self.output
    end

    function Elman:_updateGradInput(input, gradOutput)
       local step = self.updateGradInputStep - 1
       local total = self.later and gradOutput + self.later or gradOutput:clone()
       self._gradOutputs[step] = total
       local gradients = self:getStepModule(step):updateGradInput({input, self:before(step)}, total)
       self.later = gradients[2]
       return gradients[1]
    end

    function Elman:_accGradParameters(input, gradOutput, scale)
       local step = self.accGradParametersStep - 1
       self:getStepModule(step):accGradParameters({input, self:before(step)}, self._gradOutputs[step], scale)
    end

    function passes(m, x, g)
       local s = nn.Sequencer(m)
       s:zeroGradParameters()
       local output = s:forward(x)[#x]:clone()
       local gradient = s:backward(x, g)[1]:clone()
       return output, gradient, select(2, s:parameters())
    end
    x, g = {}, {}
    for t = 1, 4 do x[t], g[t] = torch.randn(3), torch.randn(3) end
"""


def test_a_recurrent_module_of_a_script(runtime: Runtime) -> None:
    runtime.execute(ELMAN + "m = nn.Elman(3)")
    output, of_first, of_parameters = runtime.execute("return passes(m, x, g)")
    x, g = runtime.globals["x"], runtime.globals["g"]
    w, b, u, c = (p.detach().clone().requires_grad_() for p in runtime.execute("return m:parameters()")[0])
    leaves = [t.clone().requires_grad_() for t in x]
    h, total = torch.zeros(3, dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for leaf, gradient in zip(leaves, g, strict=True):
        h = torch.sigmoid(w @ leaf + b + u @ h + c)
        total = total + (h * gradient).sum()
    expected = torch.autograd.grad(total, [leaves[0], w, b, u, c])
    torch.testing.assert_close(output, h.detach(), rtol=1e-12, atol=1e-14)
    for one, other in zip([of_first, *of_parameters], expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)


def test_an_lstm_whose_model_a_script_builds(runtime: Runtime) -> None:
    """The constructor asks the script for the model, and computes with it: here h' = W (x + h), c' = c."""
    output = runtime.execute("""
        require 'rnn'
        local Sum = torch.class('nn.Sum2', 'nn.LSTM')
        function Sum:buildModel()
           self.product = nn.Linear(self.outputSize, self.outputSize)
           local h = nn.Sequential():add(nn.NarrowTable(1, 2)):add(nn.CAddTable()):add(self.product)
           return nn.Sequential():add(nn.ConcatTable():add(h):add(nn.SelectTable(3)))
        end
        m, x = nn.Sum2(3, 3), torch.randn(3)
        m:forward(x)
        expected = m.product:clone():forward(x + m.outputs[1])
        return m:forward(x)
    """)
    torch.testing.assert_close(output, runtime.globals["expected"], rtol=1e-12, atol=1e-14)


def test_a_gate_that_a_script_builds(runtime: Runtime) -> None:
    """Gates that are always open: h' = tanh(c'), c' = c + z."""
    output = runtime.execute("""
        require 'rnn'
        local Open, parent = torch.class('nn.Open', 'nn.LSTM')
        function Open:buildGate()
           return parent.buildGate(self):add(nn.MulConstant(0)):add(nn.AddConstant(1))
        end
        m, x = nn.Open(3, 3), torch.randn(3)
        local z = m.hiddenLayer:forward{x, torch.zeros(3), torch.zeros(3)}
        expected = torch.tanh(z)
        return m:forward(x)
    """)
    torch.testing.assert_close(output, runtime.globals["expected"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", ["LSTM", "FastLSTM", "GRU"])
def test_a_method_of_a_class_that_a_script_wraps(runtime: Runtime, kind: str) -> None:
    """Every step computes through nn.Sigmoid's new method, and the numbers stay what they were."""
    runtime.execute(f"""
        require 'rnn'
        m = nn.{kind}(3, 4)
        x, g = torch.randn(2, 3), torch.ones(2, 4)
        function train()
           m:forget()
           m:zeroGradParameters()
           for _ = 1, 3 do m:forward(x) end
           local output = m.output:clone()
           for _ = 1, 3 do m:backward(x, g) end
           local gradients = {{}}
           for i, gradient in ipairs(select(2, m:parameters())) do gradients[i] = gradient:clone() end
           return output, unpack(gradients)
        end
    """)
    expected = runtime.execute("return train()")
    runtime.execute("""
        calls, original = 0, nn.Sigmoid.updateOutput
        nn.Sigmoid.updateOutput = function(self, input) calls = calls + 1 return original(self, input) end
    """)
    found = runtime.execute("return train()")
    sigmoids = runtime.execute("return #m:findModules('nn.Sigmoid')")
    assert runtime.globals["calls"] == 3 * sigmoids
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


NAMES = (
    "all_input_sums bn_c bn_wh bn_wx forget_gate h2h h2h i2h in_gate in_transform n1 n2 n3 n4 next_c next_h out_gate "
    "prev_c prev_h reshaped x"
)


def test_what_a_script_asks_of_the_class(runtime: Runtime) -> None:
    """With ``usenngraph`` or ``bn`` a step is a graph, whose package comes with it."""
    assert runtime.execute("""
        require 'rnn' nn.FastLSTM.bn = true
        local m = nn.FastLSTM(3, 4)
        nn.FastLSTM.bn = false
        local names = {}
        for _, node in ipairs(m.modules[1].forwardnodes) do
            names[#names + 1] = node.data.annotations.name
        end
        table.sort(names)
        return torch.type(m.modules[1]), nngraph ~= nil, torch.type(nn.FastLSTM(3, 4).modules[1]),
               table.concat(names, ' ')
    """) == ("nn.gModule", True, "nn.Sequential", NAMES)
    with pytest.raises(LuaError, match=r"python:1: .*its batch normalizations need weights"):
        runtime.execute("nn.FastLSTM.bn = true nn.FastLSTM(3, 4, nil, nil, nil, false)")


def test_functions_over_nested_tables(runtime: Runtime) -> None:
    assert runtime.execute("""
        require 'rnn'
        local a = {torch.ones(2), {torch.ones(3)}}
        local b = rnn.recursiveCopy(nil, a)
        rnn.recursiveAdd(b, a)
        rnn.recursiveFill(a, 5)
        return nn.rnn == rnn, rnn.recursiveSum(b), rnn.recursiveSum(a), rnn.recursiveTensorEq(a, b),
               rnn.recursiveTensorEq(b, b), rnn.recursiveType(a, 'torch.FloatTensor')[2][1]:type(),
               rnn.recursiveResizeAs({}, b)[2][1]:size(1), rnn.recursiveNew(b)[1]:dim()
    """) == (True, 10, 25, False, True, "torch.FloatTensor", 3, 0)
    with pytest.raises(LuaError, match="python:1: nested tables of tensors expected, not a number"):
        runtime.execute("rnn.recursiveCopy(nil, 3)")


def test_the_package_draws_as_the_original_did_when_it_was_loaded(runtime: Runtime) -> None:
    """nn is loaded with rnn, and takes four numbers (see packages/nn/nn.lua)."""
    assert runtime.execute("torch.manualSeed(1) require 'rnn' return torch.random()") == runtime.execute(
        "torch.manualSeed(1) for _ = 1, 4 do torch.random() end return torch.random()"
    )


# Two classes that say themselves how they are saved: one forgets its parameters and tells whether it had them when it
# was written, the other keeps what it has. `say` collects for a copy: what it tells, whether it has parameters, and
# whether its parameters and gradients are the original's.
SAVED_THEIR_OWN_WAY = """
    require 'rnn'
    local Forgetful, parent = torch.class('Forgetful', 'nn.Linear')
    function Forgetful:__init(a, b) parent.__init(self, a, b) end
    function Forgetful:write(file)
       local fields = {output = self.output, gradInput = self.gradInput, _type = self._type}
       fields.saw = self.weight and 'weight' or 'none'
       file:writeObject(fields)
    end
    function Forgetful:read(file)
       for k, v in pairs(file:readObject()) do self[k] = v end
    end

    local Faithful, above = torch.class('Faithful', 'nn.Module')
    function Faithful:__init()
       above.__init(self)
       self.weight, self.gradWeight = torch.ones(2), torch.zeros(2)
    end
    function Faithful:updateOutput(x) self.output = x + self.weight[1] return self.output end
    function Faithful:updateGradInput(x, g) self.gradInput = g return g end
    function Faithful:write(file)
       local fields = {}
       for k, v in pairs(self) do fields[k] = v end
       fields.saw = self.weight and 'weight' or 'none'
       file:writeObject(fields)
    end
    Faithful.read = Forgetful.read

    local said
    local function same(a, b)
       return a ~= nil and b ~= nil and torch.pointer(a:storage()) == torch.pointer(b:storage())
    end
    local function say(m, c)
       table.insert(said, table.concat({tostring(c.saw), c.weight and 'has' or 'lacks',
          same(m.weight, c.weight) and 'shared' or 'own', same(m.gradWeight, c.gradWeight) and 'shared' or 'own'}, ' '))
    end
    local function own(m)
       for _, part in ipairs(m:listModules()) do
          local name = torch.typename(part)
          if name == 'Forgetful' or name == 'Faithful' then return part end
       end
    end
    local function steps(m)
       for _ = 1, 3 do
          collectgarbage()
          m:forward(torch.ones(1, 2))
       end
       return m.sharedClones
    end
    function ways(make)
       said = {}
       local m = make()
       say(m, m:clone())
       for _, shared in ipairs {{true, true}, {true, false}, {false, true}} do say(m, m:sharedClone(unpack(shared))) end
       say(m, m:stepClone())
       local s = nn.Sequential():add(make())
       say(s.modules[1], s:sharedClone().modules[1])
       local clones = steps(nn.Recursor(make(), 5))
       say(clones[1], clones[3])
       local sequencer = nn.Sequencer(nn.Sequential():add(make()):add(nn.FastLSTM(2, 2)))
       sequencer:forward({torch.ones(1, 2), torch.ones(1, 2)})
       clones = sequencer.module.sharedClones
       say(clones[1].modules[1], clones[2].modules[1])
       assert(rawequal(clones[1].modules[2], clones[2].modules[2]))
       clones = steps(nn.Recurrent(2, make(), nn.Linear(2, 2), nn.Tanh(), 5))
       say(own(clones[2]), own(clones[3]))
       return table.concat(said, '\\n')
    end
"""
# What the original says; the second line and those from the fifth on are the same.
WAYS = {
    "function() return Forgetful(2, 2) end": [
        "weight lacks own own",
        "none has shared shared",
        "none has shared own",
        "weight lacks own shared",
    ],
    "Faithful": [
        "weight has own own",
        "none has shared shared",
        "none has shared own",
        "weight has own shared",
    ],
}


@pytest.mark.parametrize("made", WAYS)
def test_clones_that_share_parameters_are_saved_and_read_where_a_class_says_how(made: str) -> None:
    with Runtime() as runtime:
        runtime.execute(SAVED_THEIR_OWN_WAY)
        said = runtime.execute(f"return ways({made})").split("\n")
    expected = WAYS[made]
    assert said == [*expected, *[expected[1]] * 5]
