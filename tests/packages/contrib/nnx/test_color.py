"""SpatialColorTransform beside its matrices."""

from __future__ import annotations

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.packages.contrib.nnx.color import MATRICES, SpatialColorTransform


@pytest.mark.parametrize("transform", MATRICES)
def test_a_matrix_of_planes(transform: str) -> None:
    matrix = torch.tensor(MATRICES[transform], dtype=torch.float64)
    output = assert_faces_agree(SpatialColorTransform(transform), values(3, 2, 4))
    torch.testing.assert_close(
        output, torch.einsum("ok,khw->ohw", matrix, values(3, 2, 4)), rtol=1e-14, atol=1e-15
    )


def test_there_and_back_and_what_is_white() -> None:
    there, back = SpatialColorTransform("rgb2yuv"), SpatialColorTransform("yuv2rgb")
    x = values(3, 4, 5)
    torch.testing.assert_close(back(there(x)), x, rtol=0, atol=1e-4)
    yuv = there(torch.ones(3, 1, 1, dtype=torch.float64)).flatten()
    torch.testing.assert_close(yuv, torch.tensor([1.0, 0, 0], dtype=torch.float64), rtol=0, atol=1e-4)


def test_in_a_script(runtime: Runtime) -> None:
    parameters, kind, planes = lua(
        runtime,
        """
        require 'nnx'
        local m = nn.Sequential():add(nn.SpatialColorTransform('rgb2y')):float()
        local y = m:forward(torch.FloatTensor(3, 2, 2):fill(1))
        m:backward(torch.FloatTensor(3, 2, 2):fill(1), y)
        return #m:parameters(), torch.type(y), y:size(1)
        """,
    )
    assert (parameters, kind, planes) == (0, "torch.FloatTensor", 1)
    assert "package image" in lua_error(runtime, "require 'nnx' nn.SpatialColorTransform('rgb2hsv')")
    assert "rgb2nrgb" in lua_error(runtime, "require 'nnx' nn.SpatialColorTransform('gray')")
