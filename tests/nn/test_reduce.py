"""Sum, Mean, Max and Min: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.reduce import Max, Mean, Min, Sum


@pytest.mark.parametrize(
    ("make", "sizes", "expected"),
    [
        (lambda: Sum(), (5,), lambda x: x.sum().reshape(1)),
        (lambda: Sum(-2), (2, 3, 4), lambda x: x.sum(1)),
        (lambda: Sum(1, 2), (5, 3, 4), lambda x: x.sum(1)),
        (lambda: Sum(1, 2), (3, 4), lambda x: x.sum(0)),
        (lambda: Sum(2, None, True, False), (3, 4), lambda x: x.mean(1, keepdim=True)),
        (lambda: Mean(), (4,), lambda x: x.mean().reshape(1)),
        (lambda: Mean(-1), (3, 4), lambda x: x.mean(1)),
        (lambda: Max(), (5,), lambda x: x.amax().reshape(1)),
        (lambda: Max(2), (2, 3, 4), lambda x: x.amax(1)),
        (lambda: Max(1, 1), (3, 4), lambda x: x.amax(1)),
        (lambda: Min(), (5,), lambda x: x.amin().reshape(1)),
        (lambda: Min(-1), (2, 3, 4), lambda x: x.amin(2)),
        (lambda: Min(1, 2), (2, 3, 4), lambda x: x.amin(1)),
    ],
)
def test_values_and_gradients(
    make: Callable[[], Any], sizes: tuple[int, ...], expected: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    output = assert_faces_agree(make(), values(*sizes))
    torch.testing.assert_close(output, expected(values(*sizes)), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("make", [Max, Min])
def test_of_equal_elements_the_first_has_the_gradient(make: Callable[[int], Any]) -> None:
    layer = make(2)
    given = torch.tensor([[2.0, 2.0, 2.0]], dtype=torch.float64)
    layer.updateOutput(given)
    assert layer.backward(given, torch.tensor([5.0], dtype=torch.float64)).tolist() == [[5, 0, 0]]


def test_the_gradients_of_a_sum_are_memory_of_their_own(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.Sum(1), torch.ones(2, 3)
        local g = m:backward(x, m:forward(x))
        g[1]:fill(0)
        return g[2]:sum(), m.output:sum()
        """
    ) == (6, 6)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.Sum(3):forward(x)", "nn.Sum: no dimension 3 in an input of 2 dimensions"),
        ("nn.Mean(-3):forward(x)", "nn.Mean: no dimension -3 in an input of 2 dimensions"),
        ("nn.Max(2):forward(torch.ones(3))", "nn.Max: no dimension 2 in an input of 1 dimensions"),
        ("nn.Min(1):forward(torch.Tensor())", "nn.Min: no dimension 1 in an input of 0 dimensions"),
        ("nn.Sum(1):backward(x, x)", "nn.Sum: gradOutput is 2x3, the output 1x3"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")
