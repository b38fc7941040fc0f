"""Importing this registers every layer and criterion of the nn package."""

from __future__ import annotations

from torch7py.nn import (  # noqa: F401
    activation,
    arithmetic,
    base,
    container,
    criterion,
    dropout,
    elementary,
    linear,
    rectifier,
    softmax,
)
