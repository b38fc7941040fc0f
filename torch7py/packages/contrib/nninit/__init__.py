"""nninit: initializations of the weights of a layer."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("nninit", __name__, requires=("nn",), lua="nninit.lua", projects=4)
