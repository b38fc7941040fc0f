"""image: image files, geometry, colours and convolution kernels."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "image",
    __name__,
    ".all",
    requires=("torch", "xlua", "dok"),
    lua="image.lua",
    makes_global=True,
    with_torch=True,
    projects=50,
)
