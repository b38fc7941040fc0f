"""nngraph: graphs of modules written as function calls."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "nngraph",
    __name__,
    ".all",
    requires=("nn", "graph", "paths"),
    lua="nngraph.lua",
    makes_global=True,
    with_torch=True,
    projects=47,
)
package("nngraph.nesting", __name__, requires=("torch",), lua="nesting.lua")
