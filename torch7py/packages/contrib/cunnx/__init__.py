"""cunnx: layers of nnx for CUDA tensors."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("cunnx", __name__, requires=("cunn",))
