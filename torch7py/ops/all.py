"""Importing this registers every operation of the torch package."""

from torch7py.ops import (  # noqa: F401
    bits,
    blas,
    compare,
    convolve,
    create,
    elementary,
    linalg,
    operators,
    order,
    pointwise,
    reduce,
    shape,
)
