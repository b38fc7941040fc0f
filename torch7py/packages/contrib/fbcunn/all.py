"""Importing this registers the layers of the fbcunn package, and why others are not there."""

from __future__ import annotations

from torch7py.ops.support import unsupported
from torch7py.packages.contrib.fbcunn import layers  # noqa: F401
from torch7py.packages.contrib.fbnn import convolution, lookup  # noqa: F401

__all__: list[str] = []

for _name in ("OneBitDataParallel", "OneBitQuantization"):
    unsupported(f"nn.{_name}", "none of the 91 projects uses it")
for _name in ("CuBLASWrapper", "FFTWrapper"):
    unsupported(f"nn.{_name}", "a binding of NVIDIA's library for its own tests")
