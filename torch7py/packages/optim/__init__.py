"""optim: optimizers that change a flat vector of parameters in place, confusion matrices and logs."""

from __future__ import annotations

from torch7py.packages.registry import package

__all__: list[str] = []

package(
    "optim",
    __name__,
    ".all",
    requires=("torch", "xlua"),
    lua="optim.lua",
    makes_global=True,
    with_torch=True,
    projects=75,
)
