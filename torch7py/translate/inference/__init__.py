"""What kind each expression of a program has: number, string, tensor, table, module, ...

Kinds flow both ways: from constructors and known results to where a value is used, and from how a value is used
(a method that only tensors have, a bound of a loop) back to where it comes from. Types that must agree are one
object (union-find); what depends on a kind that is not known yet (``a + b``, ``a[i]``, ``a:f()``) is a rule that is
tried again until nothing changes. A variable that is assigned anew on a straight line has a type for each stretch.
"""

from __future__ import annotations

from torch7py.translate.inference.statements import infer

__all__ = ["infer"]
