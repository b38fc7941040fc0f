"""mnist: the images and labels of handwritten digits."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package("mnist", __name__, ".files", requires=("torch",), lua="mnist.lua")
