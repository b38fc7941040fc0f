"""cutorch: tensors of CUDA types, devices, streams.

The CUDA types are those of ``ops/types.py``: the numbers of the other types under other names. They are in the memory
of the program's other tensors, on the GPU that ``--device cuda`` names or, with ``--cuda-as cpu``, on the CPU.
"""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "cutorch",
    __name__,
    ".all",
    requires=("torch",),
    lua="cutorch.lua",
    makes_global=True,
    with_torch=True,
    projects=55,
)
