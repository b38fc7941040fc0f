"""mattorch: files of MATLAB as tensors whose dimensions are reversed."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "mattorch",
    __name__,
    requires=("torch", "xlua", "matio"),
    lua="mattorch.lua",
    makes_global=True,
)
