"""Tensors: Torch7's functions and methods as PyTorch's, with dimensions and positions counted from 0."""

from __future__ import annotations

from torch7py.translate.native.tensors import (  # noqa: F401  (they register rules)
    algebra,
    changes,
    forms,
    names_of_types,
    reductions,
    selecting,
    updates,
    views,
)
from torch7py.translate.native.tensors.calls import (
    both,
    gives_places,
    is_new,
    method,
    new,
    places,
    several,
    statement,
)
from torch7py.translate.native.tensors.functions import torch_function, torch_statement
from torch7py.translate.native.tensors.reductions import fitted

__all__ = [
    "both",
    "fitted",
    "gives_places",
    "is_new",
    "method",
    "new",
    "places",
    "several",
    "statement",
    "torch_function",
    "torch_statement",
]
