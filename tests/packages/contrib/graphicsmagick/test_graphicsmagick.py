"""graphicsmagick, beside Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.contrib.graphicsmagick.scaling import resize

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def lua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return lambda text: Runtime().execute("local gm = require 'graphicsmagick'\n" + text)


def picture(height: int, width: int, planes: int, seed: int = 1) -> np.ndarray[Any, Any]:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, planes), dtype=np.uint8)
    return values[:, :, 0] if planes == 1 else values


def test_planes_and_types(lua: Any) -> None:
    values = picture(3, 5, 3)
    Image.fromarray(values).save("a.png")
    shaped = lua("return gm.Image('a.png'):toTensor('byte', 'RGB', 'DHW')")
    assert np.array_equal(shaped.numpy(), values.transpose(2, 0, 1))
    assert np.array_equal(lua("return gm.Image('a.png'):toTensor()").numpy(), values)
    floats = lua("return gm.Image('a.png'):toTensor('float', 'BR', 'DHW')")
    assert floats.dtype == torch.float32
    assert torch.equal(floats, torch.from_numpy(values.transpose(2, 0, 1)[[2, 0]] / 255).float())
    bright = lua("return gm.Image('a.png'):toTensor('double', 'I', 'DHW')")
    weights = np.array([306, 601, 117]) / 1024
    assert np.allclose(bright.numpy()[0], values @ weights / 255, atol=1 / 65535)


def test_grey_images(lua: Any) -> None:
    values = picture(4, 3, 1)
    Image.fromarray(values).save("a.png")
    for letters in ("I", "R", "B"):
        assert np.array_equal(
            lua(f"return gm.Image('a.png'):toTensor('byte', '{letters}', 'DHW')")[0].numpy(), values
        )
    assert lua("return gm.Image('a.png'):toTensor('float', 'A', 'DHW'):min()") == 1


def test_parts_and_turns(lua: Any) -> None:
    values = picture(4, 6, 3)
    Image.fromarray(values).save("a.png")
    for call, expected in (
        ("crop(2, 3, 1, 0)", values[0:3, 1:3]),
        ("crop(9, 9, 4, 2)", values[2:, 4:]),
        ("flip()", values[::-1]),
        ("flop()", values[:, ::-1]),
        ("clone():flop():flop()", values),
    ):
        assert np.array_equal(lua(f"return gm.Image('a.png'):{call}:toTensor()").numpy(), expected)


def test_sizes(lua: Any) -> None:
    Image.fromarray(picture(10, 20, 3)).save("a.png")
    for call, expected in (
        ("", (20, 10)),
        ("5, 7", (5, 7)),
        ("10", (10, 5)),
        ("nil, 5", (10, 5)),
        ("nil, 10", (20, 10)),
    ):
        text = f"local i = gm.Image('a.png') {f'i:size({call})' if call else ''} return i:size()"
        assert lua(text) == expected


def test_a_smaller_image_is_nearly_pillow_s() -> None:
    values = np.asarray(Image.fromarray(picture(8, 8, 3)).resize((64, 48), Image.Resampling.BICUBIC))
    ours = resize(torch.from_numpy(values.transpose(2, 0, 1).astype(np.int32) * 257), 20, 17)
    theirs = np.asarray(Image.fromarray(values).resize((20, 17), Image.Resampling.LANCZOS)).transpose(2, 0, 1)
    assert np.abs(ours.numpy() / 257 - theirs).max() < 2


def test_larger_images_by_mitchell() -> None:
    """A step at four times the size: what the filter's values at 1/8, 3/8, ... say."""
    pixels = torch.tensor([[[0, 0, 0, 65535, 65535, 65535]]], dtype=torch.int32)
    row = resize(pixels, 24, 1)[0, 0].double() / 65535

    def mitchell(x: float) -> float:
        b = c = 1 / 3
        x = abs(x)
        if x < 1:
            return ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
        if x < 2:
            return (
                (-b - 6 * c) * x**3 + (6 * b + 30 * c) * x**2 + (-12 * b - 48 * c) * x + 8 * b + 24 * c
            ) / 6
        return 0.0

    for place in (10, 11, 12, 13):
        center = (place + 0.5) / 4
        taken = [mitchell(at + 0.5 - center) for at in range(6)]
        expected = sum(taken[3:]) / sum(taken)
        assert row[place].item() == pytest.approx(min(max(expected, 0), 1), abs=1e-4)
    assert torch.equal(
        resize(torch.full((1, 3, 3), 1000, dtype=torch.int32), 7, 5), torch.full((1, 5, 7), 1000)
    )


def test_a_large_jpeg_is_read_smaller(lua: Any) -> None:
    Image.fromarray(picture(64, 64, 3)).save("a.jpg")
    assert lua("return gm.Image('a.jpg'):size()") == (64, 64)
    assert lua("return gm.Image():load('a.jpg', 20, 20):size()") == (32, 32)
    assert lua("return gm.Image('a.jpg', 64, 64):size()") == (64, 64)


def test_refusals(lua: Any) -> None:
    Image.fromarray(picture(4, 4, 3)).save("a.png")
    Path("b.png").write_bytes(b"no image")
    for text, message in (
        ("gm.Image('none.png')", "No such file"),
        ("gm.Image('b.png')", "no readable image"),
        ("gm.Image(3)", "the name of a file or a tensor expected, not a number"),
        ("gm.Image('a.png'):crop(1, 1, 4, 0)", "not in the image"),
        ("gm.Image('a.png'):toTensor('int')", "unknown data type int"),
        ("gm.Image('a.png'):toTensor('byte', 'RX')", "not 'X'"),
    ):
        with pytest.raises(LuaError, match=message):
            lua(text)
