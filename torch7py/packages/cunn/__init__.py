"""cunn: the layers of nn for CUDA tensors, which are the layers of nn, and models on several GPUs."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("cunn", __name__, ".layers", requires=("cutorch", "nn"), with_torch=True, projects=76)
