"""Importing this registers all that nngraph brings."""

from __future__ import annotations

from torch7py.nn import gmodule
from torch7py.packages.nngraph import layers, scripts

__all__ = ["gmodule", "layers", "scripts"]
