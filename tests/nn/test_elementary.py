"""Powers, roots and logarithms: what the golden cases leave out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.elementary import Abs, Exp, Log, Power, Sqrt, Square

Function = Callable[[float], float]

FUNCTIONS: list[tuple[Callable[[], Any], Function, bool]] = [
    (Abs, abs, False),
    (Exp, math.exp, False),
    (Square, lambda x: x * x, False),
    (lambda: Power(3), lambda x: x**3, False),
    (Log, math.log, True),
    (Sqrt, math.sqrt, True),
    (lambda: Power(0.5), math.sqrt, True),
    (lambda: Power(-2), lambda x: x**-2, True),
]


@pytest.mark.parametrize(("make", "function", "positive"), FUNCTIONS)
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 1, 3, 2)])
def test_values_and_gradients(
    make: Callable[[], Any], function: Function, positive: bool, shape: tuple[int, ...]
) -> None:
    x = values(*shape).abs() + 0.1 if positive else 2 * values(*shape)
    output = assert_faces_agree(make(), x)
    expected = torch.tensor([function(number) for number in x.flatten().tolist()], dtype=torch.float64)
    torch.testing.assert_close(output, expected.reshape(shape), rtol=1e-13, atol=0)


@pytest.mark.parametrize(("make", "function", "positive"), FUNCTIONS)
def test_results_have_no_gaps(make: Callable[[], Any], function: Function, positive: bool) -> None:
    layer, x = make(), values(4, 3).abs().t()
    assert layer.updateOutput(x).is_contiguous()
    assert layer.updateGradInput(x, values(4, 3).t()).is_contiguous()


def test_slopes_at_zero(runtime: Runtime) -> None:
    found = lua(
        runtime,
        """
        local x, g, found = torch.Tensor{0}, torch.Tensor{3}, {}
        for i, m in ipairs{nn.Abs(), nn.Sqrt(), nn.Square(), nn.Power(2)} do
           m:forward(x)
           found[i] = m:backward(x, g)[1]
        end
        return found
        """,
    )
    assert found == [3, 0, 0, 0]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("nn.Power('a')", "nn.Power: the exponent must be a number"),
        ("nn.Exp():backward(torch.ones(2), torch.ones(2))", "nn.Exp: a backward without a forward"),
        (
            "nn.Log():backward(torch.ones(2), torch.ones(2, 2))",
            "nn.Log: gradOutput has 4 elements (2x2), not 2 (2)",
        ),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, code) == expected


def test_power_needs_an_exponent(runtime: Runtime) -> None:
    assert "argument #1 ('p') is missing" in lua_error(runtime, "nn.Power()")


def test_sqrt_keeps_its_argument(runtime: Runtime) -> None:
    assert lua(
        runtime, "return nn.Sqrt().eps, nn.Sqrt(0.1).eps, nn.Sqrt(0.1):forward(torch.Tensor{4})[1]"
    ) == (0, 0.1, 2)
