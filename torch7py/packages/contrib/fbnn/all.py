"""Importing this registers the layers of the fbnn package, and why others are not there."""

from __future__ import annotations

from torch7py.ops.support import unsupported
from torch7py.packages.contrib.fbnn import (  # noqa: F401
    convolution,
    criterion,
    dropout,
    hierarchical,
    linear,
    lookup,
    normalization,
    pooling,
    sparse,
)

__all__: list[str] = []

CLOSED = "needs the package sparse, which was never published"
for _name in ("SparseConverter", "SparseKmax", "SparseLookupTable", "SparseSum"):
    unsupported(f"nn.{_name}", CLOSED)
unsupported("nn.SpatialFoveaCuda", "none of the 91 projects uses it")
unsupported("fbnn.Probe", "it needs a field nn.legacy that nn does not have")
