"""fbnn: Facebook's layers beside those of nn."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("fbnn", __name__, ".all", requires=("nn", "tbc"), lua="fbnn.lua", makes_global=True)
