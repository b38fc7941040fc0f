"""Constant: what the golden cases leave out."""

from __future__ import annotations

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime


def test_values(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local number, matrix, x = nn.Constant(3), nn.Constant(torch.ones(2, 2), 1), torch.ones(4, 5)
        local o = matrix:forward(x)
        return number:forward(x):nElement(), number.output[1], o:dim(), o:size(1), matrix:forward(x[1]):dim(),
           matrix:backward(x, o):sum(), matrix.gradInput:size(2)
        """
    ) == (1, 3, 3, 4, 2, 0, 5)


def test_the_output_is_a_copy(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.Constant(torch.ones(2))
        m:forward(torch.ones(1)):fill(7)
        m:float()
        return m.value[1], torch.type(m:forward(torch.FloatTensor(1)))
        """
    ) == (1, "torch.FloatTensor")


@pytest.mark.parametrize("argument", ["'x'", "{}", "true"])
def test_bad_value(runtime: Runtime, argument: str) -> None:
    with pytest.raises(LuaError, match=r"^test.lua:2: nn.Constant expects a number or a tensor"):
        runtime.execute(f"require 'nn'\nlocal m = nn.Constant({argument})", "@test.lua")
