"""The package gnuplot: the forms of its functions' arguments, and the figures of a page."""

from __future__ import annotations

import atexit
import importlib
from functools import partial
from typing import Any

import torch

from torch7py.packages.gnuplot.curves import curves_of, set_image
from torch7py.packages.gnuplot.figures import Figures
from torch7py.packages.gnuplot.settings import (
    move_legend,
    run_commands,
    set_label,
    set_limits,
    set_logarithmic,
    set_shape,
)
from torch7py.translate.page_library.pictures import ArgumentError
from torch7py.translate.page_library.values import index, items_of, print_values, text_of, to_number


def import_library(module: str, purpose: str) -> Any:
    """A module of a library that is needed for some purpose only."""
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != library:
            raise  # the library is there and lacks something itself
        raise ImportError(f"{purpose} need {library}: python -m pip install {library}") from None


class FiguresOfPage(Figures):
    """The figures of a page, whose files are written when it ends, too."""

    def __init__(self) -> None:
        super().__init__()
        atexit.register(self.finish)


FIGURES = FiguresOfPage()


def figure_of_file(kind: str, file: Any, number: Any = None) -> int:
    """``gnuplot.pngfigure(file[, n])`` and its kin: a figure that is drawn into a file."""
    if not isinstance(file, str):
        raise ArgumentError(f"gnuplot.{kind}figure: the name of a file expected")
    return FIGURES.turn_to(number, file, kind)


gnuplot_figure = FIGURES.turn_to
gnuplot_pngfigure = partial(figure_of_file, "png")
gnuplot_svgfigure = partial(figure_of_file, "svg")
gnuplot_pdffigure = partial(figure_of_file, "pdf")
gnuplot_epsfigure = partial(figure_of_file, "eps")
gnuplot_figprint = FIGURES.write
gnuplot_close = FIGURES.close
gnuplot_closeall = FIGURES.close_all


def gnuplot_plotflush(number: Any = None) -> None:
    """``gnuplot.plotflush([n])``: write the figure's file."""
    there = FIGURES.number_of(number)
    if there is None:
        print_values(f"no figure {text_of(number)}")
    else:
        FIGURES.flush(there)


def draw_curves(name: str, *args: Any) -> None:
    """``gnuplot.name(...)`` of one curve, of tables with a curve each, or of a table of such tables."""
    entries: Any = [arg for arg in args if arg is not None]
    if entries and (isinstance(entries[0], (str, torch.Tensor))):
        entries = [entries]
    elif entries and isinstance(index(entries[0], 1), (list, dict)):
        entries = items_of(entries[0])
    curves, figure = curves_of(name, [items_of(entry) for entry in entries]), FIGURES.change()
    figure.kind, figure.curves = name, curves


gnuplot_plot = partial(draw_curves, "plot")
gnuplot_splot = partial(draw_curves, "splot")
gnuplot_scatter3 = partial(draw_curves, "scatter3")


def gnuplot_bar(*args: Any) -> None:
    """``gnuplot.bar([x,] y)``"""
    draw_curves("plot", *args, "|")


def gnuplot_imagesc(x: Any, palette: Any = None) -> None:
    """``gnuplot.imagesc(matrix[, "gray" or "color"])``"""
    if not isinstance(x, torch.Tensor) or x.dim() != 2:
        raise ArgumentError("gnuplot.imagesc: a matrix expected")
    set_image(FIGURES.change(), x, "gray" if palette is None else palette)


def gnuplot_histc(
    x: torch.Tensor, bins: Any = None, lowest: Any = None, highest: Any = None
) -> dict[Any, Any]:
    """``gnuplot.histc(x[, bins[, lowest[, highest]]])``: how many elements are in each bin of equal width."""
    count = 79 if bins is None else int(bins)
    low = x.min().item() if lowest is None else lowest
    high = x.max().item() if highest is None else highest
    raw = torch.histc(x.double(), count, low, high).to(torch.get_default_dtype())
    low, high = (low - 1, high + 1) if low == high else (low, high)
    histogram: dict[Any, Any] = {"raw": raw, "min": low, "max": high, "bins": count}
    for i in range(1, count + 1):
        histogram[i] = {"val": low + (i - 0.5) * (high - low) / count, "nb": raw[i - 1].item()}
    return histogram


def gnuplot_hist(*args: Any) -> dict[Any, Any]:
    """``gnuplot.hist(x[, bins[, lowest[, highest]]])``: that, plotted."""
    histogram = gnuplot_histc(*args)
    centres = [histogram[i + 1]["val"] for i in range(histogram["bins"])]
    gnuplot_bar(torch.tensor(centres, dtype=torch.get_default_dtype()), histogram["raw"])
    return histogram


def write_label(axis: str, text: Any) -> None:
    """``gnuplot.xlabel(text)`` and its kin."""
    set_label(FIGURES.change(), axis, text_of(text))


gnuplot_xlabel = partial(write_label, "x")
gnuplot_ylabel = partial(write_label, "y")
gnuplot_zlabel = partial(write_label, "z")
gnuplot_title = partial(write_label, "title")


def gnuplot_grid(there: Any) -> None:
    """``gnuplot.grid(there)``"""
    FIGURES.change().grid = there is not None and there is not False


def gnuplot_movelegend(across: Any, down: Any) -> None:
    """``gnuplot.movelegend("left", "top")``"""
    move_legend(FIGURES.change(), text_of(across), text_of(down))


def gnuplot_axis(axis: Any) -> None:
    """``gnuplot.axis(word)``, or of {xmin, xmax, ymin, ymax}; "" leaves an end as it is by the data."""
    if isinstance(axis, (list, dict)):
        set_limits(FIGURES.change(), *map(to_number, items_of(axis)))
    else:
        set_shape(FIGURES.change(), text_of(axis))


def gnuplot_logscale(state: Any) -> None:
    """``gnuplot.logscale("on" or "off")``: of all axes."""
    set_logarithmic(FIGURES.change(), "xyz", state is not False and state != "off")


def gnuplot_raw(commands: Any) -> None:
    """``gnuplot.raw(commands)``"""
    run_commands(FIGURES.change(), commands)
