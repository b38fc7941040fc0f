"""A layer that a script defines, or changes, takes effect in every container of Python's: each is run beside its
twin, in whose place of the Lua layer a built-in one stands that computes the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.every_class import new_runtime
from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import lua
from torch7py.bridge.errors import LuaError

# nn.Scaled is nn.Mul, written in Lua. `changed` is a built-in layer whose instance got Lua methods.
SCALED = """
do
   local S, parent = torch.class('nn.Scaled', 'nn.Module')
   function S:__init(weight)
      parent.__init(self)
      self.weight, self.gradWeight = torch.Tensor{weight or 2}, torch.zeros(1)
   end
   function S:updateOutput(input)
      self.output:resizeAs(input):copy(input):mul(self.weight[1])
      return self.output
   end
   function S:updateGradInput(input, gradOutput)
      self.gradInput:resizeAs(gradOutput):copy(gradOutput):mul(self.weight[1])
      return self.gradInput
   end
   function S:accGradParameters(input, gradOutput, scale)
      self.gradWeight[1] = self.gradWeight[1] + (scale or 1) * torch.cmul(input, gradOutput):sum()
   end
end
function scaled() nn.Mul() return nn.Scaled(2) end    -- drawing as many numbers as its twin
function mul() local m = nn.Mul() m.weight:fill(2) return m end
function changed()
   local m = nn.Mul()
   m.weight:fill(2)
   for _, name in ipairs{'updateOutput', 'updateGradInput', 'accGradParameters'} do m[name] = nn.Scaled[name] end
   return m
end
"""

# Containers around the layer that `inner()` makes, and an input.
CONTAINERS = {
    "Sequential": ("nn.Sequential():add(nn.Tanh()):add(inner()):add(nn.Sigmoid())", "R(2, 3)"),
    "Concat": ("nn.Concat(2):add(inner()):add(nn.Tanh())", "R(2, 3)"),
    "ConcatTable": ("nn.ConcatTable():add(nn.Tanh()):add(inner())", "R(2, 3)"),
    "ParallelTable": ("nn.ParallelTable():add(inner()):add(nn.Tanh())", "{R(2, 3), U(2, 3)}"),
    "Parallel": ("nn.Parallel(2, 2):add(inner()):add(nn.Tanh())", "R(3, 2, 4)"),
    "MapTable": ("nn.MapTable(inner())", "{R(2, 3), U(2, 3)}"),
    "DepthConcat": ("nn.DepthConcat(2):add(inner()):add(nn.Tanh())", "R(2, 2, 3, 3)"),
    "Bottle": ("nn.Bottle(inner())", "R(2, 3, 4)"),
    "Decorator": ("nn.Decorator(inner())", "R(2, 3)"),
    "DontCast": ("nn.DontCast(inner())", "R(2, 3)"),
    "GPU": ("nn.GPU(inner(), 1)", "R(2, 3)"),
    "NaN": ("nn.NaN(inner())", "R(2, 3)"),
    "Profile": ("nn.Profile(inner(), 1000)", "R(2, 3)"),
    "Serial": ("nn.Serial(nn.Sequential():add(inner()))", "R(2, 3)"),
    "MaskZero": ("nn.MaskZero(inner(), 1)", "torch.cat(R(2, 3), torch.zeros(1, 3), 1)"),
    "TrimZero": ("nn.TrimZero(inner(), 1)", "torch.cat(R(2, 3), torch.zeros(1, 3), 1)"),
    "Sequencer": ("nn.Sequencer(inner())", "{R(2, 3), U(2, 3), R(2, 3)}"),
    "Sequencer of a stacked tensor": ("nn.Sequencer(inner())", "R(4, 2, 3)"),
    "a sequence of layers": (
        "nn.Sequencer(nn.Sequential():add(nn.Tanh()):add(inner()):add(nn.Sigmoid()))",
        "{R(2, 3), U(2, 3)}",
    ),
    "BiSequencer": ("nn.BiSequencer(nn.Recursor(inner()), nn.Recursor(nn.Tanh()))", "{R(2, 3), U(2, 3)}"),
    "BiSequencerLM": ("nn.BiSequencerLM(nn.Recursor(inner()), nn.Recursor(nn.Tanh()))", "{R(2, 3), U(2, 3)}"),
    "Repeater": ("nn.Repeater(nn.Recursor(inner()), 3)", "R(2, 3)"),
    "Recursor": ("nn.Recursor(inner())", "R(2, 3)"),
    "Recurrent": (
        "nn.Sequencer(nn.Recurrent(3, inner(), nn.Identity(), nn.Tanh(), 5))",
        "{R(2, 3), U(2, 3)}",
    ),
    "Recurrence": (
        "nn.Sequencer(nn.Recurrence(nn.Sequential():add(nn.CAddTable()):add(inner()), 3, 1))",
        "{R(2, 3), U(2, 3)}",
    ),
    "gModule": (
        (
            "(function() local i = nn.Identity()() local h = inner()(nn.Tanh()(i)) "
            "return nn.gModule({i}, {nn.Sigmoid()(h), nn.CAddTable()({h, i})}) end)()"
        ),
        "R(2, 3)",
    ),
    "a gModule in a sequence": (
        "nn.Sequencer((function() local i = nn.Identity()() return nn.gModule({i}, {nn.Tanh()(inner()(i))}) end)())",
        "{R(2, 3), U(2, 3)}",
    ),
    "all of them": (
        (
            "nn.Sequential():add(nn.ConcatTable():add(nn.Sequential():add(inner())):add(nn.Identity()))"
            ":add(nn.ParallelTable():add(nn.Decorator(nn.Tanh())):add(nn.Bottle(inner()))):add(nn.CAddTable())"
        ),
        "R(2, 3, 4)",
    ),
}

# Its first step is made of copies, from the constructor on, which modules() does not list.
COPIES_AT_ONCE = "Recurrent"

# What is compared of a model `m` on its input `x`: numbers alone, flat in a table.
LOOK = """
function flat(value, into)
   into = into or {}
   if torch.isTensor(value) then
      for i = 1, value:nElement() do into[#into + 1] = value:clone():view(-1)[i] end
   elseif type(value) == 'table' then
      for _, entry in ipairs(value) do flat(entry, into) end
   elseif value ~= nil then
      into[#into + 1] = value
   end
   return into
end
function passes(m, x)
   if m.forget then m:forget() end
   m:zeroGradParameters()
   local y = m:forward(x)
   local gi = m:backward(x, gradient(y), 0.5)
   return flat{y, gi, (select(2, m:parameters()))}
end
function same(a, b)
   assert(#a == #b and #a > 0, #a .. ' and ' .. #b .. ' numbers')
   for i = 1, #a do
      assert(math.abs(a[i] - b[i]) <= 1e-12 * math.max(1, math.abs(b[i])), i .. ': ' .. a[i] .. ' for ' .. b[i])
   end
end
function count(m, class)
   local n = 0
   m:apply(function(module) if torch.type(module) == class then n = n + 1 end end)
   return n
end
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    runtime = new_runtime()
    runtime.execute(SCALED + LOOK)
    yield runtime
    runtime.close()


def build(shared: Runtime, container: str, kind: str) -> None:
    """``ours`` with a layer of Lua's, ``theirs`` with the built-in one; both from the same random numbers."""
    model, input = CONTAINERS[container]
    shared.execute(
        f"torch.manualSeed(1) inner = {kind} ours = {model} "
        f"torch.manualSeed(1) inner = mul theirs = {model} "
        f"x = {input} class = torch.type({kind}())"
    )


@pytest.fixture(params=CONTAINERS)
def container(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize("kind", ["scaled", "changed"])
def test_it_computes(shared: Runtime, container: str, kind: str) -> None:
    build(shared, container, kind)
    shared.execute("same(passes(ours, x), passes(theirs, x))")
    shared.execute("same(passes(ours, x), passes(theirs, x))")


@pytest.mark.parametrize("kind", ["scaled", "changed"])
def test_a_step_moves_it(shared: Runtime, container: str, kind: str) -> None:
    build(shared, container, kind)
    shared.execute(
        """
        for _, m in ipairs{ours, theirs} do passes(m, x) m:updateParameters(0.1) end
        same(flat((ours:parameters())), flat((theirs:parameters())))
        same(passes(ours, x), passes(theirs, x))
        """
    )


@pytest.mark.parametrize("kind", ["scaled", "changed"])
def test_flat_parameters(shared: Runtime, container: str, kind: str) -> None:
    build(shared, container, kind)
    shared.execute(
        """
        for _, m in ipairs{ours, theirs} do
           p, g = m:getParameters()
           p:add(0.25)
           passes(m, x)
        end
        same(passes(ours, x), passes(theirs, x))
        """
    )
    model = shared.globals["ours"]
    assert sum(p.numel() for p in model.parameters()) == shared.execute(
        "return (ours:getParameters()):nElement()"
    )


def test_a_clone_has_its_own(shared: Runtime, container: str) -> None:
    build(shared, container, "scaled")
    shared.execute(
        """
        copied = ours:clone()
        ours:apply(function(m) if m.weight then m.weight:zero() end end)
        same(passes(copied, x), passes(theirs, x))
        """
    )
    assert shared.execute(
        "return count(copied, class) == count(theirs, 'nn.Mul') and count(copied, class) > 0"
    )


def test_a_sharing_clone_moves_along(shared: Runtime, container: str) -> None:
    build(shared, container, "scaled")
    shared.execute(
        """
        copied = ours:clone('weight', 'gradWeight', 'bias', 'gradBias')
        for _, m in ipairs{ours, theirs} do m:apply(function(k) if k.weight then k.weight:mul(3) end end) end
        same(passes(copied, x), passes(theirs, x))
        """
    )


def test_it_is_found(shared: Runtime, container: str) -> None:
    build(shared, container, "scaled")
    shared.execute(
        """
        function listed(m, class)
           local n = 0
           for _, module in ipairs(m:listModules()) do if torch.type(module) == class then n = n + 1 end end
           return n
        end
        """
    )
    assert (
        shared.execute("return count(ours, class)") == shared.execute("return count(theirs, 'nn.Mul')") >= 1
    )
    assert shared.execute("return listed(ours, class)") == shared.execute("return listed(theirs, 'nn.Mul')")
    assert shared.execute("return #ours:findModules(class)") == shared.execute(
        "return #theirs:findModules('nn.Mul')"
    )


def test_it_is_replaced(shared: Runtime, container: str) -> None:
    if container == COPIES_AT_ONCE:
        return
    build(shared, container, "scaled")
    shared.execute(
        """
        replaced = ours:replace(function(m) if torch.type(m) == class then return mul() end return m end)
        same(passes(replaced, x), passes(theirs, x))
        """
    )
    assert shared.execute("return count(replaced, class)") == 0


def test_modes_and_types_reach_it(shared: Runtime, container: str) -> None:
    build(shared, container, "scaled")
    shared.execute(
        """
        seen = {}
        function nn.Scaled:evaluate() seen[#seen + 1] = 'evaluate' self.train = false end
        function nn.Scaled:training() seen[#seen + 1] = 'training' self.train = true end
        ours:evaluate()
        ours:training()
        nn.Scaled.evaluate, nn.Scaled.training = nil, nil
        """
    )
    assert shared.execute("return seen[1], seen[#seen], #seen % 2") == ("evaluate", "training", 0)
    if container != "DontCast":
        shared.execute(
            "ours:float() ours:apply(function(m) if m.weight then kind = torch.type(m.weight) end end)"
        )
        assert shared.execute("return kind") == "torch.FloatTensor"


def test_a_method_of_the_class_changed_afterwards(shared: Runtime, container: str) -> None:
    build(shared, container, "mul")
    shared.execute(
        """
        before = passes(ours, x)
        saved = {}
        for _, name in ipairs{'updateOutput', 'updateGradInput', 'accGradParameters'} do
           saved[name] = rawget(nn.Mul, name)
           nn.Mul[name] = nn.Scaled[name]
        end
        calls = 0
        nn.Mul.updateOutput = function(self, input) calls = calls + 1 return nn.Scaled.updateOutput(self, input) end
        during = passes(ours, x)
        for _, name in ipairs{'updateOutput', 'updateGradInput', 'accGradParameters'} do nn.Mul[name] = saved[name] end
        many = calls
        after = passes(ours, x)
        same(during, before)
        same(after, before)
        """
    )
    assert shared.execute("return many") >= 1
    assert shared.execute("return calls == many")


def test_a_method_switched_off(shared: Runtime, container: str) -> None:
    if container == COPIES_AT_ONCE:
        return
    build(shared, container, "mul")
    shared.execute(
        """
        ours:apply(function(m) if torch.type(m) == 'nn.Mul' then m.accGradParameters = function() end end end)
        passes(ours, x)
        function of_mul(m)
           local total = 0
           m:apply(function(k) if torch.type(k) == 'nn.Mul' then total = total + k.gradWeight:norm() end end)
           return total
        end
        passes(theirs, x)
        """
    )
    assert shared.execute("return of_mul(ours)") == 0
    assert shared.execute("return of_mul(theirs)") > 0


def test_a_gradient_set_before_its_parameter(shared: Runtime) -> None:
    """Lua assigns from right to left: ``self.weight, self.gradWeight = ...`` sets the gradient first."""
    shared.execute(
        """
        m = nn.Module()
        m.gradWeight = torch.Tensor{5}
        m.weight = torch.Tensor{1}
        p, g = m:parameters()
        m:updateParameters(0.1)
        """
    )
    assert shared.execute("return #p, #g, m.weight[1]") == (1, 1, 0.5)
    model = shared.globals["m"]
    assert [parameter.grad.item() for parameter in model.parameters()] == [5]


def test_a_parameter_without_a_gradient(shared: Runtime) -> None:
    shared.execute("m = nn.Module() m.weight = torch.Tensor{1} m:zeroGradParameters()")
    with pytest.raises(LuaError, match=r"^t\.lua:1: nn\.Module: parameter 1 has no gradient"):
        shared.execute("m:updateParameters(0.1)", "=t.lua")


def test_one_that_did_not_call_its_parents_constructor_is_saved(runtime: Runtime) -> None:
    """DeepMind's Atari player has such a layer, and saves it before it has computed anything."""
    script = """require 'nn'
    local Times = torch.class('nn.Times', 'nn.Module')
    function Times:__init(factor) self.factor = factor end
    function Times:updateOutput(x) self.output = x * self.factor return self.output end
    local copy = torch.deserialize(torch.serialize {nn.Times(3), net = nn.Sequential():add(nn.Times(2))})
    return copy[1]:forward(torch.ones(2)):sum(), copy.net:forward(torch.ones(2)):sum()"""
    assert runtime.execute(script) == (6, 4)


def test_the_state_of_a_class_itself() -> None:
    """``parent:clearState()`` clears what the class holds, which is nothing, and leaves the layer as it is."""
    Runtime().execute("""
        require 'nn'
        extra = {}
        local Half, parent = torch.class('extra.Half', 'nn.Module')
        function Half:updateOutput(input) return self.output:resizeAs(input):copy(input):mul(0.5) end
        function Half:clearState() return parent:clearState() end
        local half = extra.Half()
        half:forward(torch.ones(3))
        assert(half:clearState() == parent and half.output:nElement() == 3)
        local net = nn.Sequential():add(half):add(nn.Linear(3, 2))
        net:forward(torch.ones(3))
        net:clearState()
        assert(net:get(2).output:nElement() == 0 and half.output:nElement() == 3)
        local Quarter, above = torch.class('extra.Quarter', 'extra.Half')
        function Quarter:clearState() return nn.Module.clearState(above) end
        assert(extra.Quarter():clearState() == above)
        -- lent to what is no module
        local object = nn.Module.clearState{output = torch.ones(2), gradInput = {1}, other = 5}
        assert(object.output:nElement() == 0 and #object.gradInput == 0 and object.other == 5)
    """)


WITHOUT_PARENT = """require 'rnn'
local A = torch.class('A', 'nn.Module')
function A:__init() self.k = 2 end
function A:updateOutput(x) self.output = x * self.k return self.output end
function A:updateGradInput(x, g) self.gradInput = g * self.k return self.gradInput end
local B = torch.class('B', 'nn.Module')
function B:__init() end
local D = torch.class('D', 'nn.Criterion')
function D:__init() end
function D:updateOutput(x, y) self.output = (x - y):pow(2):sum() return self.output end
local x = torch.ones(2, 3)
local a, b, d = _G.A(), _G.B(), _G.D()
a:forward(x)
d:forward(x, x)
local found = {
   a.gradInput == nil, b:forward(x) == nil, nn.Sequential():add(_G.B()):forward(x) == nil, d.gradInput == nil,
   a:backward(x, x) ~= nil, b:backward(x, x) == nil, nn.Sequential():add(_G.B()):add(a):backward(x, x) == nil,
   _G.A():clone().output == nil, _G.A():clearState().gradInput == nil, _G.A():float().output == nil,
   nn.Sequencer(_G.A()):forward{x, x}[2]:sum() == 12, nn.Sequential():add(_G.A()):float():clearState() ~= nil,
}
return unpack(found)"""


def test_an_init_that_does_not_call_its_parents(runtime: Runtime) -> None:
    """There is nothing then that its parent's would have set."""
    assert runtime.execute(WITHOUT_PARENT) == (True,) * 12


def test_a_parent_that_is_begun_as_a_method_gives_its_class_the_results(runtime: Runtime) -> None:
    """``parent:__init(self)`` is a slip that Torch7 forgives; the numbers are the original's."""
    source = """
        require 'nn'
        local Scaled, parent = torch.class('nn.ScaledBySlip', 'nn.Module')
        function Scaled:__init(n) parent:__init(self) self.n = n end
        function Scaled:updateOutput(x) self.output:resizeAs(x):copy(x):mul(self.n) return self.output end
        function Scaled:updateGradInput(x, g) self.gradInput:resizeAs(g):copy(g) return self.gradInput end
        local m = nn.Sequential():add(nn.ScaledBySlip(3)):add(nn.ScaledBySlip(2))
        local x = torch.ones(2)
        local sums = {m:forward(x):sum(), m:backward(x, x):sum(), m:clone():forward(x):sum()}
        local Slip, linear = torch.class('nn.LinearBySlip', 'nn.Linear')
        function Slip:__init(a, b) linear:__init(a, b) end
        local ok, message = pcall(nn.LinearBySlip, 2, 3)
        return sums[1], sums[2], sums[3], ok, message:match('nn.Linear:__init.*')"""
    assert lua(runtime, source) == (
        12,
        2,
        12,
        False,
        "nn.Linear:__init() is not supported: is nn.Linear.__init(self) meant?",
    )
