"""csvigo: files of comma-separated values."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("csvigo", __name__, requires=("torch", "xlua"), lua="csvigo.lua", makes_global=True, projects=4)
