"""The functions that Lua calls: figures by number, plots, settings, and the supported commands of gnuplot's language.

Where the program has a screen, a figure without a file is shown there when it would be written, and when the program
pauses.
"""

from __future__ import annotations

import io
from typing import Any

import torch

from torch7py.ops import state
from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.one_writer import by_one
from torch7py.ops.support import restricted, unsupported
from torch7py.packages.gnuplot.curves import curves_of, set_image
from torch7py.packages.gnuplot.drawing import Figure, draw
from torch7py.packages.gnuplot.figures import Figures
from torch7py.packages.gnuplot.settings import (
    move_legend,
    run_commands,
    set_label,
    set_limits,
    set_logarithmic,
    set_shape,
)
from torch7py.packages.registry import function, on_close

__all__ = ["figure_of", "picture_of", "raw"]

for _name in ("plot", "splot", "scatter3", "imagesc", "bar", "hist"):
    restricted(
        f"gnuplot.{_name}",
        "drawn by matplotlib (torch7py[plot]), into files and in notebooks: there are no windows",
    )
restricted("gnuplot.histc", "a bin's val is its centre")
restricted("gnuplot.figure", "there are no windows: gnuplot.figprint writes the figure to a file")
restricted("gnuplot.raw", "takes set and unset of labels, title, ranges, ticks, key, grid, logscale and size")
for _name in ("setterm", "setgnuplotexe"):
    unsupported(f"gnuplot.{_name}", "an error: no program gnuplot is run")


class ProgramFigures(Figures):
    """The figures of a Lua program, which may have a screen, or run in several processes."""

    def path(self, file: str) -> str:
        path: str = to_file_name(file)
        return path

    @by_one
    def save(self, figure: Figure, file: str, kind: str) -> None:
        super().save(figure, file, kind)

    def show(self, number: int, figure: Figure) -> None:
        shown = state.current().screen
        if shown is None:
            super().show(number, figure)
        else:
            shown.show({"image/png": picture_of(figure), "text/plain": f"<figure {number}>"})

    def change(self) -> Figure:
        shown = state.current().screen
        if shown is not None:
            shown.pending["gnuplot"] = self.finish
        return super().change()


def _all() -> Figures:
    figures: Figures = state.current().packages.setdefault("gnuplot", ProgramFigures())
    return figures


def figure_of(number: float) -> Figure:
    """A figure by its number."""
    return _all().figures[int(number)]


def picture_of(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    out = io.BytesIO()
    draw(figure).savefig(out, format="png", dpi=100)
    return out.getvalue()


def _text(text: str) -> str:
    """Lua's bytes, as a text."""
    return text.encode("latin1").decode("utf-8", "replace")


@function("gnuplot._open")
def open_figure(number: float | None = None, file: str | None = None, kind: str = "png") -> int:
    """Make a figure the current one, a new one without a number, and set its file."""
    return _all().turn_to(number, file, kind)


@function("gnuplot._flush")
def flush(number: float | None = None) -> bool:
    """Write a figure's file; whether there is the figure."""
    there = _all().number_of(number)
    if there is not None:
        _all().flush(there)
    return there is not None


@function("gnuplot.close")
def close(number: float | None = None) -> None:
    """``gnuplot.close([n])``: write the figure's file and forget the figure."""
    _all().close(number)


@function("gnuplot.closeall")
def close_all() -> None:
    _all().close_all()


@on_close("gnuplot")
def finish() -> None:
    _all().finish()


@function("gnuplot.figprint")
def print_figure(file: str) -> None:
    """``gnuplot.figprint(file)``: write the current figure to a file of another name."""
    _all().write(file)


@function("gnuplot._draw")
def draw_curves(name: str, *parts: Any) -> None:
    """Plot curves and replace the old ones: how many parts each has, and these."""
    texts = [_text(part) if isinstance(part, str) else part for part in parts]
    entries = []
    while texts:
        count = int(texts[0])
        entries.append(texts[1 : count + 1])
        del texts[: count + 1]
    curves, figure = curves_of(name, entries), _all().change()
    figure.kind, figure.curves = name, curves


@function("gnuplot._image")
def draw_image(values: torch.Tensor, palette: str) -> None:
    set_image(_all().change(), values, palette)


@function("gnuplot._label")
def label(axis: str, text: str) -> None:
    set_label(_all().change(), axis, _text(text))


@function("gnuplot._grid")
def grid(there: bool) -> None:
    _all().change().grid = bool(there)


@function("gnuplot._legend")
def legend(across: str, down: str) -> None:
    move_legend(_all().change(), across, down)


@function("gnuplot._shape")
def shape(word: str) -> None:
    set_shape(_all().change(), word)


@function("gnuplot._limits")
def limits(*limits: float | None) -> None:
    set_limits(_all().change(), *limits)


@function("gnuplot._logarithmic")
def logarithmic(there: bool) -> None:
    set_logarithmic(_all().change(), "xyz", there)


@function("gnuplot.raw")
def raw(text: str) -> None:
    """``gnuplot.raw(commands)``"""
    run_commands(_all().change(), _text(text))
