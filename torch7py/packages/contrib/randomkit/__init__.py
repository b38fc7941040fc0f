"""randomkit: the random distributions of NumPy."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "randomkit",
    __name__,
    ".distributions",
    requires=("torch",),
    lua="randomkit.lua",
    makes_global=True,
)
