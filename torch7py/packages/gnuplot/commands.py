"""The functions that Lua calls: figures by number, plots, settings, and the supported commands of gnuplot's language.

A figure with a file is written when the program asks for it (``plotflush``), turns to another figure or closes it,
and when the program ends. There are no windows: a figure without a file is kept, and ``figprint`` writes it. Where the
program has a screen, such a figure is shown there at these times, and when the program pauses.
"""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch

from torch7py.ops import state
from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.one_writer import by_one
from torch7py.ops.support import restricted, unsupported
from torch7py.packages.gnuplot.drawing import Array, Curve, Figure, draw
from torch7py.packages.gnuplot.styles import parse_style, words_of
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

HORIZONTAL = {"left": "left", "right": "right", "center": "center"}
VERTICAL = {"top": "upper", "bottom": "lower", "middle": "center"}
ENDS = {"eps": "eps", "png": "png", "pdf": "pdf", "svg": "svg"}


@dataclass
class Figures:
    """A program's figures. ``changed`` are the numbers of those whose file is behind."""

    figures: dict[int, Figure] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    notified: bool = False


def _all() -> Figures:
    figures: Figures = state.current().packages.setdefault("gnuplot", Figures())
    return figures


def figure_of(number: float) -> Figure:
    """A figure by its number, created on first use."""
    return _all().figures.setdefault(int(number), Figure())


@by_one
def _save(figure: Figure, file: str, kind: str) -> None:
    try:
        draw(figure).savefig(to_file_name(file), format=kind)
    except OSError as error:
        raise TorchError(f"gnuplot: cannot write {file}: {error.strerror}") from None


def picture_of(figure: Figure) -> bytes:
    """A figure as a PNG file."""
    out = io.BytesIO()
    draw(figure).savefig(out, format="png", dpi=100)
    return out.getvalue()


def _changed(number: float) -> None:
    """Something has been drawn in a figure."""
    _all().changed.add(int(number))
    shown = state.current().screen
    if shown is not None:
        shown.pending["gnuplot"] = finish


@function("gnuplot._open")
def open_figure(number: float, file: str | None = None, kind: str = "png") -> None:
    """Make a figure the current one, and set its file."""
    if file is not None and not Path(to_file_name(file)).absolute().parent.is_dir():
        raise TorchError(f"gnuplot: cannot write {file}: directory does not exist")
    flush_others(number)
    figure = figure_of(number)
    if file is not None:
        figure.file, figure.format = file, kind


def flush_others(number: float) -> None:
    for other in sorted(_all().changed - {int(number)}):
        flush(other)


@function("gnuplot._flush")
def flush(number: float) -> None:
    """Write a figure's file if it has one and something has been drawn since."""
    figures = _all()
    figure = figures.figures.get(int(number))
    if int(number) in figures.changed and figure is not None and figure.kind is not None:
        shown = state.current().screen
        if figure.file is not None:
            _save(figure, figure.file, figure.format)
        elif shown is not None:
            shown.show({"image/png": picture_of(figure), "text/plain": f"<figure {int(number)}>"})
        elif not figures.notified:
            figures.notified = True
            print(
                "gnuplot: there are no windows here; gnuplot.pngfigure, svgfigure, pdffigure and epsfigure make files",
                file=sys.stderr,
            )
    figures.changed.discard(int(number))


@function("gnuplot._close")
def close(number: float) -> None:
    """Write a figure's file and forget the figure."""
    flush(number)
    _all().figures.pop(int(number), None)


@on_close("gnuplot")
def finish() -> None:
    """Write the figures that are not yet written when the program ends; an error in one does not keep the others."""
    for number in sorted(_all().changed):
        _finish(number)


def _finish(number: int) -> None:
    try:
        flush(number)
    except TorchError as error:
        print(error, file=sys.stderr)


@function("gnuplot._print")
def print_figure(number: float, file: str) -> None:
    """Write a figure to a file of another name."""
    kind = ENDS.get(file.rpartition(".")[2].lower())
    if kind is None:
        raise ArgumentError(f"gnuplot.figprint: {file} is none of " + ", ".join(f"*.{end}" for end in ENDS))
    figure = figure_of(number)
    if figure.kind is None:
        raise TorchError("gnuplot.figprint: nothing has been plotted in this figure")
    _save(figure, file, kind)


def _array(tensor: torch.Tensor) -> Array:
    return np.asarray(tensor.detach().to("cpu", torch.float64, copy=True).numpy())


@function("gnuplot._draw")
def draw_curves(number: float, kind: str, *parts: str | torch.Tensor) -> None:
    """Plot curves and replace the old ones: a legend, a style, x, y and z for each (z is y in a plane)."""
    curves = []
    for at in range(0, len(parts), 5):
        legend, style, x, y, z = parts[at : at + 5]
        if not (isinstance(legend, str) and isinstance(style, str)):
            raise ArgumentError("gnuplot: a legend is a string")
        if not (isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor) and isinstance(z, torch.Tensor)):
            raise ArgumentError("gnuplot: curves are tensors")
        text = legend.encode("latin1").decode("utf-8", "replace")
        curves.append(Curve(text, parse_style(style), _array(x), _array(y), _array(z)))
    figure = figure_of(number)
    figure.kind, figure.curves = kind, curves
    _changed(number)


@function("gnuplot._image")
def draw_image(number: float, values: torch.Tensor, palette: str) -> None:
    """A matrix as an image. gnuplot went on with the palette that it had where it did not know one."""
    figure = figure_of(number)
    picture = _array(values)
    if palette in ("gray", "color"):
        figure.palette = palette
    else:
        print(
            f"gnuplot.imagesc: there are the palettes gray and color here, not {palette}; "
            f"{figure.palette} is taken",
            file=sys.stderr,
        )
    figure.kind = "image"
    figure.curves = [Curve("", parse_style(""), picture, picture)]
    _changed(number)


# -- settings ---------------------------------------------------------------------------------------------


@function("gnuplot._label")
def label(number: float, axis: str, text: str) -> None:
    """The text at an axis, or above the plot."""
    text = text.encode("latin1").decode("utf-8", "replace")
    figure = figure_of(number)
    if axis == "title":
        figure.title = text
    else:
        figure.labels[axis] = text
    _changed(number)


@function("gnuplot._grid")
def grid(number: float, there: bool) -> None:
    figure_of(number).grid = bool(there)
    _changed(number)


@function("gnuplot._legend")
def legend(number: float, across: str, down: str) -> None:
    """Where the legend stands."""
    if across not in HORIZONTAL or down not in VERTICAL:
        raise ArgumentError(
            "gnuplot.movelegend: expected left, right or center, and top, bottom or middle, "
            f"not {across!r} and {down!r}"
        )
    position = f"{VERTICAL[down]} {HORIZONTAL[across]}"
    figure_of(number).legend = "center" if position == "center center" else position
    _changed(number)


@function("gnuplot._shape")
def shape(number: float, word: str) -> None:
    """``auto``, ``image``, ``equal`` or ``fill``."""
    figure = figure_of(number)
    if word == "auto":
        figure.ranges.clear()
        figure.equal = figure.square = False
    elif word in ("image", "equal"):
        figure.equal = True
    elif word == "fill":
        figure.equal = figure.square = False
    else:
        raise ArgumentError(
            f"gnuplot.axis: 'auto', 'image', 'equal', 'fill' or a table expected, not {word!r}"
        )
    _changed(number)


@function("gnuplot._limit")
def limit(number: float, axis: str, end: str, value: float | None = None) -> None:
    """One end of an axis; None leaves it to the data."""
    figure = figure_of(number)
    lowest, highest = figure.ranges.get(axis, (None, None))
    figure.ranges[axis] = (value, highest) if end == "lowest" else (lowest, value)
    _changed(number)


@function("gnuplot._logarithmic")
def logarithmic(number: float, axes: str, there: bool) -> None:
    figure = figure_of(number)
    figure.logarithmic = figure.logarithmic | set(axes) if there else figure.logarithmic - set(axes)
    _changed(number)


# -- commands of gnuplot's language ----------------------------------------------------------------------------


@function("gnuplot._raw")
def raw(number: float, text: str) -> None:
    """``gnuplot.raw(commands)``: those that a figure here knows; another is an error."""
    for command in re.split(r"[\n;](?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text):
        if command.strip():
            _command(number, command.strip())
    _changed(number)


def _command(number: float, command: str) -> None:
    figure = figure_of(number)
    words = words_of(command)
    verb, what, rest = words[0], words[1] if len(words) > 1 else "", words[2:]
    there = verb == "set"
    value = command.split(None, 2)[2] if len(words) > 2 else ""
    if command in ("replot", "refresh"):
        return
    if verb not in ("set", "unset"):
        _refuse(command)
    if what == "grid" and not rest:
        figure.grid = there
    elif what == "title" or re.fullmatch(r"[xyz]label", what):
        label(number, what if what == "title" else what[0], rest[0] if there and rest else "")
    elif re.fullmatch(r"[xyz]range", what) and there:
        match = re.fullmatch(r"\[([^:\[\]]*):([^:\[\]]*)\]", value.strip())
        if match is None:
            _refuse(command)
        limit(number, what[0], "lowest", _end(match[1], command))
        limit(number, what[0], "highest", _end(match[2], command))
    elif what in ("logscale", "log"):
        logarithmic(number, rest[0] if rest else "xyz", there)
    elif what == "autoscale" and not rest:
        figure.ranges.clear()
    elif what in ("key", "nokey"):
        _key(number, there and what == "key", rest, command)
    elif re.fullmatch(r"[xyz]tics", what) and there and value.strip().startswith("("):
        figure.ticks[what[0]] = _ticks(value.strip(), command)
    elif what == "size" and rest in (["square"], ["nosquare"]):
        figure.square = rest == ["square"]
    elif what == "size" and rest in (["ratio", "-1"], ["noratio"]):
        figure.equal = rest == ["ratio", "-1"]
    else:
        _refuse(command)


def _refuse(command: str) -> NoReturn:
    raise ArgumentError(f"gnuplot.raw: {command!r} is not supported: no program gnuplot is run")


def _end(text: str, command: str) -> float | None:
    text = text.strip()
    if text in ("", "*"):
        return None
    try:
        return float(text)
    except ValueError:
        _refuse(command)


def _key(number: float, there: bool, rest: list[str], command: str) -> None:
    figure = figure_of(number)
    if not there or rest == ["off"]:
        figure.legend = None
        return
    words = [word for word in rest if word not in ("on", "inside")]
    across = [word for word in words if word in ("left", "right")]
    down = [word for word in words if word in ("top", "bottom")]
    left = [word for word in words if word not in (*across, *down, "center")]
    if left:
        _refuse(command)
    if not words:
        figure.legend = figure.legend or "upper right"
        return
    middle = "center" in words
    legend(
        number,
        across[0] if across else ("center" if middle else "right"),
        down[0] if down else ("middle" if middle else "top"),
    )


def _ticks(text: str, command: str) -> list[tuple[str, float]]:
    """``("text" place, ...)``, or positions alone."""
    if not text.endswith(")"):
        _refuse(command)
    ticks = []
    for part in re.findall(r"\s*((?:\"[^\"]*\"|'[^']*')?\s*[^,\s\"']+)\s*(?:,|$)", text[1:-1]):
        words = words_of(part)
        try:
            ticks.append((words[0], float(words[-1])))
        except ValueError:
            _refuse(command)
    return [(name.encode("latin1", "replace").decode("utf-8", "replace"), at) for name, at in ticks]
