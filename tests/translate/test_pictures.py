"""The package image: pictures that a page saves are compared, and what has no form is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import verify_script


def source_of(text: str) -> str:
    return f"require 'image'\nx = torch.linspace(0, 1, 60):view(3, 4, 5)\n{text}\n"


def translated(text: str) -> Native:
    return translate_script(source_of(text).encode(), "p.lua")


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.ppm", "x.pgm"])
def test_a_saved_picture_is_compared(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture = "x[1]" if name == "x.pgm" else "x"
    text = f"image.save('{name}', {picture}) print('done')"
    page, source = translated(text), tmp_path / "p.lua"
    source.write_text(source_of(text))
    verify_script(page, source)
    before = Path(name).read_bytes()
    saved = f'save_image("{name}", '
    assert saved in page.code
    page.code = page.code.replace(saved, f"{saved}0.9 * ")
    with pytest.raises(Different, match=rf"the picture {name} differs from the original's"):
        verify_script(page, source)
    assert Path(name).read_bytes() == before  # the page has not written over it


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("y = image.gaussian{size = 3, sigma_horz = 1}", "image.gaussian with a setting that has no form"),
        ("y = image.convolve(x, x, x)", "image.convolve with a tensor for its result"),
        ("y = image.polar(x, 3, 4)", "image.polar has no native form"),
    ],
)
def test_what_has_no_form(text: str, reason: str) -> None:
    page = translated(text)
    assert [problem.code for problem in page.problems if reason in problem.reason], page.problems


# Calls of the pages' library, which has the functions of the package for whatever they are given.
CALLS = [
    "image.crop(x, 'tl', 2, 2)",
    "image.crop(x, 'br', 2.6, 2)",
    "image.crop(torch.Tensor(3, 2, 2), x, 1, 1, 4, 3)",
    "image.scale(torch.Tensor(2, 3, 2, 2)[1], x)",
    "image.scale(x, '*2')",
    "image.scale(x, '*1/2', 'simple')",
    "image.scale(x:clone():mul(255):byte(), 3, 7)",
    "image.scale(x:clone():mul(255):byte(), 7, 3, 'bicubic')",
    "image.minmax{tensor = x:clone(), inplace = true, symm = true}",
    "image.minmax{tensor = x, tensorOut = x:clone(), min = 0.1}",
    "image.rgb2y(torch.Tensor(), x)",
    "image.rgb2hsl(x)",
    "image.hsl2rgb(x)",
    "image.rgb2hsv(x:clone():mul(255):byte())",
    "image.hsv2rgb(x)",
    "image.rgb2lab(x)",
    "image.lab2rgb(image.rgb2lab(x))",
    "image.translate(x, 2, -1)",
    "image.translate(torch.Tensor(), x, -1, 1)",
    "image.flip(x, 1)",
]


def test_in_plain_calls(tmp_path: Path) -> None:
    text = "\n".join(f"y = {call} print(y:double():sum(), y:nElement(), y[1][2][2])" for call in CALLS)
    page, source = translated(text), tmp_path / "p.lua"
    assert page.problems == []
    assert page.plain_calls >= len(CALLS) - 1  # a part of a tensor is known to be one
    source.write_text(source_of(text))
    assert verify_script(page, source).lines == len(CALLS)


def test_files_in_plain_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = """
image.savePNG('a.png', x)
image.save('grey.png', x[1])
for _, name in ipairs{'a.png', 'grey.png'} do
   for _, planes in ipairs{1, 3, false} do
      for _, kind in ipairs{'byte', 'float', 'double', false} do
         local y = image.load(name, planes or nil, kind or nil)
         print(y:type(), y:double():sum(), y:dim(), y:size(1))
      end
   end
end
local file = torch.DiskFile('a.png', 'r'):binary()
file:seekEnd()
local length = file:position() - 1
file:seek(1)
local bytes = torch.ByteTensor(length)
bytes:storage():copy(file:readByte(length))
file:close()
print(image.decompress(bytes, 3, 'double'):sum(), image.decompressPNG(bytes):sum(), image.getSize('a.png')[3])
"""
    page, source = translated(text), tmp_path / "p.lua"
    assert page.problems == []
    source.write_text(source_of(text))
    assert verify_script(page, source).lines == 25


@pytest.mark.parametrize(
    "text",
    [
        "r = torch.zeros(2, 3, 4, 5) image.hflip(r[1], x) image.vflip(r[2], x)",
        "r = torch.Tensor() image.hflip(r, x)",
        "r = x:clone() print(image.hflip(r, r)[1][1][1])",
        "r = torch.Tensor() image.rgb2yuv(r, x) print(r:size(3))",
        "r = torch.zeros(3, 2, 3) image.scale(r, x) print(r:sum()) image.scale(r, x, 'simple')",
        "r = image.gaussian1D(7)",
        "r = image.gaussian1D{size = 5, sigma = 0.3, amplitude = 2, normalize = true, mean = 0.4}",
    ],
)
def test_an_image_is_left_in_a_result(text: str, tmp_path: Path) -> None:
    text += " print(r:sum(), r:view(-1)[2])"
    page, source = translated(text), tmp_path / "p.lua"
    assert page.problems == []
    source.write_text(source_of(text))
    assert verify_script(page, source).lines >= 1
