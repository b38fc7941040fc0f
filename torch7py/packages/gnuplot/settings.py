"""The settings of a figure, and the supported commands of gnuplot's language."""

from __future__ import annotations

import re
from typing import NoReturn

from torch7py.ops.errors import ArgumentError
from torch7py.packages.gnuplot.drawing import Figure
from torch7py.packages.gnuplot.styles import words_of

__all__ = ["move_legend", "run_commands", "set_label", "set_limits", "set_logarithmic", "set_shape"]

HORIZONTAL = {"left": "left", "right": "right", "center": "center"}
VERTICAL = {"top": "upper", "bottom": "lower", "middle": "center"}


def set_label(figure: Figure, axis: str, text: str) -> None:
    """The text at an axis, or above the plot."""
    if axis == "title":
        figure.title = text
    else:
        figure.labels[axis] = text


def move_legend(figure: Figure, across: str, down: str) -> None:
    """Where the legend stands."""
    if across not in HORIZONTAL or down not in VERTICAL:
        raise ArgumentError(
            "gnuplot.movelegend: expected left, right or center, and top, bottom or middle, "
            f"not {across!r} and {down!r}"
        )
    position = f"{VERTICAL[down]} {HORIZONTAL[across]}"
    figure.legend = "center" if position == "center center" else position


def set_shape(figure: Figure, word: str) -> None:
    """``auto``, ``image``, ``equal`` or ``fill``."""
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


def set_limits(figure: Figure, *limits: float | None) -> None:
    """The limits ``xmin, xmax, ymin, ymax``; None leaves one to the data."""
    if len(limits) != 4:
        raise ArgumentError(
            f"gnuplot.axis: a table has 4 limits, {{xmin, xmax, ymin, ymax}}, not {len(limits)}"
        )
    figure.ranges["x"], figure.ranges["y"] = limits[:2], limits[2:]


def set_logarithmic(figure: Figure, axes: str, there: bool) -> None:
    figure.logarithmic = figure.logarithmic | set(axes) if there else figure.logarithmic - set(axes)


def run_commands(figure: Figure, text: str) -> None:
    """``gnuplot.raw(commands)``: those that a figure here knows; another is an error."""
    for command in re.split(r"[\n;](?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text):
        if command.strip():
            _run_command(figure, command.strip())


def _run_command(figure: Figure, command: str) -> None:
    words = words_of(command)
    verb, what, rest = words[0], words[1] if len(words) > 1 else "", words[2:]
    there = verb == "set"
    value = command.split(None, 2)[2] if len(words) > 2 else ""
    if command in ("replot", "refresh"):
        return
    if verb not in ("set", "unset"):
        _refuse_command(command)
    if what == "grid" and not rest:
        figure.grid = there
    elif what == "title" or re.fullmatch(r"[xyz]label", what):
        set_label(figure, what if what == "title" else what[0], rest[0] if there and rest else "")
    elif re.fullmatch(r"[xyz]range", what) and there:
        match = re.fullmatch(r"\[([^:\[\]]*):([^:\[\]]*)\]", value.strip())
        if match is None:
            _refuse_command(command)
        figure.ranges[what[0]] = _end_in(match[1], command), _end_in(match[2], command)
    elif what in ("logscale", "log"):
        set_logarithmic(figure, rest[0] if rest else "xyz", there)
    elif what == "autoscale" and not rest:
        figure.ranges.clear()
    elif what in ("key", "nokey"):
        _set_key(figure, there and what == "key", rest, command)
    elif re.fullmatch(r"[xyz]tics", what) and there and value.strip().startswith("("):
        figure.ticks[what[0]] = _ticks_in(value.strip(), command)
    elif what == "size" and rest in (["square"], ["nosquare"]):
        figure.square = rest == ["square"]
    elif what == "size" and rest in (["ratio", "-1"], ["noratio"]):
        figure.equal = rest == ["ratio", "-1"]
    else:
        _refuse_command(command)


def _refuse_command(command: str) -> NoReturn:
    raise ArgumentError(f"gnuplot.raw: {command!r} is not supported: no program gnuplot is run")


def _end_in(text: str, command: str) -> float | None:
    text = text.strip()
    if text in ("", "*"):
        return None
    try:
        return float(text)
    except ValueError:
        _refuse_command(command)


def _set_key(figure: Figure, there: bool, rest: list[str], command: str) -> None:
    if not there or rest == ["off"]:
        figure.legend = None
        return
    words = [word for word in rest if word not in ("on", "inside")]
    across = [word for word in words if word in ("left", "right")]
    down = [word for word in words if word in ("top", "bottom")]
    left = [word for word in words if word not in (*across, *down, "center")]
    if left:
        _refuse_command(command)
    if not words:
        figure.legend = figure.legend or "upper right"
        return
    middle = "center" in words
    move_legend(
        figure,
        across[0] if across else ("center" if middle else "right"),
        down[0] if down else ("middle" if middle else "top"),
    )


def _ticks_in(text: str, command: str) -> list[tuple[str, float]]:
    """``("text" place, ...)``, or positions alone."""
    if not text.endswith(")"):
        _refuse_command(command)
    ticks = []
    for part in re.findall(r"\s*((?:\"[^\"]*\"|'[^']*')?\s*[^,\s\"']+)\s*(?:,|$)", text[1:-1]):
        words = words_of(part)
        try:
            ticks.append((words[0], float(words[-1])))
        except ValueError:
            _refuse_command(command)
    return ticks
