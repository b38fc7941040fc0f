"""The curves that a call plots: a legend, tensors and a style for each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from torch7py.ops.errors import ArgumentError
from torch7py.packages.gnuplot.drawing import Array, Curve, Figure
from torch7py.packages.gnuplot.styles import parse_style

__all__ = ["curves_of", "set_image"]


def _to_array(tensor: torch.Tensor) -> Array:
    return np.asarray(tensor.detach().to("cpu", torch.float64, copy=True).numpy())


def curves_of(name: str, entries: Sequence[Sequence[Any]]) -> list[Curve]:
    """The curves of ``gnuplot.plot``, ``splot`` or ``scatter3``, each of ``[legend,] tensor, ... [, style]``."""
    if not entries:
        raise ArgumentError(f"gnuplot.{name}: nothing to plot")
    return [_curve(name, list(parts)) for parts in entries]


def _curve(name: str, parts: list[Any]) -> Curve:
    if not parts:
        raise ArgumentError(f"gnuplot.{name}: an empty table is no curve")
    legend = parts.pop(0) if isinstance(parts[0], str) else ""
    style = parts.pop() if parts and isinstance(parts[-1], str) else ""
    if not any(isinstance(part, torch.Tensor) for part in parts):
        raise ArgumentError(f"gnuplot.{name}: there is no tensor among the arguments")
    if not all(isinstance(part, torch.Tensor) for part in parts):
        raise ArgumentError(f"gnuplot.{name}: expected [string,] tensor [, tensor] [, string] for a curve")
    if name != "plot" and style:
        raise ArgumentError(f"gnuplot.{name}: a style, which only the curves of gnuplot.plot have")
    of_kind = {"plot": _in_plane, "splot": _surface, "scatter3": _cloud}
    parts = of_kind[name](parts, style)
    return Curve(legend, parse_style(style), *map(_to_array, parts))


def _in_plane(tensors: list[torch.Tensor], style: str) -> list[torch.Tensor]:
    """Positions and values; arrows have two columns of each."""
    if len(tensors) > 2:
        raise ArgumentError("gnuplot.plot: a curve has one tensor or two")
    x, y = tensors if len(tensors) == 2 else _columns_of_curve(tensors[0], style)
    is_arrows = style.lower() == "v" or style == "vectors"
    fits = x.dim() == 1 + is_arrows and y.dim() in (1, 2) and len(x) == len(y)
    if not fits or (is_arrows and (y.dim() != 2 or x.shape[1] != 2 or y.shape[1] != 2)):
        sizes = " and ".join("x".join(map(str, tensor.shape)) for tensor in (x, y))
        raise ArgumentError(f"gnuplot.plot: sizes of x and y do not fit: {sizes}")
    return [x, y]


def _columns_of_curve(x: torch.Tensor, style: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions and values in one tensor: two columns, four for arrows, or one of positions and several of values."""
    if x.dim() not in (1, 2):
        raise ArgumentError(f"gnuplot.plot: a tensor of one or two dimensions expected, not of {x.dim()}")
    if x.dim() == 2 and x.shape[1] == 4 and style.lower() == "v":
        return x[:, ::2], x[:, 1::2]
    if x.dim() == 2 and x.shape[1] > 1:
        return x[:, 0], x[:, 1] if x.shape[1] == 2 else x[:, 1:]
    return torch.arange(1, len(x) + 1), x.reshape(-1)


def _surface(tensors: list[torch.Tensor], _: str) -> list[torch.Tensor]:
    if len(tensors) not in (1, 3):
        raise ArgumentError("gnuplot.splot: expected [string,] z, or [string,] x, y, z")
    if tensors[0].dim() != 2:
        raise ArgumentError(f"gnuplot.splot: a matrix expected, not {tensors[0].dim()} dimensions")
    if len(tensors) == 1:
        rows, columns = (torch.arange(1, size + 1) for size in tensors[0].shape)
        return [*torch.meshgrid(rows, columns, indexing="ij"), tensors[0]]
    if len({tensor.shape for tensor in tensors}) > 1:
        raise ArgumentError("gnuplot.splot: x, y and z are matrices of one size")
    return tensors


def _cloud(tensors: list[torch.Tensor], _: str) -> list[torch.Tensor]:
    if len(tensors) != 3:
        raise ArgumentError("gnuplot.scatter3: expected [string,] x, y, z")
    if tensors[0].dim() != 1 or len({tensor.shape for tensor in tensors}) > 1:
        raise ArgumentError("gnuplot.scatter3: x, y and z are vectors of one size")
    return tensors


def set_image(figure: Figure, values: torch.Tensor, palette: str) -> None:
    """A matrix as an image. gnuplot went on with the palette that it had where it did not know one."""
    if palette in ("gray", "color"):
        figure.palette = palette
    else:
        print(
            f"gnuplot.imagesc: there are the palettes gray and color here, not {palette}; "
            f"{figure.palette} is taken",
            file=sys.stderr,
        )
    figure.kind, figure.curves = "image", [Curve("", parse_style(""), _to_array(values), _to_array(values))]
