"""``x.THNN``, the functions behind nn's layers; ``THNN.lua`` makes the tables of them."""

from __future__ import annotations

from torch7py.nn.thnn import call_kernel, kernels
from torch7py.packages.registry import function

__all__: list[str] = []

function("nn.THNN.call")(call_kernel)


@function("nn.THNN.names")
def names() -> list[str]:
    """The names of the functions."""
    return list(kernels)
