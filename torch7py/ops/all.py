"""Importing this registers every operation of the torch package."""

from __future__ import annotations

from torch7py.ops import (  # noqa: F401
    bits,
    blas,
    compare,
    convert,
    convolve,
    create,
    elementary,
    file_ops,
    generator_file,
    histogram,
    indexing,
    joining,
    linalg,
    operators,
    pointwise,
    random_ops,
    reduce,
    shape,
    sorting,
    storages,
    timer,
    views,
)
