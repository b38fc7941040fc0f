"""Importing this registers what the dpnn package adds to all modules."""
from __future__ import annotations

from torch7py.nn.registry import extend
from torch7py.nn.stepping import DPNN_METHODS

extend("nn.Module", DPNN_METHODS, package="dpnn")
