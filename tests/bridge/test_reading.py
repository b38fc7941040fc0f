"""Whatever bits lie in memory, what Lua reads of a tensor is a number.

LuaJIT would take some NaNs for values of other types. Files and PyTorch's own kernels make such ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime

DOUBLES = [
    0xFFFFFFFF_FFFFFFFF,
    0xFFFD8000_00001234,
    0xFFF98000_00000000,
    0xFFF90000_00000000,
    0xFFF80000_00000001,
]
DOUBLES += [0xFFF00000_00000001, 0x7FF00000_00000001, 0x7FFFFFFF_FFFFFFFF, 0xFFF80000_00000000]
DOUBLES += [0xFFF7FFFF_FFFFFFFF, 0x7FF7FFFF_FFFFFFFF]  # a computation sets the bit behind the exponent
FLOATS = [
    0xFFBFFFFF,
    0x7FBFFFFF,
    0xFFFFFFFF,
    0xFFCC0000,
    0xFFC00001,
    0xFF800001,
    0x7F800001,
    0x7FFFFFFF,
    0xFFC00000,
]


def from_bits(bits: list[int], stored: torch.dtype, seen: torch.dtype) -> torch.Tensor:
    top = 1 << (8 * stored.itemsize)
    return torch.tensor([b - top if b >= top // 2 else b for b in bits], dtype=stored).view(seen)


NANS = {
    "Double": from_bits(DOUBLES, torch.int64, torch.float64),
    "Float": from_bits(FLOATS, torch.int32, torch.float32),
}
# ways to make the element i of x a number of Lua
WAYS = (
    "x[i]",
    "x[{i}]",
    "x:view(1, -1)[{1, i}]",
    "x:storage()[i]",
    "x:totable()[i]",
    "x:select(1, i)",
    "x:clone()[i]",
    "(x + 1)[i]",
    "torch.cmul(x, x)[i]",
    "x:index(1, torch.LongTensor {i})[1]",
    "x:narrow(1, i, 1):sum()",
    "torch.log(x)[i]",
    "(function() local v x:clone():narrow(1, i, 1):apply(function(e) v = e end) return v end)()",
    "(function() local v x:clone():narrow(1, i, 1):map(x:narrow(1, i, 1), function(e, f) v = f end) return v end)()",
)


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("compiled", [False, True], ids=["interpreted", "compiled"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NANS)
def test_every_nan_is_a_number(rt: Runtime, name: str, way: str, compiled: bool) -> None:
    rt.globals["x"] = NANS[name].clone()
    found = rt.execute(f"""
        local function at(i) return {way} end
        local function look()
            for i = 1, x:size(1) do
                local v = at(i)
                if type(v) ~= 'number' or v == v then return ('%d: %s'):format(i, type(v)) end
                if type(-v) ~= 'number' then return ('minus %d: %s'):format(i, type(-v)) end
            end
        end
        if jit then
            jit.{"on" if compiled else "off"}(at, true)
            jit.{"on" if compiled else "off"}(look)
        end
        for turn = 1, {80 if compiled else 1} do
            local wrong = look()
            if wrong then return wrong end
        end
        return 'numbers'
    """)
    assert found == "numbers"


# a step of a model that Lua computes itself, with the tensor x anywhere in it
STEPS = """
    local n = x:size(1)
    local function step(place, compiled)
        local m = nn.Sequential():add(nn.Linear(n, n)):add({layer}):add(nn.Linear(n, n))
        local c = {criterion}
        local input, target, slopes = torch.randn(n), {target}, torch.randn(n)
        if place == 'input' then input:copy(x) elseif place == 'target' then target:copy(x)
        elseif place == 'slopes' then slopes:copy(x) else
            for _, name in ipairs {{'weight', 'bias', 'gradWeight', 'gradBias'}} do
                if place == name then m:get(3)[name]:view(-1):narrow(1, 1, n):copy(x) end
            end
        end
        for turn = 1, compiled and 80 or 2 do
            m:forward(input)
            if place == 'output' then m:get(1).output:copy(x) m:get(3).output:copy(x) end
            local ok, loss = pcall(c.forward, c, m.output, target)
            if ok and type(loss) ~= 'number' then return 'loss: ' .. type(loss) end
            local has_slope, slope = pcall(c.backward, c, m.output, target)
            m:backward(input, slopes)
            m:updateParameters(0.1)
        end
        for _, tensor in ipairs {{m.output, m.gradInput, m:get(3).weight, m:get(3).gradWeight, c.gradInput}} do
            if tensor:nElement() > 0 and type(tensor:sum()) ~= 'number' then return type(tensor:sum()) end
        end
    end
    local wrong = step(place, compiled)
    return wrong or 'numbers'
"""
SMALL_LAYERS = (
    "nn.Tanh()",
    "nn.Sigmoid()",
    "nn.ReLU()",
    "nn.Threshold(0.1, 0.2)",
    "nn.SoftMax()",
    "nn.LogSoftMax()",
)


@pytest.mark.parametrize("compiled", [False, True], ids=["interpreted", "compiled"])
@pytest.mark.parametrize("name", NANS)
def test_small_models(name: str, compiled: bool) -> None:
    with Runtime() as runtime:
        runtime.execute(f"require 'nn' torch.setdefaulttensortype('torch.{name}Tensor')")
        runtime.execute("" if compiled else "if jit then jit.off() end")
        runtime.globals["x"] = NANS[name].clone()
        runtime.globals["compiled"] = compiled
        for number, layer in enumerate(SMALL_LAYERS):
            of_classes = number % 2 == 0
            criterion = "nn.ClassNLLCriterion()" if of_classes else "nn.MSECriterion()"
            target = "torch.Tensor {1}" if of_classes else "torch.randn(n)"
            step = STEPS.format(layer=layer, criterion=criterion, target=target)
            for place in ("input", "slopes", "output", "weight", "bias", "gradWeight", "gradBias", "target"):
                if place == "target" and of_classes:
                    continue
                runtime.globals["place"] = place
                assert (layer, place, runtime.execute(step)) == (layer, place, "numbers")


def test_what_pytorch_makes(runtime: Runtime) -> None:
    assert runtime.execute("return type(torch.Tensor(4):fill(-3):log1p()[1])") == "number"


@pytest.mark.parametrize("name", ["Double", "Float"])
def test_other_elements_are_what_they_are(rt: Runtime, name: str) -> None:
    values = [0.0, -0.0, 1.5, -1.5, float("inf"), float("-inf"), 1e-42, -1e-42, 3e38, -3e38]
    rt.globals["x"] = torch.tensor(values, dtype=NANS[name].dtype)
    rt.execute("found = {} for i = 1, x:size(1) do found[i] = x[i] end")
    assert list(rt.globals["found"]) == rt.globals["x"].tolist()
