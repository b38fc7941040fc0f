"""xlua: progress bars, named arguments, options, and functions on strings and tables."""

from __future__ import annotations

from torch7py.ops.support import restricted
from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "xlua",
    __name__,
    ".system",
    requires=("torch", "sys"),
    lua="xlua.lua",
    makes_global=True,
    with_torch=True,
    projects=36,
)

restricted("xlua.Profiler", "displayAll is an error: it draws with Qt")
