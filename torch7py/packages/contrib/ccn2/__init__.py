"""ccn2: layers of cuda-convnet2, whose images have the batch as their last dimension."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "ccn2", __name__, ".layers", requires=("cutorch", "nn"), lua="ccn2.lua", makes_global=True, projects=3
)
