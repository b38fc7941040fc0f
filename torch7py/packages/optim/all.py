"""Importing this registers all that optim brings."""

from __future__ import annotations

from torch7py.packages.optim import (
    adaptive,
    cg,
    checkgrad,
    confusion_matrix,
    descent,
    evolution,
    fista,
    lbfgs,
    line_search,
)

__all__ = [
    "adaptive",
    "cg",
    "checkgrad",
    "confusion_matrix",
    "descent",
    "evolution",
    "fista",
    "lbfgs",
    "line_search",
]
