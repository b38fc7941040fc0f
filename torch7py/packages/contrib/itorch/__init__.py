"""itorch: pictures, plots and HTML in a notebook."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "itorch",
    __name__,
    ".showing",
    requires=("torch", "image", "gnuplot"),
    lua="itorch.lua",
    makes_global=True,
)
