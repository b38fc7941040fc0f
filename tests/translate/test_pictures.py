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
        ("y = image.crop(x, 'tl', 2, 2)", "image.crop from a corner"),
        ("y = image.crop(x, 1, 2)", "image.crop without the end of the part"),
        ("y = image.scale(torch.Tensor(2, 3, 2, 2)[1], x)", "image.scale into a part of a tensor"),
        ("y = image.scale(x, '*2')", "image.scale to the size"),
        ("y = image.minmax{tensor = x, inplace = true}", "image.minmax with a setting that has no form"),
        ("image.minmax{tensor = x, tensorOut = x}", "image.minmax"),
        ("y = image.gaussian{size = 3, sigma_horz = 1}", "image.gaussian with a setting that has no form"),
        ("y = image.convolve(x, x, x)", "image.convolve with a tensor for its result"),
        ("y = image.load('a.png', 3, ({'byte'})[1])", "image.load with a type that is not written out"),
        ("y = image.rgb2yuv(x:byte())", "image.rgb2yuv of whole numbers"),
        ("y = image.rgb2y(x, x, x)", "image.rgb2y of other tensors than one image"),
    ],
)
def test_what_has_no_form(text: str, reason: str) -> None:
    page = translated(text)
    assert [problem.code for problem in page.problems if reason in problem.reason], page.problems


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
