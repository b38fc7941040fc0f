"""loadcaffe: networks from files of Caffe."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "loadcaffe",
    __name__,
    ".caffemodel",
    requires=("nn",),
    lua="loadcaffe.lua",
    makes_global=True,
    projects=10,
)
