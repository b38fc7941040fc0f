"""What dpnn adds to every module: norms, clipping, decay, momentum, parameters in any field, how models are saved."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.errors import LuaError
from torch7py.nn.container import Sequential
from torch7py.nn.linear import Linear, LookupTable
from torch7py.ops.errors import TorchError


def model() -> Sequential:
    made = Sequential(Linear(3, 4), Sequential(Linear(4, 2)))
    for number, parameter in enumerate(made.parameters()):
        parameter.data.copy_(values(*parameter.shape, start=number))
        parameter.grad.copy_(values(*parameter.shape, start=number + 9))  # type: ignore[union-attr]
    return made


def gradients(made: Sequential) -> list[torch.Tensor]:
    return [g.clone() for g in made.torch7_parameters()[1]]


def norm(tensors: list[torch.Tensor]) -> float:
    return float(torch.cat([t.flatten() for t in tensors]).norm())


def test_gradients_are_clipped_together_or_by_module() -> None:
    made = model()
    before = gradients(made)
    whole = norm(before)
    assert made.gradParamClip(whole * 2) == pytest.approx(whole, rel=1e-12)
    assert all(map(torch.equal, gradients(made), before))
    assert made.gradParamClip(0) is None
    assert made.gradParamClip(whole / 2) == pytest.approx(whole, rel=1e-12)
    for found, g in zip(gradients(made), before, strict=True):
        torch.testing.assert_close(found, g / 2, rtol=1e-12, atol=0)
    made = model()
    made.gradParamClip(0.5, True)
    clipped = gradients(made)
    assert norm(clipped[:2]) == pytest.approx(0.5)
    assert norm(clipped[2:]) == pytest.approx(0.5)


def test_norms_of_rows_and_columns() -> None:
    made = model()
    made.get(1).maxOutNorm = 0.1
    bias = made.get(1).bias.data.clone()
    made.maxParamNorm(0.5)
    assert made.get(1).weight.data.norm(dim=1).max() <= 0.1
    assert made.get(2).get(1).weight.data.norm(dim=1).max() <= 0.5
    assert torch.equal(made.get(1).bias.data, bias)
    made = model()
    made.maxParamNorm(None, 0.3)
    assert made.get(1).weight.data.norm(dim=0).max() <= 0.3
    table = LookupTable(5, 3)
    table.maxParamNorm(None, 0.25)
    assert table.weight.data.norm(dim=1).max() <= 0.25


def test_decay_adds_to_gradients_of_matrices() -> None:
    made = model()
    before, parameters = gradients(made), made.torch7_parameters()[0]
    made.decay_weights(0.1)
    for found, g, p in zip(gradients(made), before, parameters, strict=True):
        torch.testing.assert_close(found, g + 0.1 * p.data if p.dim() == 2 else g, rtol=1e-12, atol=0)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_over_two_steps(nesterov: bool) -> None:
    made = model()
    first = gradients(made)
    means = [g * 0.9 + 0.5 * g for g in first]
    for _ in range(2):
        for g, kept in zip(made.torch7_parameters()[1], first, strict=True):
            g.copy_(kept)
        made.updateGradParameters(0.9, 0.5, nesterov)
        expected = [g + 0.9 * m if nesterov else m for g, m in zip(first, means, strict=True)]
        for found, wanted in zip(gradients(made), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-14)
        means = [0.9 * m + 0.5 * g for m, g in zip(means, first, strict=True)]


def test_modules_in_other_fields_are_parameters_too(runtime: Runtime) -> None:
    before, count, moved = lua(
        runtime,
        """
        local Mine = torch.class('nn.Mine', 'nn.Module')
        function Mine:__init()
           nn.Module.__init(self)
           self.net = nn.Linear(2, 3)
           self.others = {a = nn.Linear(3, 1), same = self.net}
        end
        local m = nn.Sequential():add(nn.Linear(1, 2)):add(nn.Mine())
        local before = (m:getParameters()):nElement()
        require 'dpnn'
        local flat = m:getParameters()
        flat:fill(7)
        return before, flat:nElement(), m:get(2).others.a.weight[1][1]
        """,
    )
    assert (before, count, moved) == (4, 17, 7)


def test_a_class_s_own_sparse_parameters(runtime: Runtime) -> None:
    weight, gradient = lua(
        runtime,
        """
        require 'dpnn'
        local Mine = torch.class('nn.Mine', 'nn.Linear')
        function Mine:sparseParameters()
           return {[3] = self.weight[1]}, {[3] = self.gradWeight[1]}, {[3] = 2}
        end
        local m = nn.Mine(2, 2)
        m.weight:fill(1) m.gradWeight:fill(1)
        local c = nn.Sequential():add(m)
        c:updateParameters(0.25)
        c:zeroGradParameters()
        return m.weight, m.gradWeight
        """,
    )
    assert weight.tolist() == [[0.5, 0.5], [1, 1]]
    assert gradient.tolist() == [[0, 0], [1, 1]]


def test_batches_of_one(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        require 'dpnn'
        local m, c = nn.Identity(), nn.MSECriterion()
        local sizes = {}
        for _, o in ipairs{m, c} do
           local b = o:toBatch(torch.ones(3, 4), 2)
           sizes[#sizes + 1] = b:size():totable()
           sizes[#sizes + 1] = o:fromBatch(b, 1):size():totable()
           sizes[#sizes + 1] = o:fromBatch(o:toBatch(torch.ones(2, 3, 4), 2), 1):size():totable()
        end
        return sizes
        """,
    )
    assert found == [[1, 3, 4], [3, 4], [2, 3, 4]] * 2


def test_helpers(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        require 'dpnn'
        local m = nn.Sequential():extend(nn.Linear(3, 4), nn.Tanh())
        local visited
        m:accept{visit = function(_, x) visited = x end}
        local quiet = nn.Linear(2, 2):dontBackward()
        local x = torch.ones(3, 2):t()
        return #m.modules, m:outside{5, 3}:totable(), rawequal(visited, m),
               quiet:backward(torch.ones(2), torch.ones(2)) == nil,
               m:extrapolateType(), m:contiguousInput(x):isContiguous()
        """,
    )
    assert found == (2, [5, 4], True, True, "torch.DoubleTensor", True)
    assert lua_error(runtime, "require 'dpnn' nn.Linear(1, 1):gradParamClip()") == (
        "nn.Linear: gradParamClip: cutoffNorm must be a number"
    )
    assert lua_error(runtime, "m = nn.Linear(1, 1) m.bias[1] = 0 / 0 m:checkParameters()").endswith(
        "checkParameters: NaN in parameter 2"
    )


def test_profile_times_every_module(runtime: Runtime, capfd: pytest.CaptureFixture[str]) -> None:
    lua(
        runtime,
        "require 'dpnn' local m = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh()) m:profile() "
        "m:forward(torch.ones(2)) m:backward(torch.ones(2), torch.ones(3))",
    )
    lines = [" ".join(line.split()[:2]) for line in capfd.readouterr().out.splitlines()]
    assert lines == [
        "nn.Linear updateOutput:",
        "nn.Tanh updateOutput:",
        "nn.Tanh backward:",
        "nn.Linear backward:",
    ]


SERIAL = """
    require 'dpnn'
    m = nn.Serial(nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()), 'torch.FloatTensor')
    x = torch.ones(2, 3)
    m:forward(x)
    m:backward(x, torch.ones(2, 2))
    m:lightSerial()
"""


@pytest.mark.parametrize("how", ["m:clone()", "torch.deserialize(torch.serialize(m))", "python"])
def test_serial_saves_less_in_another_type(runtime: Runtime, tmp_path: Path, how: str) -> None:
    runtime.execute(SERIAL)
    if how == "python":
        torch7py.save(runtime.globals["m"], tmp_path / "m.t7")
        runtime.globals["n"] = torch7py.load(tmp_path / "m.t7")
    else:
        runtime.execute(f"n = {how}")
    found = runtime.execute("""
        local l, k = m.modules[1].modules[1], n.modules[1].modules[1]
        return torch.type(k.weight), k.output:nElement(), k.gradWeight:nElement(),
               (k.weight:double() - l.weight):abs():max(),
               torch.type(l.weight), l.output:nElement(), l.gradWeight:nElement(),
               (n:forward(x:float()):double() - m:forward(x)):abs():max()
    """)
    assert found[:3] == ("torch.FloatTensor", 0, 0)
    assert found[3] < 1e-7
    assert found[4:7] == ("torch.DoubleTensor", 4, 6)
    assert found[7] < 1e-6


HOLDS_ITSELF = {
    "a field": "m.me = m",
    "a table": "m.t = {{m}}",
    "a module inside": "m.modules[1].parent = m",
    "a child": "m.modules[1]:add(m)",
    "its container": "m.up = nn.Sequential():add(m)",
}


@pytest.mark.one_runtime
@pytest.mark.parametrize("how", ["m:clone()", "m:sharedClone()", "torch.serialize(m)", "python"])
@pytest.mark.parametrize("loop", HOLDS_ITSELF.values(), ids=HOLDS_ITSELF)
def test_a_serial_that_holds_itself_cannot_be_saved(
    runtime: Runtime, tmp_path: Path, loop: str, how: str
) -> None:
    """The original's stack overflows."""
    runtime.execute(SERIAL + loop)
    save = partial(torch7py.save, runtime.globals["m"], tmp_path / "m.t7")
    with pytest.raises((LuaError, TorchError), match="what it holds leads back to it"):
        save() if how == "python" else runtime.execute(how)


LAYERS = {
    "nn.ReinforceNormal(0.3)": "torch.rand(2, 4)",
    "nn.ReinforceCategorical()": "torch.rand(2, 4)",
    "nn.ReinforceGamma(2)": "torch.rand(2, 4) + 1",
    "nn.Clip(-0.5, 0.5)": "torch.randn(2, 4)",
    "nn.ArgMax(2)": "torch.randn(2, 4)",
    "nn.TotalDropout(0.5)": "torch.randn(2, 4)",
    "nn.SpatialRegionDropout(0.3)": "torch.randn(2, 3, 9, 9)",
    "nn.SpatialUniformCrop(4, 3)": "torch.randn(2, 3, 9, 9)",
    "nn.SpatialUniformCrop(4, 4, {min=0.8, max=1.2})": "torch.randn(2, 3, 12, 12)",
    "nn.SimpleColorTransform(3, torch.ones(3))": "torch.randn(2, 3, 4, 4)",
    "nn.PCAColorTransform(3, torch.eye(3), torch.ones(3))": "torch.randn(2, 3, 4, 4)",
    "nn.SpatialFeatNormalization(torch.ones(3))": "torch.randn(2, 3, 4, 4)",
    "nn.SpatialGlimpse(3, 2)": "{torch.randn(2, 3, 8, 8), torch.rand(2, 2)}",
    "nn.SpatialBinaryConvolution(3, 2, 3, 3)": "torch.randn(2, 3, 6, 6)",
    "nn.Inception{inputSize=3, outputSize={2, 2}, reduceSize={2, 2, 2, 2}}": "torch.randn(2, 3, 6, 6)",
    "nn.FireModule(3, 2, 2, 2)": "torch.randn(2, 3, 6, 6)",
    "nn.NCEModule(3, 6, 2, torch.ones(6), 1)": "{torch.randn(2, 3), torch.LongTensor{2, 5}}",
    "nn.CategoricalEntropy(0.5)": "torch.rand(2, 4)",
    "nn.ReverseTable()": "{torch.ones(1), torch.ones(2)}",
}


@pytest.mark.one_runtime
@pytest.mark.parametrize("how", ["m:clone()", "torch.deserialize(torch.serialize(m))", "python"])
@pytest.mark.parametrize("make", LAYERS)
def test_copies_and_saved_layers_go_on_as_the_layer_would(
    runtime: Runtime, tmp_path: Path, make: str, how: str
) -> None:
    runtime.execute(f"require 'dpnn' torch.manualSeed(1) m = {make} x = {LAYERS[make]} m:forward(x)")
    if how == "python":
        torch7py.save(runtime.globals["m"], tmp_path / "m.t7")
        runtime.globals["n"] = torch7py.load(tmp_path / "m.t7")
    else:
        runtime.execute(f"n = {how}")
    same, text, kind = runtime.execute("""
        local function equal(a, b)
           if torch.isTensor(a) then return torch.type(a) == torch.type(b) and a:equal(b) end
           if type(a) ~= 'table' or #a ~= #b then return false end
           for i = 1, #a do if not equal(a[i], b[i]) then return false end end
           return true
        end
        local outs = {}
        for i, l in ipairs{m, n} do
           if l.reinforce then l:reinforce(torch.Tensor{1, 2}) end
           torch.manualSeed(6)
           local y = l:forward(x)
           local g = torch.type(y) == 'table' and y or y:clone()
           outs[i] = {y, l:backward(x, g), select(2, l:parameters()) or {}}
        end
        return equal(outs[1], outs[2]), tostring(m) == tostring(n), torch.type(m) == torch.type(n)
    """)
    assert (same, text, kind) == (True, True, True)


def test_a_class_of_a_script_may_keep_modules_without_being_a_container(
    runtime: Runtime, tmp_path: Path
) -> None:
    """Its modules are called by it alone; type(), apply, clipping, clones and files know of them."""
    found = lua(
        runtime,
        """
        require 'dpnn'
        local Mine = torch.class('nn.Mine', 'nn.Module')
        function Mine:__init()
           nn.Module.__init(self)
           self.inner, self.hidden = nn.Linear(2, 2), nn.Linear(2, 2)
           self.modules = {self.inner}
        end
        function Mine:updateOutput(x)
           self.output = self.inner:updateOutput(x)
           return self.output
        end
        m = nn.Sequential():add(nn.Mine())
        x = torch.ones(2)
        m:forward(x)
        local n = 0
        m:apply(function() n = n + 1 end)
        m:get(1).inner.weight:fill(3)
        m:maxParamNorm(1)
        local c = m:clone()
        c:float()
        return n, m:get(1).inner.weight:norm(2, 2):max(), torch.type(c:get(1).inner.weight),
               torch.type(c:get(1).hidden.weight),
               rawequal(c:get(1).inner, c:get(1).modules[1]), torch.type(m:get(1).hidden.weight)
        """,
    )
    assert found[0] == 3
    assert found[1] == pytest.approx(1)
    assert found[2:] == ("torch.FloatTensor", "torch.FloatTensor", True, "torch.DoubleTensor")
    torch7py.save(runtime.globals["m"], tmp_path / "m.t7")
    runtime.globals["n"] = torch7py.load(tmp_path / "m.t7")
    assert runtime.execute("return #n:get(1).modules, n:forward(x):equal(m:forward(x))") == (1, True)
    runtime.execute("n = torch.deserialize(torch.serialize(m))")
    assert runtime.execute("return #n:get(1).modules, n:forward(x):equal(m:forward(x))") == (1, True)


def test_versions_that_programs_ask_for() -> None:
    text = "return dpnn.version, nn.NCEModule.version, nn.NCEModule(2, 3, 1, torch.ones(3)).version"
    with Runtime() as runtime:
        assert runtime.execute(f"require 'dpnn' {text}") == (2, 6, 6)
