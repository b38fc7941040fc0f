"""The package gnuplot: a page has the program's figures, and their pictures are compared."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.translate.running import PRINT, in_page, whole_library
from torch7py.translate import page_library
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import verify_script
from torch7py.translate.whole_project import requirements

# A figure of each form of arguments and each setting.
FIGURES = """
local gnuplot = require 'gnuplot'
local x = torch.range(0, 3)
local curves = {}
for i = 1, 3 do table.insert(curves, {'curve ' .. i, x, x * i, '-'}) end
gnuplot.plot(x)
gnuplot.figure() gnuplot.plot('legend', x, torch.pow(x, 2), '+') gnuplot.title('across') gnuplot.xlabel(3)
gnuplot.figure() gnuplot.plot({x, '|'}, {'é', x:clone():mul(2)}) gnuplot.axis{0, '', -5, '20'} gnuplot.grid(true)
gnuplot.figure() gnuplot.plot(curves) gnuplot.movelegend('left', 'bottom') gnuplot.logscale('on')
gnuplot.figure() gnuplot.plot(unpack(curves)) gnuplot.axis('equal') gnuplot.ylabel('up') gnuplot.grid(false)
gnuplot.figure() gnuplot.plot(torch.range(1, 12):view(3, 4), 'v')
gnuplot.figure() gnuplot.plot(torch.range(1, 12):view(3, 4), 'with filledcurves lc rgb "red"')
gnuplot.figure() gnuplot.plot(torch.range(1, 4):view(4, 1)) gnuplot.plot('again', torch.eye(2):float())
gnuplot.figure(20) gnuplot.splot(torch.range(1, 12):view(3, 4)) gnuplot.zlabel('high')
gnuplot.figure() gnuplot.splot(torch.eye(2), torch.eye(2), torch.ones(2, 2))
gnuplot.figure() gnuplot.scatter3('points', x, x, x)
gnuplot.figure() gnuplot.bar(x)
gnuplot.figure() gnuplot.imagesc(torch.eye(3)) gnuplot.imagesc(torch.eye(3), 'color')
gnuplot.figure() local counts = gnuplot.hist(torch.Tensor{1, 1, 2, 3}, 3, 0.5, 3.5)
print(#counts, counts[1].val, counts[1].nb, counts.raw[3], counts.max, gnuplot.figure())
gnuplot.raw('set xlabel "months; all"; set logscale y\\nset xtics ("Jan" 1, "Feb" 2); set key left bottom')
gnuplot.figure(30) gnuplot.figure(31) gnuplot.plot(x) gnuplot.close() gnuplot.close(30) gnuplot.close(77)
gnuplot.figure() gnuplot.figure() gnuplot.plot(x, x) gnuplot.plotflush(77)
"""


def described(figures: Any) -> dict[int, Any]:
    return {number: lists(dataclasses.asdict(figure)) for number, figure in figures.figures.items()}


def lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lists(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [lists(item) for item in value]
    return value.tolist() if isinstance(value, numpy.ndarray) else value


def test_figures_are_those_of_the_program() -> None:
    page = translate_script(FIGURES.encode(), "p.lua")
    assert page.problems == []
    with Runtime() as runtime:
        runtime.execute(PRINT + FIGURES, "@p.lua")
        printed = runtime.execute("return printed()")
        figures = runtime.state.packages["gnuplot"]
        expected, current = described(figures), figures.current
        figures.changed.clear()
    figures = whole_library().FIGURES
    lines = in_page(page)
    written = described(figures)
    figures.changed.clear()
    assert written == expected
    assert len(written) == 17
    assert figures.current == current
    assert lines == printed


def test_pictures_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those too that are written when the program ends."""
    monkeypatch.chdir(tmp_path)
    text = """
local gnuplot = require 'gnuplot'
gnuplot.svgfigure('a.svg') gnuplot.plot(torch.range(1, 3)) gnuplot.plotflush()
gnuplot.pngfigure('b.png') gnuplot.imagesc(torch.eye(2))
gnuplot.pngfigure('c.png') gnuplot.imagesc(torch.eye(3))
"""
    page, source = translate_script(text.encode(), "p.lua"), tmp_path / "p.lua"
    source.write_text(text)
    assert "imagesc(torch.eye(3))" in page.code
    page.code = page.code.replace("torch.eye(3)", "-torch.eye(3)")
    with pytest.raises(Different, match=r"the picture c\.png differs from the original's"):
        verify_script(page, source)


def test_without_matplotlib_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    library = whole_library()
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    library.gnuplot_figure(50)
    library.gnuplot_plot(torch.zeros(3))
    with pytest.raises(ImportError, match="plots need matplotlib: python -m pip install matplotlib"):
        library.gnuplot_figprint("a.png")
    library.FIGURES.changed.clear()


def test_the_requirements_of_a_page_with_figures_name_matplotlib(tmp_path: Path) -> None:
    page = translate_script(b"require 'gnuplot' gnuplot.plot(torch.ones(2))", "p.lua")
    tmp_path.joinpath("p.py").write_text(page.code)
    tmp_path.joinpath(page_library.FILE).write_text(page_library.source(["gnuplot_plot"]))
    assert requirements(tmp_path) == ["matplotlib", "numpy", "torch"]
