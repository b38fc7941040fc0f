"""``x.THNN``, the functions behind nn's layers; the tables of them are made in ``THNN.lua``."""

from __future__ import annotations

from torch7py.nn.thnn import call_kernel, kernels
from torch7py.packages.registry import function

__all__: list[str] = []

function("nn.THNN.call")(call_kernel)


@function("nn.THNN.names")
def names() -> list[str]:
    """What the functions are called."""
    return list(kernels)
