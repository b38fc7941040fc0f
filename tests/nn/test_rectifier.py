"""The activations around ReLU: what the golden cases leave out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.golden_cases import Case, assert_close, load
from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.rectifier import ELU, LeakyReLU, PReLU, ReLU, ReLU6, RReLU, Threshold

Function = Callable[[float], float]

FUNCTIONS: list[tuple[Callable[[], Any], Function]] = [
    (ReLU, lambda x: max(x, 0)),
    (ReLU6, lambda x: min(max(x, 0), 6)),
    (Threshold, lambda x: x if x > 1e-6 else 0),
    (lambda: Threshold(0.3, -5), lambda x: x if x > 0.3 else -5),
    (ELU, lambda x: x if x > 0 else math.expm1(x)),
    (lambda: ELU(2), lambda x: x if x > 0 else 2 * math.expm1(x)),
    (LeakyReLU, lambda x: x if x > 0 else x / 100),
    (lambda: LeakyReLU(-0.2), lambda x: x if x > 0 else -0.2 * x),
    (PReLU, lambda x: x if x > 0 else x / 4),
    (lambda: RReLU().eval(), lambda x: x if x > 0 else x * (1 / 8 + 1 / 3) / 2),
]


@pytest.mark.parametrize(("make", "function"), FUNCTIONS)
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 1, 3, 2)])
def test_values_and_gradients(make: Callable[[], Any], function: Function, shape: tuple[int, ...]) -> None:
    x = 8 * values(*shape)
    output = assert_faces_agree(make(), x)
    expected = torch.tensor([function(number) for number in x.flatten().tolist()], dtype=torch.float64)
    torch.testing.assert_close(output, expected.reshape(shape), rtol=1e-13, atol=1e-15)


IN_PLACE = ["Threshold(0.2, -1, true)", "ReLU(true)", "ReLU6(true)", "ELU(0.5, true)", "LeakyReLU(0.1, true)"]


@pytest.mark.one_runtime
@pytest.mark.parametrize("layer", [*IN_PLACE, "RReLU(0.2, 0.2, true)"])
@pytest.mark.parametrize("turned", [False, True])
def test_in_place_is_the_same_in_the_input_and_the_gradient(
    runtime: Runtime, layer: str, turned: bool
) -> None:
    """Against the same layer with inplace off, on the same numbers."""
    x, g = 8 * values(3, 4), values(3, 4, start=0.9)
    runtime.globals["x"] = x.clone().t().contiguous().t() if turned else x.clone()
    runtime.globals["g"] = g.clone()
    runtime.globals["x0"], runtime.globals["g0"] = x, g
    y, d, y0, d0, same = lua(
        runtime,
        f"""
        local m, plain = nn.{layer}, nn.{layer}
        plain.inplace = false
        local y, y0 = m:forward(x), plain:forward(x0)
        local d, d0 = m:backward(x, g), plain:backward(x0, g0)
        return x, g, y0, d0, y:storage() == x:storage() and d:storage() == g:storage()
        """,
    )
    assert same
    assert torch.equal(y, y0)
    assert torch.equal(d, d0)


def test_elu_in_place_as_recorded(runtime: Runtime) -> None:
    """The recorded gradients are those after the backward, so they are drawn anew, as the "
    "original drew them."""
    recorded = next(c for c in load("nn_modules") if c["expr"] == "nn.ELU(0.3,true)")
    case = Case(runtime, recorded)
    case.make()
    assert case.get("tostring(m)") == recorded["tostring"]
    for forward, backward, suffix, scale in ((2000, 3000, "", 1), (4000, 5000, "2", recorded["scale2"])):
        case.seed(1000)
        case.runtime.execute("input = torch.randn(3, 4)")
        assert_close(case.get("input"), recorded["input"], 0, "input")
        case.seed(forward)
        assert_close(case.get("m:forward(input)"), recorded["output" + suffix], 1e-11, "output")
        case.seed(backward)
        case.runtime.execute("g = torch.randn(3, 4)")
        found = case.get(f"m:backward(input, g, {scale})")
        assert_close(found, recorded["gradInput" + suffix], 1e-11, "gradInput")


def test_a_negative_slope_is_never_in_place(runtime: Runtime) -> None:
    assert lua(runtime, "return nn.LeakyReLU(-0.1, true).inplace, nn.LeakyReLU(0, true).inplace") == (
        False,
        True,
    )


def test_leaky_relu_with_a_boolean_for_a_slope(runtime: Runtime) -> None:
    assert lua(runtime, "local m = nn.LeakyReLU(true) return m.negval, m.inplace") == (0.01, False)


def test_gradients_at_the_limits() -> None:
    x = torch.tensor([0.0, 6.0, 3.0], dtype=torch.float64)
    g = torch.ones_like(x)
    for layer, expected in ((ReLU6(), [0, 0, 1]), (ReLU(), [0, 1, 1]), (LeakyReLU(0.5), [0.5, 1, 1])):
        layer.updateOutput(x)
        assert layer.updateGradInput(x, g).tolist() == expected


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_prelu_by_plane(shape: tuple[int, ...]) -> None:
    layer = PReLU(3)
    layer.weight.data.copy_(torch.tensor([0.1, 0.2, 0.3]))
    x = values(*shape)
    output = assert_faces_agree(layer, x)
    planes = 1 if len(shape) > 1 else 0
    for plane, slope in enumerate((0.1, 0.2, 0.3)):
        part = x.select(planes, plane)
        expected = torch.where(part > 0, part, part * torch.tensor(slope).double())
        torch.testing.assert_close(output.select(planes, plane), expected, rtol=1e-6, atol=0)


RRELU = """
torch.manualSeed(5)
local m = nn.RReLU(0.25, 0.75)
local x = torch.Tensor{-1, 2, -3, -4}
y = m:forward(x):clone()
d = m:backward(x, torch.ones(4)):clone()
torch.manualSeed(5)
"""


def test_rrelu_draws_for_elements_not_above_zero(runtime: Runtime) -> None:
    output, gradient, slopes = lua(
        runtime,
        RRELU + "return y, d, {torch.uniform(.25, .75), torch.uniform(.25, .75), torch.uniform(.25, .75)}",
    )
    one, two, three = slopes
    assert output.tolist() == [-one, 2, -3 * two, -4 * three]
    assert gradient.tolist() == [one, 1, two, three]


def test_rrelu_keeps_its_slopes(runtime: Runtime) -> None:
    noise, output, size = lua(
        runtime,
        """
        local m, x = nn.RReLU(), torch.Tensor{-1, 2, -3}
        local y = m:forward(x):clone()
        local noise = m.noise:clone()
        m:clearState()
        return noise, y, m.noise:nElement()
        """,
    )
    assert torch.equal(noise * torch.tensor([-1.0, 2.0, -3.0], dtype=torch.float64), output)
    assert size == 0


def test_rrelu_from_python_has_the_gradient_of_its_slopes() -> None:
    layer = RReLU()
    x = values(20).requires_grad_()
    output = layer(x)
    output.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad * x, output)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.Threshold(0, 1, true)", "nn.Threshold: in place the value must not be above the threshold"),
        ("nn.ReLU(1)", "nn.Threshold: inplace must be true or false"),
        ("nn.RReLU(0.5, 0.1)", "nn.RReLU: l must be at least 0 and at most u"),
        ("nn.PReLU(3):forward(torch.ones(2, 4))", "nn.PReLU: the input of 2x4 has 4 planes, not 3"),
        ("nn.ELU():backward(torch.ones(2), torch.ones(2))", "nn.ELU: a backward without a forward"),
        (
            "nn.ReLU():backward(torch.ones(2), torch.ones(3))",
            "nn.ReLU: gradOutput has 3 elements (3), not 2 (2)",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected


def test_prelu_with_a_gradient_of_the_wrong_size(runtime: Runtime) -> None:
    assert lua_error(runtime, "nn.PReLU():backward(torch.ones(2), torch.ones(3))")
