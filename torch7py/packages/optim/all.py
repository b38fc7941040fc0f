"""Importing this registers all that optim brings."""

from torch7py.packages.optim import (
    adaptive,
    cg,
    checkgrad,
    confusion_matrix,
    descent,
    lbfgs,
    line_search,
)

__all__ = ["adaptive", "cg", "checkgrad", "confusion_matrix", "descent", "lbfgs", "line_search"]
