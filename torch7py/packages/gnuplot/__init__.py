"""gnuplot: plots, written to files by matplotlib."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "gnuplot",
    __name__,
    ".commands",
    requires=("torch", "paths"),
    lua="gnuplot.lua",
    makes_global=True,
    with_torch=True,
    projects=13,
)
