"""In-place arithmetic on short vectors, which Lua does itself, against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from torch7py.bridge.runtime import Runtime

CALLS = {
    "x:zero()": lambda x, y: x.zero_(),
    "x:fill(0.1)": lambda x, y: x.fill_(0.1),
    "x:add(0.3)": lambda x, y: x.add_(0.3),
    "x:mul(-1.7)": lambda x, y: x.mul_(-1.7),
    "x:add(y)": lambda x, y: x.add_(y),
    "x:cmul(y)": lambda x, y: x.mul_(y),
    "x:copy(y)": lambda x, y: x.copy_(y),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("size", [1, 7, 32, 33])
def test_a_loop_gives_the_same_bits(runtime: Runtime, call: str, size: int) -> None:
    rng = np.random.default_rng(size)
    x = torch.from_numpy(rng.normal(size=size))
    y = torch.from_numpy(rng.normal(size=size))
    expected = x.clone()
    for _ in range(5):
        CALLS[call](expected, y)
    runtime.globals["x"], runtime.globals["y"] = x, y
    assert runtime.execute(f"for i = 1, 5 do assert(rawequal({call}, x)) end") is None
    assert torch.equal(x, expected)


def test_views_and_other_shapes_keep_to_their_elements(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        local m = torch.zeros(3, 4)
        local column, row = m:select(2, 2), m:select(1, 2)
        for i = 1, 3 do column:add(1) row:add(10) end
        return m:sum(), m[2][2], m[1][2], m[2][4]
        """
    ) == (3 * 3 + 4 * 30, 33, 3, 30)


def test_a_moved_storage_is_found_again(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        local x = torch.ones(3)
        for i = 1, 4 do x:add(1) end
        x:resize(5):zero()
        for i = 1, 4 do x:add(1) end
        local y = torch.ones(5)
        x:set(y)
        for i = 1, 4 do x:add(1) end
        return y[5], x:sum()
        """
    ) == (5, 25)


def test_wrong_operands_are_still_errors(runtime: Runtime) -> None:
    for call in (
        "x:add(torch.ones(4))",
        "x:add(torch.FloatTensor(3))",
        "x:copy(torch.ones(4))",
        "x:cmul('a')",
    ):
        assert (
            runtime.execute(
                f"local x = torch.ones(3) for i = 1, 3 do x:mul(1) end return (pcall(function() {call} end))"
            )
            is False
        )
