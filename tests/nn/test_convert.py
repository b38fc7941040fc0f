"""Copy and Convert: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.convert import Convert, Copy

IMAGES = values(2, 3, 4, 5)


@pytest.mark.parametrize(
    ("shapes", "given", "expected"),
    [
        (("bchw", "bhwc"), IMAGES, lambda x: x.permute(0, 2, 3, 1)),
        (("bchw", "chwb"), IMAGES, lambda x: x.permute(1, 2, 3, 0)),
        (("chw", "whc"), IMAGES, lambda x: x.permute(0, 3, 2, 1)),
        (("chw", "hwc"), IMAGES[0], lambda x: x.permute(1, 2, 0)),
        (("bchw", "bf"), IMAGES, lambda x: x.reshape(2, 60)),
        (("chwb", "bf"), IMAGES, lambda x: x.transpose(0, 3).reshape(5, 24)),
        (("fb", "bf"), values(3, 4), lambda x: x.t()),
        (("chw", "f"), IMAGES[0], lambda x: x.reshape(60)),
        (("b", "bf"), values(4), lambda x: x.reshape(4, 1)),
        (("b", "bt"), values(4), lambda x: x.reshape(4, 1)),
        (("bt", "b"), values(4, 3), lambda x: x[:, 0]),
        (("fb", "b"), values(1, 4), lambda x: x[0]),
    ],
)
def test_orders(
    shapes: tuple[str, str], given: torch.Tensor, expected: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    output = assert_faces_agree(Convert(*shapes), given)
    assert torch.equal(output, expected(given))


def test_convert_gives_the_type_of_the_layer(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.Convert('bf', 'fb'):float(), torch.LongTensor{{1, 2, 3}}
        local o = m:forward(x)
        local g = m:backward(x, o)
        return torch.type(o), o:size(1), o[3][1], torch.type(g), g[1][3], torch.type(m.converter), #m.modules
        """
    ) == ("torch.FloatTensor", 3, 3, "torch.FloatTensor", 3, "nn.Transpose", 1)


def test_copy_between_types(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.Copy('torch.LongTensor', 'torch.DoubleTensor'), torch.LongTensor{1, 2}
        local o = m:forward(x)
        local g = m:backward(x, o * 3)
        return torch.type(o), o[2], torch.type(g), g[2]
        """
    ) == ("torch.DoubleTensor", 2, "torch.LongTensor", 6)


def test_copy_of_one_type_hands_the_input_on(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local x, as_is, forced = torch.ones(2), nn.Copy(), nn.Copy(nil, nil, true)
        return rawequal(as_is:forward(x), x), as_is.output:storage() == x:storage(),
           rawequal(as_is:updateGradInput(x, x), x), forced:forward(x):storage() == x:storage(),
           forced:backward(x, x):storage() == x:storage()
        """
    ) == (True, True, True, False, False)
    assert_faces_agree(Copy(None, None, True), values(2, 3))


def test_copy_with_dont_cast(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local kept = nn.Copy('torch.DoubleTensor', 'torch.FloatTensor', false, true)
        local cast = nn.Copy('torch.DoubleTensor', 'torch.FloatTensor')
        nn.Sequential():add(kept):add(cast):double()
        return torch.type(kept.output), torch.type(cast.output)
        """
    ) == ("torch.FloatTensor", "torch.DoubleTensor")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.Convert(nil, 'bf')", "nn.Convert: an output shape without an input shape"),
        ("nn.Convert('b*', 'bf')", r"nn.Convert: both shapes or neither must be 'b\*'"),
        ("nn.Convert('bf', 'bt'):forward(x)", "nn.Convert cannot convert shape bf to bt"),
        ("nn.Convert('bf', 'b'):forward(x)", "nn.Convert cannot convert shape bf to b"),
        ("nn.Convert('bchw', 'bf'):forward(x)", "nn.Convert: an input of 2x3 for 4 dimensions, bchw"),
        ("nn.Convert('bf'):forward{x}", "nn.Convert expects a tensor"),
        ("nn.Copy('torch.FooTensor')", "nn.Copy: unknown tensor type 'torch.FooTensor'"),
        ("nn.Copy():backward(x, torch.ones(5))", "nn.Copy: gradOutput is 5, the output 2x3"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")
