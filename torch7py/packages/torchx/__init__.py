"""torchx: functions over nested tables of tensors, a queue, and the files under a folder."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "torchx",
    __name__,
    ".files",
    requires=("torch", "paths", "sys"),
    lua="torchx.lua",
    makes_global=True,
    projects=3,
)
