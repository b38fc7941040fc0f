"""npy4th: tensors in files of NumPy."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("npy4th", __name__, ".files", requires=("torch",))
