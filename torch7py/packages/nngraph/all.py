"""Importing this registers all that nngraph brings."""

from __future__ import annotations

from torch7py.nn import gmodule
from torch7py.packages.nngraph import graph_functions, layers

__all__ = ["gmodule", "graph_functions", "layers"]
