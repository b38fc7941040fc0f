"""``torch7py plot``: the curves in a program's logs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from torch7py.cli.failure import Command, Failure, Refusal, traceback_option
from torch7py.cli.logs import Curve, curves_in
from torch7py.wording import counted

__all__ = ["plot"]

EVERY = 1.0  # seconds between two looks at logs that grow


@click.command(cls=Command, short_help="Draw the curves in logs.")
@traceback_option()
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="A picture: PNG, PDF or SVG."
)
@click.option("--live", is_flag=True, help="Draw again whenever a log has grown, until Ctrl-C.")
@click.option(
    "--column", "columns", multiple=True, metavar="NAME", help="Only columns with this in their names."
)
@click.option("--log", "logarithmic", is_flag=True, help="A logarithmic scale of values.")
@click.argument(
    "logs",
    metavar="LOG...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def plot(
    logs: tuple[Path, ...], out: Path | None, live: bool, columns: tuple[str, ...], logarithmic: bool
) -> None:
    """Draw the curves in each LOG: a file of optim.Logger, of `run --losses`, or what a program printed.

    In a file of optim.Logger each column is a curve. In other text, lines that are the same but for their numbers are:
    of `iteration 100: loss 0.5` the loss, over the iterations. Without -o the picture is shown in a window.
    """
    from torch7py.ops.errors import TorchError
    from torch7py.packages.optional_libraries import import_library

    try:
        import_library("matplotlib", "plots")
    except TorchError as error:
        raise Failure(str(error)) from None
    _curves(logs, columns, live)  # what is wrong with a log is said before there is a window
    drawing = _Window() if out is None else _Picture(out)
    sizes: list[int] = []
    while True:
        now = [log.stat().st_size for log in logs]
        if now != sizes:
            sizes = now
            curves = _curves(logs, columns, live)
            if curves:
                drawing.draw(curves, logarithmic)
                if not live and out is not None:
                    points = max(len(curve.y) for curve in curves)
                    click.echo(f"{out}: {counted(len(curves), 'curve')}, {counted(points, 'point')}")
        if not live:
            break
        drawing.wait(EVERY)
    drawing.keep()


def _curves(logs: Sequence[Path], columns: Sequence[str], live: bool) -> list[Curve]:
    """The curves of all logs. That one has none is an error, unless it may still grow."""
    drawable: list[Curve] = []
    for log in logs:
        curves = curves_in(log.read_text(encoding="utf-8", errors="replace"))
        if not curves and not live:
            raise Failure(f"{log}: there are no numbers in it that could be drawn")
        chosen = [c for c in curves if not columns or any(part.lower() in c.name.lower() for part in columns)]
        if curves and not chosen:
            names = ", ".join(curve.name for curve in curves)
            raise Refusal(f"{log}: no column is called {' or '.join(columns)}, but {names}")
        drawable += [
            curve._replace(name=f"{log.name}: {curve.name}") if len(logs) > 1 else curve for curve in chosen
        ]
    return drawable


def _draw(figure: Any, curves: Sequence[Curve], logarithmic: bool) -> None:
    figure.clear()
    axes = figure.add_subplot()
    for curve in curves:
        axes.plot(curve.x, curve.y, label=curve.name, marker="." if len(curve.y) < 30 else None)
    if logarithmic:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axes.legend(fontsize="small")
    else:
        axes.set_ylabel(curves[0].name)


class _Picture:
    """A file."""

    def __init__(self, path: Path) -> None:
        from matplotlib.figure import Figure

        self.path = path
        self.figure = Figure(figsize=(8, 5), layout="constrained")
        known = self.figure.canvas.get_supported_filetypes()
        self.format = path.suffix.removeprefix(".").lower()
        if self.format not in known:
            raise Refusal(f"{path}: a picture is one of {', '.join('.' + name for name in known)}")

    def draw(self, curves: Sequence[Curve], logarithmic: bool) -> None:
        from torch7py.ops.atomic_file import replacing

        _draw(self.figure, curves, logarithmic)
        with replacing(self.path) as temporary:
            self.figure.savefig(temporary, format=self.format, dpi=120)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def keep(self) -> None:
        pass


class _Window:
    """A window of matplotlib's."""

    def __init__(self) -> None:
        import matplotlib.pyplot as plt

        if plt.get_backend().lower() == "agg":
            raise Refusal("there is no screen for a window: -o FILE.png makes a picture")
        self.plt = plt
        self.figure = plt.figure(figsize=(8, 5), layout="constrained")

    def draw(self, curves: Sequence[Curve], logarithmic: bool) -> None:
        _draw(self.figure, curves, logarithmic)
        self.figure.canvas.draw_idle()

    def wait(self, seconds: float) -> None:
        if not self.plt.fignum_exists(self.figure.number):
            raise click.exceptions.Exit(0)  # it was closed
        self.plt.pause(seconds)

    def keep(self) -> None:
        self.plt.show()
