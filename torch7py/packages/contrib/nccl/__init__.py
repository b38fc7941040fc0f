"""nccl: sums and copies among tensors on several GPUs."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("nccl", __name__, requires=("cutorch",), lua="nccl.lua", makes_global=True)
