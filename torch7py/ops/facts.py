"""What a call of an operation as a method, ``x:op(...)``, does to the tensor and what it gives.

All of it follows from the operation's form and its cases (``ops/registry.py``); the tests compare it with what calls
do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from torch7py.ops.registry import Case, Form, operations

__all__ = ["MethodFacts", "facts_of_method"]

_WRITING = (Form.UPDATE, Form.INPLACE, Form.RESULT)
_GIVES = {
    "T": {"fresh"},
    "Byte": {"fresh"},
    "view": {"view"},
    "item": {"view", "value"},
    "typed": {"fresh", "receiver"},
    "self": {"receiver"},
    "multi": {"several"},
}


@dataclass(frozen=True)
class MethodFacts:
    """The facts of a method; where its cases differ, what one of them may do.

    - ``writes``: whether it changes its tensor, its elements or which memory and shape it has: ``always``, ``never``,
      or ``as result``, where it is given an operand as well, ``x:sum(y, 1)``;
    - ``gives``: what it gives otherwise: the ``receiver`` itself, a ``view`` of its memory, a ``fresh`` tensor,
      ``several`` results, an ``operand``, or a ``value`` that is no tensor, a storage or a table say, which may lie
      in its memory;
    - ``draws``: whether it draws random numbers;
    - ``elementwise``: whether it may be called without arguments and then treats each element alone.
    """

    writes: str
    gives: frozenset[str]
    draws: bool
    elementwise: bool


@cache
def facts_of_method(name: str) -> MethodFacts | None:
    """The facts of a method of tensors; None where the register has none of this name."""
    operation = operations.get(name)
    if operation is None or not operation.has_method:
        return None
    cases = [case for case in operation.cases if _is_of_tensor(case)]
    if not cases:
        return None
    gives: set[str] = {"receiver"} if operation.may_keep or operation.form in _WRITING else set()
    if operation.form not in _WRITING:
        gives = gives.union(*map(_gives, cases))
    returns_itself = any(case.returns == "self" for case in cases)
    always = operation.form in _WRITING or returns_itself
    writes = "always" if always else "as result" if operation.form is Form.QUERY else "never"
    draws = any(p.kind == "generator" for case in cases for p in case.parameters)
    elementwise = operation.form is Form.UPDATE and any(
        c.elementwise and len(c.parameters) == 1 for c in cases
    )
    return MethodFacts(writes, frozenset(gives), draws, elementwise)


def _gives(case: Case) -> set[str]:
    gives = _GIVES.get(case.returns, {"value"})
    if not case.gives_last or case.returns != "self":
        return gives
    last = {"operand" if case.parameters[-1].kind == "T" else "value"}
    return last if case.gives_last == "always" else gives | last


def _is_of_tensor(case: Case) -> bool:
    """Whether a case may be called on a tensor: its first parameter is one, or it writes its result into one."""
    first = case.parameters[:1]
    return case.returns != "value" or bool(first and first[0].kind in ("T", "F", "any", "Long", "Byte"))
