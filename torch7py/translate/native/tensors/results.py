"""Operations into a tensor that is given: ``torch.cmul(r, x, y)`` and ``r:cmul(x, y)``.

Torch7 gives the result the size it needs. So do PyTorch's functions with ``out=``, where ``copy_`` asks for the same.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts.methods import ELEMENTWISE
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.integer_tensors import operation
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.rules import Arguments, dimension
from torch7py.translate.tree import Expression, Index, Name

__all__ = ["PRODUCTS", "into", "into_receiver", "into_two"]

_OF_TWO = {
    "add": "add",
    "csub": "sub",
    "mul": "mul",
    "cmul": "mul",
    "div": "div",
    "cdiv": "div",
    "pow": "pow",
    "cpow": "pow",
    "fmod": "fmod",
    "cfmod": "fmod",
    "remainder": "remainder",
    "cremainder": "remainder",
    "atan2": "atan2",
    "eq": "eq",
    "ne": "ne",
    "lt": "lt",
    "gt": "gt",
    "le": "le",
    "ge": "ge",
}
_OPERATORS = {"mul": "*", "cmul": "*", "div": "/", "cdiv": "/", "add": "+", "csub": "-"}
PRODUCTS = {"mm": "mm", "mv": "mv", "bmm": "bmm", "ger": "outer"}
_REDUCTIONS = ("sum", "mean", "prod")
_RENAMED = {"cinv": "reciprocal"}


def into(t: Translation, result: str, name: str, arguments: Arguments) -> Py | None:
    """The call that leaves an operation's result in a tensor, and gives it; None where there is none with ``out=``."""
    kinds = [t.kind(argument) for argument in arguments]
    if name == "pow" and kinds == ["number", "tensor"]:
        return atom(f"torch.pow({t.value(arguments[0])}, {t.value(arguments[1])}, out={result})")
    if not arguments or kinds[0] != "tensor":
        return None
    texts = [str(t.value(argument)) for argument in arguments]
    if name == "round" and len(arguments) == 1:
        return atom(f"{result}.resize_as_({texts[0]}).copy_({t.need('round_away')}({texts[0]}))")
    if (name in ELEMENTWISE or name == "cinv") and len(arguments) == 1:
        return atom(f"torch.{_RENAMED.get(name, name)}({texts[0]}, out={result})")
    if name in _OF_TWO and len(arguments) == 2:
        operator = _OPERATORS.get(name)
        if operator is not None and operation(t, arguments[0], operator, arguments[1]) is not None:
            return None  # of whole numbers, which PyTorch's functions do not divide as Torch7 does
        other = t.expressions.beside(arguments[1], arguments[0]) if kinds[1] == "tensor" else texts[1]
        return atom(f"torch.{_OF_TWO[name]}({texts[0]}, {other}, out={result})")
    if name in ("add", "csub") and kinds == ["tensor", "number", "tensor"]:
        other = t.expressions.beside(arguments[2], arguments[0])
        return atom(f"torch.{_OF_TWO[name]}({texts[0]}, {other}, alpha={texts[1]}, out={result})")
    if name in ("cmax", "cmin") and len(arguments) == 2:
        if kinds[1] == "number":
            bound = "min" if name == "cmax" else "max"
            return atom(f"torch.clamp({texts[0]}, {bound}={texts[1]}, out={result})")
        other = t.expressions.beside(arguments[1], arguments[0])
        return atom(f"torch.{name[1:]}imum({texts[0]}, {other}, out={result})")
    if name == "clamp" and len(arguments) == 3:
        return atom(f"torch.clamp({', '.join(texts)}, out={result})")
    if name in _REDUCTIONS and len(arguments) == 2 and kinds[1] == "number":
        return atom(f"torch.{name}({texts[0]}, {dimension(t, arguments[1])}, keepdim=True, out={result})")
    if name in ("cumsum", "cumprod") and len(arguments) <= 2:
        dim = dimension(t, arguments[1]) if len(arguments) > 1 else "0"
        return atom(f"torch.{name}({texts[0]}, {dim}, out={result})")
    if name in ("tril", "triu", "diag") and "tensor" not in kinds[1:]:
        return atom(f"torch.{name}({', '.join(texts)}, out={result})")
    if name in PRODUCTS and len(arguments) == 2:
        return atom(f"torch.{PRODUCTS[name]}({texts[0]}, {texts[1]}, out={result})")
    if name == "inverse" and len(arguments) == 1:
        return atom(f"torch.linalg.inv({texts[0]}, out={result})")
    if name == "cat" and kinds[1:2] == ["tensor"]:
        dim = dimension(t, arguments[2]) if len(arguments) > 2 else "-1"
        return atom(f"torch.cat([{texts[0]}, {texts[1]}], {dim}, out={result})")
    return None


def into_receiver(t: Translation, receiver: Expression, name: str, arguments: Arguments) -> Py:
    """``r:cmul(x, y)``; refused where there is no form."""
    written = into(t, t.value(receiver).at(code.ATOM), name, arguments)
    if written is None:
        raise Problem("T7-271", receiver.line, f"{name} into a result")
    return written


def into_two(t: Translation, name: str, values: Expression, places: Expression, rest: Arguments) -> bool:
    """``torch.max(values, places, x, dim)`` as statements; whether it is one of its kind.

    Torch7's places count from 1.
    """
    if name not in ("max", "min", "sort", "kthvalue", "median") or not rest or t.kind(rest[0]) != "tensor":
        return False
    numbers = [node for node in rest[1:] if not isinstance(node, tree.Boolean)]
    flags = [node.value for node in rest[1:] if isinstance(node, tree.Boolean)]
    if any(t.kind(node) != "number" for node in numbers) or (name in ("max", "min") and not numbers):
        raise Problem("T7-271", values.line, f"{name} into two tensors, with these arguments")
    count = [str(t.expressions.whole_number(numbers.pop(0)))] if name == "kthvalue" else []
    args = [str(t.value(rest[0])), *count, dimension(t, numbers[0]) if numbers else "-1"]
    if name != "sort":
        args.append("keepdim=True")
    elif flags and flags[0]:
        args.append("descending=True")
    t.emit(f"torch.{name}({', '.join(args)}, out=({t.value(values)}, {t.value(places)}))")
    if isinstance(places, (Name, Index)):
        t.emit(f"{t.value(places)} += 1")
    return True
