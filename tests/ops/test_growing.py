"""A script may make any of its tensors larger at any time, whoever has computed on its memory.

Memory that numpy has been shown by PyTorch can never grow, nor can memory that is numpy's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops import memory


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as numpy has one, some work goes to it only then
    with Runtime(seed=1) as made:
        yield made
    torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", ["Double", "Float"])
@pytest.mark.parametrize(
    "call",
    [
        "x:tanh()",
        "y:tanh(x)",
        "y = torch.tanh(x)",
        "x:round()",
        "y:round(x)",
        "y = torch.round(x)",
        "y:bernoulli(x)",
        "y, z = x:sort(1)",
        "y, z = x:mode(1)",
        "y, z = x:topk(5, 1)",
        "y = torch.multinomial(x, 10)",
        "z = {torch.multinomialAliasSetup_(x:add(1))} y, z = z[1], z[2]",
        "y = torch.randperm(1000)",
        "y:normal() z = torch.randn(1000)",
        "y = torch.getRNGState()",
    ],
)
def test_operations(runtime: Runtime, call: str, kind: str) -> None:
    runtime.execute(
        f"""
        local x = torch.{kind}Tensor(200000):copy(torch.linspace(0, 1, 200000))
        local y, z = x:clone(), nil
        {call}
        for _, t in ipairs {{x, y, z}} do t:resize(3 * t:nElement() + 1) end
        """
    )


def test_packages(runtime: Runtime, tmp_path: Path) -> None:
    runtime.globals["path"] = str(tmp_path / "x.h5")
    runtime.execute(
        """
        local x, tensors = torch.DoubleTensor(40, 50):fill(0.5), {}
        local function grows(t) tensors[#tensors + 1] = t end
        grows(x)
        cephes, randomkit = require 'cephes', require 'randomkit'
        grows(cephes.ndtr(x))
        grows(randomkit.normal(torch.Tensor(5), x:narrow(1, 1, 1):narrow(2, 1, 5):contiguous(), 1))
        local file = require('hdf5').open(path, 'w')
        file:write('x', x)
        grows(file:read('x'):all())
        file:close()
        local image = require 'image'
        local bytes = image.compressJPG(x)
        grows(bytes)
        grows(image.decompressJPG(bytes))
        for i, t in ipairs(tensors) do t:resize(3 * t:nElement() + 1) end
        """
    )


@pytest.mark.parametrize(
    "x",
    [
        torch.rand(3, 4, dtype=torch.float64),
        torch.rand(4, 5)[1:3, ::2].t(),
        torch.arange(12, dtype=torch.int16).view(3, 4).expand(2, 3, 4),
        torch.empty(0, 3),
        torch.rand(7).half(),
    ],
)
def test_arrays_of_tensors(x: torch.Tensor) -> None:
    """The same elements on the same memory, which stays able to grow."""
    found = memory.array_of(x)
    assert np.array_equal(found, np.array(x.tolist(), dtype=found.dtype).reshape(x.shape))
    assert x.untyped_storage().resizable()
    if x.numel():
        found.flat[-1] = 3
        assert x.flatten()[-1] == 3
