"""graph: directed graphs, in order and drawn."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "graph",
    __name__,
    ".all",
    requires=("torch",),
    lua="graph.lua",
    makes_global=True,
    with_torch=True,
)
