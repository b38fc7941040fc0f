"""fbcunn: Facebook's layers for GPUs."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("fbcunn", __name__, ".all", requires=("fbnn", "cunn"), lua="fbcunn.lua", projects=5)
