"""cudnn: the layers of NVIDIA's library.

They are the layers of nn, with cuDNN's arguments and defaults where these differ. A cudnn layer exists where its nn
twin does (see ``layers.py``).
"""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "cudnn",
    __name__,
    ".all",
    requires=("cutorch", "nn"),
    lua="cudnn.lua",
    makes_global=True,
    with_torch=True,
    projects=49,
)
