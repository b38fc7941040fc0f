"""unsup: k-means, principal components, and modules that learn without targets."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "unsup",
    __name__,
    ".layers",
    requires=("nn", "optim", "xlua"),
    lua="unsup.lua",
    makes_global=True,
    projects=5,
)
