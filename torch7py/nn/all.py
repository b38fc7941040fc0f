"""Importing this registers every layer and criterion of the nn package."""

from __future__ import annotations

from torch7py.nn import (  # noqa: F401
    activation,
    arithmetic,
    base,
    concat,
    container,
    convert,
    criterion,
    decorator,
    distance,
    dropout,
    elementary,
    identity,
    linear,
    map_table,
    product,
    rectifier,
    reduce,
    selecting,
    shape,
    softmax,
    table,
    table_math,
)
