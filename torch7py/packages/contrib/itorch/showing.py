"""What itorch shows: on the program's screen, or nowhere."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path

import torch

from torch7py.html.markup import Markup, tag
from torch7py.html.page import page
from torch7py.ops import state
from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.support import restricted
from torch7py.packages.gnuplot.commands import picture_of
from torch7py.packages.gnuplot.drawing import Curve, Figure
from torch7py.packages.gnuplot.styles import parse_style
from torch7py.packages.registry import function

__all__ = ["html", "media", "page_of_plot", "plot"]

for _name in ("image", "html", "svg", "audio", "video"):
    restricted(f"itorch.{_name}", "shows something in a notebook; elsewhere nothing, which is said once")
restricted(
    "itorch.Plot",
    "drawn by matplotlib (torch7py[plot]), as a picture that does not move; elsewhere than in a notebook it shows "
    "nothing, which is said once",
)
restricted(
    "itorch.lena",
    "the photograph is not part of this project: the environment variable IMAGE_LENA names a file",
)


def _text(value: str) -> str:
    """A string of Lua's, whose characters are bytes."""
    return value.encode("latin1").decode("utf-8", "replace")


@function("itorch._html")
def html(text: str) -> bool:
    """Show HTML; False where the program has no screen."""
    return _show(_text(text), "<HTML>")


def _show(markup: str, plain: str) -> bool:
    shown = state.current().screen
    if shown is not None:
        shown.show({"text/html": markup, "text/plain": plain})
    return shown is not None


@function("itorch._media")
def media(kind: str, file: str) -> bool:
    """Play a file of sound or moving pictures."""
    path = Path(to_file_name(file))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TorchError(f"itorch.{kind}: cannot read {_text(file)}: {error.strerror}") from None
    mime = mimetypes.guess_type(path.name)[0] or f"{kind}/{path.suffix[1:] or 'mpeg'}"
    return _show(tag(kind, controls=True, src=_as_address(mime, data)), f"<{kind} {path.name}>")


def _as_address(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


@function("itorch._plot")
def plot(
    title: str,
    x_label: str,
    y_label: str,
    legend: bool,
    labels: list[str | float],
    *parts: str | torch.Tensor,
) -> bool:
    """Show a plot of curves: a legend, a style, x and y for each. False where the program has no screen.

    ``labels`` has x, y and a text for each text in the plot.
    """
    shown = state.current().screen
    if shown is None:
        return False
    data = _picture(title, x_label, y_label, legend, labels, parts)
    shown.show({"image/png": data, "text/plain": "<plot>"})
    return True


@function("itorch._page")
def page_of_plot(
    title: str,
    x_label: str,
    y_label: str,
    legend: bool,
    labels: list[str | float],
    *parts: str | torch.Tensor,
) -> str:
    """The same as a page of HTML."""
    data = _picture(title, x_label, y_label, legend, labels, parts)
    shown: Markup = tag("img", src=_as_address("image/png", data), alt=_text(title), style="max-width:100%")
    text = page(_text(title) or "plot", tag("main", shown, class_="wrap"))
    return text.encode("utf-8").decode("latin1")


def _picture(
    title: str,
    x_label: str,
    y_label: str,
    legend: bool,
    labels: list[str | float],
    parts: tuple[str | torch.Tensor, ...],
) -> bytes:
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
    for at in range(0, len(labels), 3):
        x_position, y_position, text = labels[at : at + 3]
        figure.texts.append((float(x_position), float(y_position), _text(str(text))))
    return picture_of(figure)
