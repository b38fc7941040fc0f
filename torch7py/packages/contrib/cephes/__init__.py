"""cephes: special functions and distributions, by SciPy."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("cephes", __name__, ".functions", requires=("torch",), lua="cephes.lua", makes_global=True)
