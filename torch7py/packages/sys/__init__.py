"""sys: clocks, shell commands and the colours of a terminal."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "sys",
    __name__,
    ".system",
    requires=("paths",),
    lua="sys.lua",
    makes_global=True,
    with_torch=True,
    projects=31,
)
package("sys.colors", __name__, requires=("sys",), lua="colors.lua")
package("sys.fpath", __name__, requires=("sys",), lua="fpath.lua")
