"""matio: files of MATLAB."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("matio", __name__, ".files", requires=("torch",), lua="matio.lua", projects=3)
