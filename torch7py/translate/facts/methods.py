"""The facts of tensor methods, as the translation asks for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

import torch7py.ops.all  # noqa: F401  (registers the operations)
from torch7py.ops.facts import facts_of_method
from torch7py.ops.registry import Form, Parameter, operations

__all__ = [
    "CHANGING",
    "CHANGING_ELEMENTS",
    "COMPARISONS",
    "DRAWING",
    "ELEMENTWISE",
    "READING",
    "VIEWS",
    "gives_last",
    "gives_new_tensor",
    "gives_one",
    "is_like_method",
    "takes_another",
    "writes_first_argument",
]

_FACTS = {
    name: facts for name in operations if "." not in name and (facts := facts_of_method(name)) is not None
}
_READING = {name for name, facts in _FACTS.items() if facts.writes != "always"}
# Methods that may give another view of the same memory, or the tensor itself, and change nothing. One of a GPU's is
# registered by its package.
VIEWS = frozenset(name for name in _READING if _FACTS[name].gives & {"view", "receiver"}) | {"cuda"}
# Those that leave their tensor as it is, unless they are given an operand besides it.
READING = VIEWS | _READING
# Methods that change their tensor, whatever they are given; and those of them that give it other elements alone.
CHANGING = frozenset(name for name, facts in _FACTS.items() if facts.writes == "always")
CHANGING_ELEMENTS = frozenset(
    name for name in CHANGING if operations[name].form in (Form.UPDATE, Form.INPLACE)
)
# Methods that work element by element and need no arguments, and that PyTorch has as functions of the same names.
ELEMENTWISE = frozenset(name for name, facts in _FACTS.items() if facts.elementwise and hasattr(torch, name))
# Those that compare elements, with Python's operators for them.
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">="}
# Those that draw random numbers.
DRAWING = frozenset(name for name, facts in _FACTS.items() if facts.draws)

# Kinds of values, as the inference names them, that the kinds of parameters take. None: a value of any kind.
_TENSORS = ("tensor", None)
_NUMBERS = ("number", None)
_VALUES = {
    **dict.fromkeys(("T", "F", "like", "any", "Long", "Byte"), _TENSORS),
    **dict.fromkeys(("real", "number", "int", "index"), _NUMBERS),
    "bool": ("boolean", None),
    "string": ("string", None),
    "list": ("table", None),
    "storage": ("storage", "memory", None),
}


def is_like_method(name: str) -> bool:
    """Whether ``torch.name(x, ...)`` does what ``x:name(...)`` does."""
    operation = operations.get(name)
    return operation is not None and operation.form in (Form.INPLACE, Form.METHOD, Form.QUERY)


def gives_new_tensor(name: str) -> bool:
    """Whether ``x.name(...)``, the function that is a method of tensors, makes a tensor of what it is given."""
    operation = operations.get(name)
    return operation is not None and operation.form is Form.QUERY and operation.cases[0].returns == "T"


def gives_one(name: str) -> bool:
    """Whether ``torch.name(...)`` is an operation that never gives more than one value."""
    operation = operations.get(name)
    return operation is not None and all(case.returns != "multi" for case in operation.cases)


def writes_first_argument(name: str, kinds: list[str | None]) -> bool:
    """Whether ``torch.name(r, x, ...)`` with arguments of such kinds leaves in r what it makes of the others."""
    operation = operations.get(name)
    if operation is None or kinds[:1] != ["tensor"] or _is_call_of(name, kinds):
        return False
    return operation.form in (Form.UPDATE, Form.RESULT, Form.QUERY) and _is_call_of(name, kinds[1:])


def gives_last(name: str, kinds: list[str | None]) -> str:
    """Whether ``x:name(...)`` with arguments of such kinds gives the last of these, and of which tensors (``Case``)."""
    operation = operations.get(name)
    if operation is None or (operation.form is Form.QUERY and not takes_another(name, kinds)):
        return ""
    return operation.cases[0].gives_last


def takes_another(name: str, kinds: list[str | None]) -> bool:
    """Whether ``x:name(y, ...)`` with arguments of such kinds leaves in x what it makes of y and of those after it."""
    operation = operations.get(name)
    makes_all = operation is not None and operation.form is Form.RESULT
    return (makes_all or "tensor" in kinds) and writes_first_argument(name, ["tensor", *kinds])


def _is_call_of(name: str, kinds: Sequence[str | None]) -> bool:
    return any(_fits(case.parameters, kinds) for case in operations[name].cases)


def _fits(parameters: Sequence[Parameter], kinds: Sequence[str | None]) -> bool:
    """Whether arguments of such kinds are those of a signature."""
    if not parameters:
        return not kinds
    first, rest = parameters[0], parameters[1:]
    if first.kind == "sizes":
        return bool(kinds) and (
            all(kind in _NUMBERS for kind in kinds) or (len(kinds) == 1 and kinds[0] in ("storage", "table"))
        )
    takes = bool(kinds) and kinds[0] in _VALUES.get(first.kind, ("object",))
    return (takes and _fits(rest, kinds[1:])) or (first.optional and _fits(rest, kinds))
