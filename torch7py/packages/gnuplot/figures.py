"""A program's figures by number: which is the current one, and when their files are written.

A figure with a file is written when the program asks for it (``plotflush``), turns to another figure or closes it, and
when the program ends. There are no windows: a figure without a file is kept, and ``figprint`` writes it.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.packages.gnuplot.drawing import Figure, draw

__all__ = ["ENDS", "Figures"]

ENDS = ("eps", "png", "pdf", "svg")


class Figures:
    """Figures, one of which is the current one. ``changed`` are the numbers of those whose file is behind."""

    def __init__(self) -> None:
        self.figures: dict[int, Figure] = {}
        self.current: int | None = None
        self.changed: set[int] = set()
        self.notified = False

    def path(self, file: str) -> str:
        """A program's name of a file as Python's."""
        return file

    def save(self, figure: Figure, file: str, kind: str) -> None:
        """Write a figure to a file."""
        try:
            draw(figure).savefig(self.path(file), format=kind)
        except OSError as error:
            raise TorchError(f"gnuplot: cannot write {file}: {error.strerror}") from None

    def show(self, number: int, figure: Figure) -> None:
        """Show a figure that has no file."""
        if not self.notified:
            self.notified = True
            print(
                "gnuplot: there are no windows here; gnuplot.pngfigure, svgfigure, pdffigure and epsfigure make files",
                file=sys.stderr,
            )

    def turn_to(self, number: float | None = None, file: str | None = None, kind: str = "png") -> int:
        """Make a figure the current one, a new one without a number, and set its file. The figure's number."""
        if file is not None and not Path(self.path(file)).absolute().parent.is_dir():
            raise TorchError(f"gnuplot: cannot write {file}: directory does not exist")
        if number is None:
            number = next(n for n in itertools.count(1) if n not in self.figures)
        self.current = int(number)
        for other in sorted(self.changed - {self.current}):
            self.flush(other)
        figure = self.figures.setdefault(self.current, Figure())
        if file is not None:
            figure.file, figure.format = file, kind
        return self.current

    def change(self) -> Figure:
        """The current figure, in which something is drawn."""
        number = self.turn_to() if self.current is None else self.current
        self.changed.add(number)
        return self.figures[number]

    def number_of(self, number: float | None) -> int | None:
        """The number of a figure that there is; of the current one without a number."""
        number = self.current if number is None else number
        return int(number) if number in self.figures else None

    def flush(self, number: int) -> None:
        """Write a figure's file if it has one and something has been drawn since."""
        figure = self.figures[number]
        if number in self.changed and figure.kind is not None:
            if figure.file is not None:
                self.save(figure, figure.file, figure.format)
            else:
                self.show(number, figure)
        self.changed.discard(number)

    def close(self, number: float | None = None) -> None:
        """Write a figure's file and forget the figure."""
        there = self.number_of(number)
        if there is not None:
            self.flush(there)
            del self.figures[there]
            self.current = None if self.current == there else self.current

    def close_all(self) -> None:
        for number in list(self.figures):
            self.close(number)

    def write(self, file: str) -> None:
        """Write the current figure to a file, whose kind the end of its name says."""
        kind = file.rpartition(".")[2].lower()
        if kind not in ENDS:
            raise ArgumentError(
                f"gnuplot.figprint: {file} is none of " + ", ".join(f"*.{end}" for end in ENDS)
            )
        figure = self.figures[self.turn_to(self.current)]
        if figure.kind is None:
            raise TorchError("gnuplot.figprint: nothing has been plotted in this figure")
        self.save(figure, file, kind)

    def finish(self) -> None:
        """Write the files that are behind when the program ends; an error in one does not keep the others."""
        for number in sorted(self.changed):
            self._finish(number)

    def _finish(self, number: int) -> None:
        try:
            self.flush(number)
        except TorchError as error:
            print(error, file=sys.stderr)
