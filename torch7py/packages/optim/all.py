"""Importing this registers all that optim brings."""

from __future__ import annotations

from torch7py.packages.optim import (
    cg,
    checkgrad,
    confusion_matrix,
    evolution,
    fista,
    lbfgs,
    line_search,
    quirks,
)

__all__ = [
    "cg",
    "checkgrad",
    "confusion_matrix",
    "evolution",
    "fista",
    "lbfgs",
    "line_search",
    "quirks",
]
