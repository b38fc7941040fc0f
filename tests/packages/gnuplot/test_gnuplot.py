"""gnuplot: what is drawn, beside what was given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops import state
from torch7py.packages.gnuplot.commands import figure_of
from torch7py.packages.gnuplot.drawing import draw, natural_spline


@pytest.fixture
def lua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    monkeypatch.chdir(tmp_path)
    with Runtime() as runtime:
        runtime.execute("require 'gnuplot'")
        yield runtime


def axes(runtime: Runtime, number: int = 1) -> Any:
    """The axes that a figure of the program has in matplotlib."""
    with state.use(runtime.state):
        return draw(figure_of(number)).axes[0]


def test_a_curve_of_each_form(lua):
    lua.execute("""
        local y = torch.Tensor {9, 10, 12}
        gnuplot.plot({y}, {'places', torch.Tensor {2, 4, 6}, y, '-'}, {'rows', torch.Tensor {{1, 5}, {2, 7}}, '+'})
        gnuplot.title('A title'); gnuplot.xlabel('across'); gnuplot.ylabel('up')
        gnuplot.axis {0, '', -5, 20}
    """)
    drawn = axes(lua)
    first, second, third = drawn.lines
    assert (first.get_xdata().tolist(), first.get_ydata().tolist()) == ([1, 2, 3], [9, 10, 12])
    assert (second.get_xdata().tolist(), second.get_ydata().tolist()) == ([2, 4, 6], [9, 10, 12])
    assert (third.get_xdata().tolist(), third.get_ydata().tolist()) == ([1, 2], [5, 7])
    assert [(line.get_marker(), line.get_linestyle()) for line in drawn.lines] == [
        ("o", "-"),
        ("None", "-"),
        ("o", "None"),
    ]
    assert [text.get_text() for text in drawn.get_legend().get_texts()] == ["places", "rows"]
    assert (drawn.get_title(), drawn.get_xlabel(), drawn.get_ylabel()) == ("A title", "across", "up")
    assert drawn.get_xlim()[0] == 0
    assert drawn.get_ylim() == (-5, 20)


def test_boxes_arrows_areas_and_smooth_curves(lua):
    lua.execute("""
        gnuplot.plot({torch.Tensor {1, 2, 4}, torch.Tensor {5, 6, 7}, '|'},
                     {torch.Tensor {{0, 1, 2, 3}}, 'v'},
                     {torch.Tensor {{0, 1, 3}, {1, 2, 5}}, 'with filledcurves fill transparent solid 0.25'},
                     {torch.Tensor {3, 1, 2}, torch.Tensor {9, 1, 4}, '~'})
    """)
    drawn = axes(lua)
    assert [(bar.get_center()[0], bar.get_height()) for bar in drawn.patches[:3]] == [(1, 5), (2, 6), (4, 7)]
    arrows, area = drawn.collections
    assert (arrows.X.tolist(), arrows.Y.tolist(), arrows.U.tolist(), arrows.V.tolist()) == (
        [0],
        [1],
        [2],
        [3],
    )
    corners = {tuple(point) for point in area.get_paths()[0].vertices.tolist()}
    assert corners == {(0, 1), (1, 2), (1, 5), (0, 3)}
    assert area.get_alpha() == 0.25
    (line,) = drawn.lines
    x, y = line.get_xdata(), line.get_ydata()
    for place, value in ((1, 1), (2, 4), (3, 9)):
        assert y[x == place] == pytest.approx(value)
    # By hand: the second derivative is 0 at the ends and 3 in the middle.
    by_hand = np.where(x <= 2, 1 + 2.5 * (x - 1) + (x - 1) ** 3 / 2, 9 - 5.5 * (3 - x) + (3 - x) ** 3 / 2)
    assert np.allclose(y, by_hand)


def test_a_natural_spline_keeps_lines_and_meets_its_points():
    x = np.array([0.0, 1.0, 2.5, 4.0])
    assert np.allclose(natural_spline(x, 3 * x - 1, np.array([0.5, 3.0])), [0.5, 8.0])
    y = np.array([1.0, -2.0, 0.5, 7.0])
    assert np.allclose(natural_spline(x, y, x), y)


def test_a_histogram_counts(lua):
    assert (
        lua.execute("""
        local made = gnuplot.hist(torch.Tensor {1, 1, 2, 3, 3, 3}, 3, 0.5, 3.5)
        return ('%g %g %g %g %g'):format(#made, made[1].val, made[1].nb, made[3].val, made[3].nb)
    """)
        == "3 1 2 3 3"
    )
    drawn = axes(lua)
    assert [(bar.get_center()[0], bar.get_height()) for bar in drawn.patches] == [(1, 2), (2, 1), (3, 3)]


def test_images_surfaces_and_clouds(lua):
    lua.execute("""
        gnuplot.figure(1); gnuplot.imagesc(torch.Tensor {{1, 2, 3}, {4, 5, 6}}, 'color')
        gnuplot.figure(2); gnuplot.splot(torch.Tensor {{1, 2}, {3, 4}})
        gnuplot.figure(3); gnuplot.scatter3('dots', torch.Tensor {1, 2}, torch.Tensor {3, 4}, torch.Tensor {5, 6})
    """)
    image = axes(lua, 1).images[0]
    assert image.get_array().tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (axes(lua, 1).get_xlim(), axes(lua, 1).get_ylim()) == ((-0.5, 2.5), (1.5, -0.5))
    assert axes(lua, 2).get_zlim()[1] >= 4
    cloud = axes(lua, 3).collections[0]
    assert [list(part) for part in cloud._offsets3d] == [[1, 2], [3, 4], [5, 6]]


def test_a_palette_that_is_not_known_leaves_the_one_in_force(lua, capfd):
    """gnuplot said that it did not know the palette, and drew the image; a program went on."""
    lua.execute("""
        gnuplot.figure(1); gnuplot.imagesc(torch.eye(2), 'model b')
        gnuplot.figure(2); gnuplot.imagesc(torch.eye(2)); gnuplot.imagesc(torch.eye(2), 'seagreen')
    """)
    assert [axes(lua, number).images[0].cmap.name for number in (1, 2)] == ["gnuplot", "gray"]
    told = capfd.readouterr().err
    assert "not model b; color is taken" in told
    assert "not seagreen; gray is taken" in told


def test_commands_of_gnuplot(lua):
    lua.execute("""
        gnuplot.plot(torch.Tensor {1, 10, 100})
        gnuplot.raw('set xlabel "months; all"; set logscale y\\nset xrange [0:4]')
        gnuplot.raw('set xtics ("Jan" 1, "Feb" 2, "Mar" 3)')
        gnuplot.raw('set key left bottom'); gnuplot.raw('unset grid')
    """)
    drawn = axes(lua)
    assert (drawn.get_xlabel(), drawn.get_yscale(), drawn.get_xlim()) == ("months; all", "log", (0, 4))
    assert [text.get_text() for text in drawn.get_xticklabels()] == ["Jan", "Feb", "Mar"]
    with pytest.raises(LuaError, match="'plot sin\\(x\\)' is not supported"):
        lua.execute("gnuplot.raw 'plot sin(x)'")
    with pytest.raises(LuaError, match="'set polar' is not supported"):
        lua.execute("gnuplot.raw 'set polar'")


def test_files(lua, capfd):
    lua.execute("""
        gnuplot.pngfigure('a.png'); gnuplot.plot(torch.rand(5)); gnuplot.plotflush()
        gnuplot.svgfigure('b.svg'); gnuplot.plot(torch.rand(5))      -- written when the next is opened
        local pdf = gnuplot.pdffigure('c.pdf'); gnuplot.plot(torch.rand(5)); gnuplot.close(pdf)
        local shown = gnuplot.figure(); gnuplot.plot(torch.rand(5)); gnuplot.figprint('d.png')
        gnuplot.plotflush(shown); gnuplot.plotflush(77)
    """)
    with Image.open("a.png") as picture:
        assert picture.size == (640, 480)
        assert len(set(picture.convert("L").tobytes())) > 2
    assert "<svg" in Path("b.svg").read_text()
    assert Path("c.pdf").read_bytes().startswith(b"%PDF")
    assert Path("d.png").read_bytes().startswith(b"\x89PNG")
    out, err = capfd.readouterr()
    assert out == "no figure 77\t\n"
    assert err.count("there are no windows") == 1


def test_what_is_left_is_written_at_the_end(lua):
    lua.execute("gnuplot.epsfigure('e.eps'); gnuplot.bar(torch.Tensor {1, 2})")
    assert not Path("e.eps").exists()
    lua.close()
    assert Path("e.eps").read_bytes().startswith(b"%!PS")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("gnuplot.plot()", "nothing to plot"),
        ("gnuplot.plot('a', 'b')", "no tensor among the arguments"),
        ("gnuplot.plot(torch.rand(3), torch.rand(4))", "sizes of x and y do not fit: 3 and 4"),
        ("gnuplot.plot(torch.rand(3), 'wiggly')", "cannot be drawn as 'wiggly'"),
        ("gnuplot.plot(torch.rand(3), 'lines lc rgb \"nocolour\"')", "there is no colour 'nocolour'"),
        ("gnuplot.pngfigure('none/a.png')", "directory does not exist"),
        ("gnuplot.imagesc(torch.rand(2, 2), 3)", "the palette is a string"),
        ("gnuplot.movelegend('up', 'top')", "expected left, right or center"),
        ("gnuplot.scatter3(torch.rand(2), torch.rand(2), torch.rand(3))", "vectors of one size"),
        ("gnuplot.axis {1, 2}", "a table has 4 limits"),
        ("gnuplot.figprint('a.bmp')", "none of"),
        ("gnuplot.setterm('x11')", "no program gnuplot is run"),
    ],
)
def test_errors(lua, program, message):
    with pytest.raises(LuaError, match=message):
        lua.execute(program)
