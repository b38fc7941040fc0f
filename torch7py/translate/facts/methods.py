"""The facts of tensor methods, as the translation asks for them."""

from __future__ import annotations

import torch

import torch7py.ops.all  # noqa: F401  (registers the operations)
from torch7py.ops.facts import facts_of_method
from torch7py.ops.registry import operations

__all__ = ["DRAWING", "ELEMENTWISE", "READING", "VIEWS"]

_FACTS = {
    name: facts for name in operations if "." not in name and (facts := facts_of_method(name)) is not None
}
_READING = {name for name, facts in _FACTS.items() if facts.writes != "always"}
# Methods that may give another view of the same memory, or the tensor itself, and change nothing. One of a GPU's is
# registered by its package.
VIEWS = frozenset(name for name in _READING if _FACTS[name].gives & {"view", "receiver"}) | {"cuda"}
# Those that leave their tensor as it is, unless they are given an operand besides it.
READING = VIEWS | _READING
# Methods that work element by element and need no arguments, and that PyTorch has as functions of the same names.
ELEMENTWISE = frozenset(name for name, facts in _FACTS.items() if facts.elementwise and hasattr(torch, name))
# Those that draw random numbers.
DRAWING = frozenset(name for name, facts in _FACTS.items() if facts.draws)
