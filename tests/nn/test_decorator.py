"""Containers around one module: what the golden cases leave out."""

from __future__ import annotations

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import Tanh
from torch7py.nn.decorator import GPU, Bottle, Decorator, DontCast
from torch7py.nn.linear import Linear
from torch7py.nn.reduce import Sum


@pytest.mark.parametrize("make", [Decorator, DontCast, lambda module: GPU(module, 1)])
def test_a_decorator_does_what_its_module_does(make: type[Decorator]) -> None:
    module = Linear(3, 2)
    output = assert_faces_agree(make(module), values(4, 3))
    torch.testing.assert_close(output, module(values(4, 3)).detach())


@pytest.mark.parametrize(
    ("layer", "sizes", "expected"),
    [
        (lambda: Bottle(Linear(3, 2)), (4, 3), (4, 2)),
        (lambda: Bottle(Linear(3, 2)), (3,), (2,)),
        (lambda: Bottle(Linear(3, 2)), (2, 4, 5, 3), (2, 4, 5, 2)),
        (lambda: Bottle(Sum(2), 2, 1), (4, 5, 3), (4, 5)),
        (lambda: Bottle(Tanh(), 3), (2, 4, 5, 3), (2, 4, 5, 3)),
        (lambda: Bottle(Sum(3), 3, 2), (2, 4, 5, 3), (2, 4, 5)),
    ],
)
def test_bottle(layer, sizes: tuple[int, ...], expected: tuple[int, ...]) -> None:
    output = assert_faces_agree(layer(), values(*sizes))
    assert tuple(output.shape) == expected


def test_bottle_without_a_gradient_below(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.Bottle(nn.Linear(3, 2)), torch.ones(2, 4, 3)
        m:get(1).gradInput = nil
        m:zeroGradParameters()
        m:forward(x)
        return m:backward(x, torch.ones(2, 4, 2)), m:get(1).gradBias[1]
        """
    ) == (None, 8)


def test_dont_cast_keeps_the_type_of_the_module(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.Sequential():add(nn.DontCast(nn.Linear(3, 2), true)):add(nn.Linear(2, 1)):float()
        local x = torch.FloatTensor(4, 3):fill(1)
        local o = m:forward(x)
        local g = m:backward(x, o)
        local inner = m:get(1):get(1)
        return torch.type(inner.weight), torch.type(inner.output), torch.type(m:get(1).output), torch.type(o),
           torch.type(g)
        """
    ) == (
        "torch.DoubleTensor",
        "torch.DoubleTensor",
        "torch.FloatTensor",
        "torch.FloatTensor",
        "torch.FloatTensor",
    )


def test_dont_cast_by_the_type_given(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.DontCast(nn.Linear(3, 2):float(), true, true, 'torch.FloatTensor')
        local x = torch.ones(4, 3)
        local o = m:forward(x)
        m:zeroGradParameters()
        local g = m:backward(x, o:clone():fill(1))
        return torch.type(o), torch.type(g), m:get(1).gradBias[1], m.moduleType
        """
    ) == ("torch.DoubleTensor", "torch.DoubleTensor", 4, "torch.FloatTensor")


def test_dont_cast_from_python() -> None:
    layer = DontCast(Linear(3, 2), True)
    layer.to(torch.float32)
    assert {p.dtype for p in layer.parameters()} == {torch.float64}
    assert layer(torch.ones(4, 3)).dtype == torch.float64


def test_text(runtime: Runtime) -> None:
    assert runtime.execute(
        "require 'nn' local m = nn.GPU(nn.Tanh(), 2) return tostring(m), tostring(nn.Decorator(nn.Tanh())), m.outdevice"
    ) == ("nn.GPU(2) @ nn.Tanh", "nn.Decorator @ nn.Tanh", 2)


def test_a_decorator_derived_in_lua(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local Half, parent = torch.class('nn.Half', 'nn.Decorator')
        function Half:updateOutput(x) return parent.updateOutput(self, x / 2) end
        local m = nn.Sequential():add(nn.Half(nn.Identity()))
        return m:forward(torch.ones(2))[1], tostring(m:get(1))
        """
    ) == (0.5, "nn.Half @ nn.Identity")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.Decorator(3)", "nn.Decorator:add expects a module"),
        (
            "nn.Bottle(nn.Sum(2)):forward(torch.ones(2, 2, 3))",
            "nn.Bottle: the module gave 4, not 2 dimensions",
        ),
        ("nn.Bottle(nn.Sum(1), 2, 1):forward(torch.ones(2, 2, 3))", "nn.Bottle: cannot view 3 as 2x1"),
        ("b:backward(torch.ones(2, 2, 3), torch.ones(5))", "nn.Bottle: gradOutput is 5, the output 4x2"),
        (
            "nn.DontCast(nn.Identity(), true, true, 'torch.Foo'):forward(x)",
            "nn.DontCast: unknown tensor type 'torch.Foo'",
        ),
        ("nn.GPU(nn.Tanh())", r"nn.GPU: argument #2 \('device'\) is missing"),
        ("nn.GPU(nn.Tanh(), 'a')", "nn.GPU: the device must be a number"),
        ("nn.GPU(nn.Tanh(), 1):accUpdateGradParameters(x, x, 1)", "nn.GPU has no accUpdateGradParameters"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    runtime.execute(
        "require 'nn' x = torch.ones(2, 3) b = nn.Bottle(nn.Linear(3, 2)) b:forward(torch.ones(2, 2, 3))"
    )
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"\nlocal r = {code}", "@test.lua")
