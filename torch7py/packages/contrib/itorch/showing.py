"""What itorch shows: on the program's screen, or nowhere."""

from __future__ import annotations

import torch

from torch7py.ops import state
from torch7py.ops.errors import ArgumentError
from torch7py.ops.support import restricted, unsupported
from torch7py.packages.gnuplot.commands import picture_of
from torch7py.packages.gnuplot.drawing import Curve, Figure
from torch7py.packages.gnuplot.styles import parse_style
from torch7py.packages.registry import function

__all__ = ["html", "plot"]

for _name in ("image", "html"):
    restricted(f"itorch.{_name}", "shows something in a notebook; elsewhere nothing, which is said once")
restricted(
    "itorch.Plot",
    "drawn by matplotlib (torch7py[plot]) as a picture: circle, triangle, line, segment, quad and histogram; "
    "elsewhere than in a notebook it shows nothing, which is said once",
)
for _name in ("audio", "video", "svg"):
    unsupported(f"itorch.{_name}", "an error")


def _text(value: str) -> str:
    """A string of Lua's, whose characters are bytes."""
    return value.encode("latin1").decode("utf-8", "replace")


@function("itorch._html")
def html(text: str) -> bool:
    """Show HTML; False where the program has no screen."""
    shown = state.current().screen
    if shown is not None:
        shown.show({"text/html": _text(text), "text/plain": "<HTML>"})
    return shown is not None


@function("itorch._plot")
def plot(title: str, x_label: str, y_label: str, legend: bool, *parts: str | torch.Tensor) -> bool:
    """Show a plot of curves: a legend, a style, x and y for each. False where the program has no screen."""
    shown = state.current().screen
    if shown is None:
        return False
    figure = Figure(kind="plot", title=_text(title), labels={"x": _text(x_label), "y": _text(y_label)})
    if not legend:
        figure.legend = None
    for at in range(0, len(parts), 4):
        name, style, x, y = parts[at : at + 4]
        if not (isinstance(name, str) and isinstance(style, str)):
            raise ArgumentError("itorch.Plot: a legend is a string")
        if not (isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor)):
            raise ArgumentError("itorch.Plot: a curve is two tensors")
        columns = (value.detach().double().cpu().clone().numpy() for value in (x, y))
        figure.curves.append(Curve(_text(name), parse_style(style), *columns))
    shown.show({"image/png": picture_of(figure), "text/plain": "<plot>"})
    return True
