"""Outputs that a program keeps while their module is called again.

A Torch7 module writes its output into the same tensors at every call: what an earlier call gave, or a view of it, has
the newest values then. In PyTorch it keeps its own. Where a program reads such an output the two differ, and there
is no page for the statement.
"""

from __future__ import annotations

from torch7py.translate.native.outputs.flow import overwritten

__all__ = ["overwritten"]
