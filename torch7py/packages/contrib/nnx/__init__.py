"""nnx: layers beside those of nn, as far as programs use them."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "nnx",
    __name__,
    ".all",
    requires=("nn", "xlua"),
    lua="nnx.lua",
    makes_global=True,
    with_torch=True,
    projects=6,
)
