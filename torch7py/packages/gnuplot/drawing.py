"""A figure of gnuplot's as one of matplotlib's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from torch7py.ops.errors import ArgumentError
from torch7py.packages.gnuplot.styles import Style
from torch7py.packages.optional_libraries import import_library

__all__ = ["Curve", "Figure", "draw", "natural_spline"]

Array = npt.NDArray[np.float64]
MARKS = "o+x*sDo^vD"  # of gnuplot's first numbers for points
DEPTH = {"splot", "scatter3"}  # the kinds of plot with three dimensions
BETWEEN = 100  # the least number of points of a smooth curve


@dataclass(frozen=True)
class Curve:
    """A curve in a plot: positions ``x``, values ``y`` (columns, for some styles), heights ``z``."""

    legend: str
    style: Style
    x: Array
    y: Array
    z: Array | None = None


@dataclass
class Figure:
    """A figure with its curves and settings. ``kind`` is ``plot``, ``splot``, ``scatter3`` or ``image``."""

    file: str | None = None
    format: str = "png"
    kind: str | None = None
    curves: list[Curve] = field(default_factory=list)
    texts: list[tuple[float, float, str]] = field(default_factory=list)  # at points of the plane
    palette: str = "color"  # gnuplot's default
    title: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    grid: bool = False
    legend: str | None = "upper right"
    ranges: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    logarithmic: set[str] = field(default_factory=set)
    ticks: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    equal: bool = False
    square: bool = False


def natural_spline(x: Array, y: Array, positions: Array) -> Array:
    """Cubic pieces through the points, with two continuous derivatives and none of second order at the ends."""
    h = np.diff(x)
    n = len(x)
    matrix = np.zeros((n, n))
    right = np.zeros(n)
    matrix[0, 0] = matrix[-1, -1] = 1
    for i in range(1, n - 1):
        matrix[i, i - 1 : i + 2] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        right[i] = 6 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1])
    bend = np.linalg.solve(matrix, right)
    at = np.clip(np.searchsorted(x, positions, side="right") - 1, 0, n - 2)
    left, rest = positions - x[at], x[at + 1] - positions
    width = h[at]
    curved = (bend[at] * rest**3 + bend[at + 1] * left**3) / (6 * width)
    straight = (y[at] / width - bend[at] * width / 6) * rest
    return np.asarray(curved + straight + (y[at + 1] / width - bend[at + 1] * width / 6) * left)


def _smooth(x: Array, y: Array) -> tuple[Array, Array]:
    """A smooth curve through points in any order; points with equal x are averaged."""
    there = np.isfinite(x) & np.isfinite(y)
    positions, which = np.unique(x[there], return_inverse=True)
    values = np.bincount(which, y[there]) / np.bincount(which)
    if len(positions) < 3:
        return positions, values
    finer = np.union1d(positions, np.linspace(positions[0], positions[-1], max(BETWEEN, 4 * len(positions))))
    return finer, natural_spline(positions, values, finer)


def draw(figure: Figure) -> Any:
    """The figure in matplotlib, ready to be saved."""
    canvas = import_library("matplotlib.figure", "plots").Figure(figsize=(6.4, 4.8))
    axes = canvas.add_subplot(projection="3d" if figure.kind in DEPTH else None)
    if figure.kind == "image":
        _draw_image(axes, canvas, figure)
    else:
        for number, curve in enumerate(figure.curves):
            _draw_curve(axes, figure, curve, f"C{number % 10}")
        for x, y, text in figure.texts:
            axes.text(x, y, text, parse_math=False)
    _apply_settings(axes, figure)
    return canvas


def _draw_image(axes: Any, canvas: Any, figure: Figure) -> None:
    (curve,) = figure.curves
    colors = {"gray": "gray", "color": "gnuplot"}[figure.palette]
    shown = axes.imshow(curve.y, cmap=colors, aspect="auto", interpolation="nearest")
    canvas.colorbar(shown)


def _draw_curve(axes: Any, figure: Figure, curve: Curve, color: str) -> None:
    style, x, y = curve.style, curve.x, curve.y
    color = style.color or color
    label = curve.legend or None
    if figure.kind == "splot":
        axes.plot_wireframe(x, y, curve.z, color=color, label=label, rcount=len(x), ccount=x.shape[1])
        return
    if figure.kind == "scatter3":
        axes.scatter(x, y, curve.z, color=color, label=label)
        return
    if style.kind == "vectors":
        axes.quiver(
            *(x[:, 0], y[:, 0], x[:, 1], y[:, 1]),
            angles="xy",
            scale_units="xy",
            scale=1,
            color=color,
            label=label,
        )
        axes.update_datalim(np.stack([x.sum(1), y.sum(1)], 1))
        axes.autoscale_view()
        return
    columns = [y] if y.ndim == 1 else list(y.T)
    if style.kind == "filledcurves":
        if len(columns) == 1:
            axes.fill(x, columns[0], color=color, alpha=style.fill, label=label)
        else:
            axes.fill_between(x, columns[0], columns[1], color=color, alpha=style.fill, label=label)
    elif style.kind == "yerrorbars":
        if len(columns) not in (2, 3):
            raise ArgumentError(
                "gnuplot.plot: errorbars need x, y and a deviation, or x, y, lowest and highest"
            )
        middle = columns[0]
        spread = columns[1] if len(columns) == 2 else np.stack([middle - columns[1], columns[2] - middle])
        axes.errorbar(x, middle, spread, fmt="o", color=color, label=label)
    elif style.kind == "boxes":
        axes.bar(x, columns[0], width=_width(x), fill=False, edgecolor=color, label=label)
    elif style.kind == "impulses":
        axes.vlines(x, 0, columns[0], colors=color, linewidth=style.width, label=label)
    else:
        _draw_line(axes, style, x, columns[0], color, label)


def _draw_line(axes: Any, style: Style, x: Array, y: Array, color: str, label: str | None) -> None:
    if style.kind == "csplines":
        x, y = _smooth(x, y)
    mark = {"points": "o", "linespoints": "o", "dots": ","}.get(style.kind)
    if mark == "o" and style.point is not None:
        mark = MARKS[style.point % len(MARKS)]
    axes.plot(
        *(x, y),
        color=color,
        label=label,
        marker=mark,
        markersize=None if style.size is None else 4 * style.size,
        linestyle="none" if style.kind in ("points", "dots") else "-",
        linewidth=style.width,
        drawstyle="steps-post" if style.kind == "steps" else "default",
    )


def _width(x: Array) -> float:
    """Boxes touch each other."""
    gaps = np.diff(np.unique(x))
    return float(np.min(gaps)) if len(gaps) else 1.0


def _apply_settings(axes: Any, figure: Figure) -> None:
    axes.set_title(figure.title)
    for name, text in figure.labels.items():
        if name != "z" or figure.kind in DEPTH:
            getattr(axes, f"set_{name}label")(text)
    names = "xyz" if figure.kind in DEPTH else "xy"
    for name in names:
        if name in figure.logarithmic:
            getattr(axes, f"set_{name}scale")("log")
        lowest, highest = figure.ranges.get(name, (None, None))
        if name != "x" and figure.kind == "image" and (lowest, highest) != (None, None):
            lowest, highest = highest, lowest
        for limit, key in ((lowest, "xyz".index(name) * 2), (highest, "xyz".index(name) * 2 + 1)):
            if limit is not None:
                side = ("left", "right", "bottom", "top", "bottom", "top")[key]
                getattr(axes, f"set_{name}lim")(**{side: limit})
        if name in figure.ticks:
            pairs = figure.ticks[name]
            getattr(axes, f"set_{name}ticks")([at for _, at in pairs], labels=[text for text, _ in pairs])
    if figure.grid:
        axes.grid(True)
    if figure.equal:
        axes.set_aspect("equal", adjustable="datalim" if figure.kind != "image" else "box")
    elif figure.square:
        axes.set_box_aspect(1)
    if figure.legend is not None and axes.get_legend_handles_labels()[1]:
        axes.legend(loc=figure.legend, framealpha=1)
