"""The activations: what the golden cases leave out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.activation import (
    Clamp,
    GatedLinearUnit,
    HardShrink,
    HardTanh,
    Identity,
    LogSigmoid,
    Sigmoid,
    SoftPlus,
    SoftShrink,
    SoftSign,
    Tanh,
    TanhShrink,
)
from torch7py.ops.errors import TorchError

Function = Callable[[float], float]

# A layer, and what it is of one number.
FUNCTIONS: list[tuple[Callable[[], Any], Function]] = [
    (Identity, lambda x: x),
    (Tanh, math.tanh),
    (Sigmoid, lambda x: 1 / (1 + math.exp(-x))),
    (LogSigmoid, lambda x: -math.log1p(math.exp(-x))),
    (SoftPlus, lambda x: math.log1p(math.exp(x))),
    (lambda: SoftPlus(0.5), lambda x: math.log1p(math.exp(x / 2)) * 2),
    (SoftSign, lambda x: x / (1 + abs(x))),
    (HardTanh, lambda x: min(max(x, -1), 1)),
    (lambda: HardTanh(0.2, 0.9), lambda x: min(max(x, 0.2), 0.9)),
    (lambda: Clamp(-2, 0.5), lambda x: min(max(x, -2), 0.5)),
    (HardShrink, lambda x: x if abs(x) > 0.5 else 0),
    (lambda: SoftShrink(1.5), lambda x: math.copysign(max(abs(x) - 1.5, 0), x)),
    (TanhShrink, lambda x: x - math.tanh(x)),
]


@pytest.mark.parametrize(("make", "function"), FUNCTIONS)
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 1, 3, 2)])
def test_values_and_gradients(make: Callable[[], Any], function: Function, shape: tuple[int, ...]) -> None:
    x = 3 * values(*shape)
    output = assert_faces_agree(make(), x)
    expected = torch.tensor([function(number) for number in x.flatten().tolist()], dtype=torch.float64)
    torch.testing.assert_close(output, expected.reshape(shape), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("make", "function"), FUNCTIONS[1:])
def test_results_have_no_gaps(make: Callable[[], Any], function: Function) -> None:
    layer, x = make(), values(4, 3)
    plain = layer.updateOutput(x).clone()
    turned = layer.updateOutput(x.t())
    assert turned.is_contiguous()
    torch.testing.assert_close(turned, plain.t(), rtol=1e-14, atol=0)
    assert layer.updateGradInput(x.t(), torch.ones(4, 3, dtype=torch.float64).t()).is_contiguous()


@pytest.mark.parametrize(("make", "function"), FUNCTIONS)
def test_gradient_of_the_wrong_size(make: Callable[[], Any], function: Function) -> None:
    layer = make()
    if isinstance(layer, Identity):
        return
    layer.updateOutput(values(3, 4))
    with pytest.raises(TorchError, match=r"gradOutput has 4 elements \(4\), not 12 \(3x4\)"):
        layer.updateGradInput(values(3, 4), values(4))
    with pytest.raises(TorchError, match=r"gradOutput is a torch.FloatTensor, not a torch.DoubleTensor"):
        layer.updateGradInput(values(3, 4), values(3, 4).float())


def test_the_gradient_has_another_shape_than_the_input(runtime: Runtime) -> None:
    sizes = lua(
        runtime,
        "local m = nn.Sigmoid() m:forward(torch.rand(3, 4)) return m:backward(torch.rand(3, 4), "
        "torch.ones(12)):size()",
    )
    assert sizes.sizes() == (3, 4)


@pytest.mark.parametrize("layer", ["Tanh", "Sigmoid", "SoftPlus"])
def test_backward_needs_a_forward(runtime: Runtime, layer: str) -> None:
    message = lua_error(runtime, f"nn.{layer}():backward(torch.ones(3), torch.ones(3))")
    assert message == f"nn.{layer}: a backward without a forward"


def test_gradient_at_the_limits_of_hard_tanh() -> None:
    x = torch.tensor([-1.0, -0.5, 1.0], dtype=torch.float64)
    layer = HardTanh()
    layer.updateOutput(x)
    assert layer.updateGradInput(x, torch.full_like(x, 7)).tolist() == [0, 7, 0]


def test_soft_plus_is_linear_above_its_threshold(runtime: Runtime) -> None:
    code = "local m, x = nn.SoftPlus(2), torch.Tensor{1000, 11, -1000} return m:forward(x), m:backward(x, x)"
    output, gradient = lua(runtime, code)
    assert output.tolist() == [1000, 11, 0]
    assert gradient.tolist() == [1000, 11, 0]


def test_hard_tanh_in_place(runtime: Runtime) -> None:
    same, output, gradient = lua(
        runtime,
        """
        local m = nn.HardTanh(nil, nil, true)
        local x, g = torch.Tensor{-3, 0.5, 3}, torch.Tensor{1, 2, 3}
        local y = m:forward(x)
        local d = m:backward(x, g)
        return y:storage() == x:storage() and d:storage() == g:storage(), x, g
        """,
    )
    assert same
    assert output.tolist() == [-1, 0.5, 1]
    assert gradient.tolist() == [0, 2, 0]


def test_options_left_out(runtime: Runtime) -> None:
    found = lua(
        runtime,
        "local m = nn.HardTanh(nil, 2) return m.min_val, m.max_val, m.inplace, "
        "nn.SoftShrink().lambda, nn.SoftPlus(nil).beta",
    )
    assert found == (-1, 2, False, 0.5, 1)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.HardTanh(1, 1)", "nn.HardTanh: max must be larger than min"),
        ("nn.HardTanh(0, 1, 1)", "nn.HardTanh: inplace must be true or false"),
        ("nn.SoftPlus('a')", "nn.SoftPlus: beta must be a number"),
        ("nn.HardShrink(true)", "nn.HardShrink: lambda must be a number"),
        (
            "nn.GatedLinearUnit():forward(torch.ones(2, 3))",
            "nn.GatedLinearUnit: dimension 2 of 2x3 must be even",
        ),
        (
            "nn.GatedLinearUnit(3):forward(torch.ones(2, 4))",
            "nn.GatedLinearUnit: an input of 2x4 has no dimension 3",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected


def test_tanh_shrink_holds_a_tanh(runtime: Runtime) -> None:
    name, output = lua(
        runtime,
        "local m = nn.TanhShrink() m:forward(torch.Tensor{0.5}) return torch.type(m.tanh), m.tanh.output[1]",
    )
    assert name == "nn.Tanh"
    assert output == pytest.approx(math.tanh(0.5), rel=1e-15)


@pytest.mark.parametrize(("dim", "shape"), [(None, (3, 4)), (1, (4, 3)), (2, (2, 4, 3)), (None, (6,))])
def test_gated_linear_unit(dim: int | None, shape: tuple[int, ...]) -> None:
    x = values(*shape)
    output = assert_faces_agree(GatedLinearUnit(dim), x)
    along = len(shape) - 1 if dim is None else dim - 1
    half = shape[along] // 2
    value, gate = x.narrow(along, 0, half), x.narrow(along, half, half)
    torch.testing.assert_close(output, value / (1 + (-gate).exp()))


def test_identity_lets_go_of_its_input(runtime: Runtime) -> None:
    same, size = lua(
        runtime,
        "local m, x = nn.Identity(), torch.ones(3) local y = m:forward(x) m:clearState() return "
        "rawequal(x, y), x:nElement()",
    )
    assert same
    assert size == 3
