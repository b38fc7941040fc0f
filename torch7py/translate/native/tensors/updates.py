"""Operations that Torch7 has in three forms: ``x:cmul(y)`` changes x, ``torch.cmul(x, y)`` makes a new tensor, and
``r:cmul(x, y)`` or ``torch.cmul(r, x, y)`` leaves the result in a tensor that is there.

Each is one function of PyTorch's (``_computed``), of which the forms follow: ``x.mul_(y)``, ``x * y`` and
``torch.mul(x, y, out=r)``. Torch7 gives the result the size it needs. So do PyTorch's functions with ``out=``, where
``copy_`` asks for the same.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from torch7py.translate import page_library, tree
from torch7py.translate.facts.methods import COMPARISONS, ELEMENTWISE
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom, minus_one
from torch7py.translate.native.integer_tensors import changed, elements, operation
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.tensors.rules import Arguments, dimension, in_place, receiver_text, renewed
from torch7py.translate.tree import Expression, Index, Invoke, Name

__all__ = ["into", "into_two", "new_tensor"]

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
    **dict(zip(COMPARISONS, COMPARISONS, strict=True)),
}
_OPERATORS = {"mul": "*", "cmul": "*", "div": "/", "cdiv": "/", "add": "+", "csub": "-"}
_PRODUCTS = {"mm": "mm", "mv": "mv", "bmm": "bmm", "ger": "outer"}
_REDUCTIONS = ("sum", "mean", "prod")
_RENAMED = {"cinv": "reciprocal"}


class _Computation(NamedTuple):
    """A function of PyTorch's, and its arguments, of which the first is the tensor that it starts from."""

    function: str
    args: list[str]

    def call(self, *more: str) -> Py:
        return atom(f"torch.{self.function}({', '.join([*self.args, *more])})")


def _computed(t: Translation, name: str, arguments: Arguments) -> _Computation | None:
    """What computes ``torch.name(x, ...)``; None where there is none for such arguments."""
    kinds = [t.kind(argument) for argument in arguments]
    if name == "pow" and kinds == ["number", "tensor"]:
        return _Computation("pow", [str(t.value(argument)) for argument in arguments])
    if kinds[:1] != ["tensor"]:
        return None
    numbers = [argument for argument, kind in zip(arguments, kinds, strict=True) if kind == "number"]
    if elements(t, arguments[0]) == "whole" and not all(map(t.whole, numbers)):
        raise Undecided("T7-271", arguments[0].line, "fractions with a tensor of whole numbers")
    texts = [str(t.value(argument)) for argument in arguments]
    if (name in ELEMENTWISE or name in _RENAMED) and len(arguments) == 1:
        return _Computation(_RENAMED.get(name, name), texts)
    if name in _OF_TWO and len(arguments) == 2:
        return _Computation(_OF_TWO[name], [texts[0], t.expressions.beside(arguments[1], arguments[0])])
    if name in ("add", "csub") and kinds == ["tensor", "number", "tensor"]:
        other = t.expressions.beside(arguments[2], arguments[0])
        return _Computation(_OF_TWO[name], [texts[0], other, f"alpha={texts[1]}"])
    if name in ("cmax", "cmin") and kinds == ["tensor", "number"]:
        return _Computation("clamp", [texts[0], f"{'min' if name == 'cmax' else 'max'}={texts[1]}"])
    if name in ("cmax", "cmin") and len(arguments) == 2:
        return _Computation(f"{name[1:]}imum", [texts[0], t.expressions.beside(arguments[1], arguments[0])])
    if name == "clamp" and len(arguments) == 3:
        return _Computation(name, texts)
    if name == "lerp" and len(arguments) == 3:
        return _Computation(name, [texts[0], t.expressions.beside(arguments[1], arguments[0]), texts[2]])
    if name == "renorm" and len(arguments) == 4:
        return _Computation(name, [*texts[:2], dimension(t, arguments[2]), texts[3]])
    if name in ("addcmul", "addcdiv"):
        if kinds == ["tensor", "number", "tensor", "tensor"]:
            return _Computation(name, [texts[0], *texts[2:], f"value={texts[1]}"])
        return _Computation(name, texts) if kinds == ["tensor"] * 3 else None
    if name in _PRODUCTS and len(arguments) == 2:
        return _Computation(_PRODUCTS[name], texts)
    return None


def new_tensor(t: Translation, name: str, arguments: Arguments) -> Py | None:
    """``torch.name(x, ...)``, a new tensor; None where there is no form."""
    kinds = [t.kind(argument) for argument in arguments]
    first = arguments[0]
    if name == "round" and kinds == ["tensor"]:
        return atom(f"{t.need('round_away')}({t.value(first)})")
    operator = _OPERATORS.get(name)
    if operator is not None and kinds[:1] == ["tensor"]:
        level = code.ADD if operator in "+-" else code.MULTIPLY
        if len(arguments) == 2:
            whole = operation(t, first, operator, arguments[1])
            if whole is not None:
                return whole
            left, right = t.value(first).at(level), t.expressions.beside(arguments[1], first, level + 1)
            return Py(f"{left} {operator} {right}", level)
        if kinds == ["tensor", "number", "tensor"]:
            scale = t.value(arguments[1]).at(code.MULTIPLY)
            product = f"{scale} * {t.expressions.beside(arguments[2], first, code.MULTIPLY + 1)}"
            return Py(f"{t.value(first).at(code.ADD)} {operator} {product}", code.ADD)
        return None
    if name in ("mm", "mv") and kinds == ["tensor", "tensor"]:
        left, right = t.value(first).at(code.MULTIPLY), t.value(arguments[1]).at(code.MULTIPLY + 1)
        return Py(f"{left} @ {right}", code.MULTIPLY)
    if name in COMPARISONS:
        return None  # written with operators, as methods
    computation = _computed(t, name, arguments)
    if computation is None:
        return None
    if name in ("cmax", "cmin") and computation.function == "clamp":  # of one side
        return atom(f"{t.value(first).at(code.ATOM)}.clamp({computation.args[1]})")
    if computation.function == "pow":
        return code.power(t.value(first), t.value(arguments[1]))
    return computation.call()


def into(t: Translation, result: str, name: str, arguments: Arguments) -> Py | None:
    """The call that leaves an operation's result in a tensor, and gives it; None where there is none with ``out=``."""
    kinds = [t.kind(argument) for argument in arguments]
    if name == "round":
        return None
    operator = _OPERATORS.get(name)
    is_arithmetic = operator is not None and len(arguments) == 2
    if is_arithmetic and operation(t, arguments[0], operator or "", arguments[1]) is not None:
        return None  # of whole numbers, which PyTorch's functions do not divide as Torch7 does
    computation = _computed(t, name, arguments)
    if computation is not None:
        return computation.call(f"out={result}")
    if kinds[:1] != ["tensor"]:
        return None
    texts = [str(t.value(argument)) for argument in arguments]
    if name in _REDUCTIONS and kinds == ["tensor", "number"]:
        return atom(f"torch.{name}({texts[0]}, {dimension(t, arguments[1])}, keepdim=True, out={result})")
    if name in ("cumsum", "cumprod") and len(arguments) <= 2:
        dim = dimension(t, arguments[1]) if len(arguments) > 1 else "0"
        return atom(f"torch.{name}({texts[0]}, {dim}, out={result})")
    if name in ("tril", "triu", "diag") and "tensor" not in kinds[1:]:
        return atom(f"torch.{name}({', '.join(texts)}, out={result})")
    if name in ("index", "gather") and len(arguments) == 3:
        function = {"index": "index_select"}.get(name, name)
        indices = minus_one(t.value(arguments[2]))
        return atom(f"torch.{function}({texts[0]}, {dimension(t, arguments[1])}, {indices}, out={result})")
    if name == "inverse" and len(arguments) == 1:
        return atom(f"torch.linalg.inv({texts[0]}, out={result})")
    if name == "cat" and kinds[1:2] == ["tensor"]:
        dim = dimension(t, arguments[2]) if len(arguments) > 2 else "-1"
        return atom(f"torch.cat([{texts[0]}, {texts[1]}], {dim}, out={result})")
    return None


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


def _changed(name: str) -> None:
    """``x:name(...)`` that changes x."""

    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        base = receiver_text(t, receiver)
        operator = _OPERATORS.get(name)
        if operator is not None and len(arguments) == 1:
            whole = changed(t, receiver, operator, arguments[0])
            if whole is not None:
                return whole
        if operator is not None and len(arguments) == 2 and _stays_tensor(t, arguments[0]):
            factor, other = t.value(arguments[0]), t.value(arguments[1])  # with its graph: that is no alpha
            product = f"{factor.at(code.MULTIPLY)} * {other.at(code.MULTIPLY + 1)}"
            return atom(f"{base}.{_OF_TWO[name]}_({product})")
        computation = _computed(t, name, (receiver, *arguments))
        if computation is None:
            problem = Undecided if page_library.has_method("tensor", name) else Problem
            raise problem("T7-271", receiver.line, f"{name} with these arguments")
        function, args = computation.function, [arg for arg in computation.args[1:] if arg != "alpha=1"]
        if not hasattr(torch.Tensor, f"{function}_"):
            return renewed(t, receiver, lambda base: f"torch.{function}({', '.join([base, *args])})")
        return atom(f"{base}.{function}_({', '.join(args)})")

    in_place[name] = write


for _lua in (
    *(_OF_TWO.keys() - COMPARISONS.keys()),
    *("addcdiv", "addcmul", "cinv", "clamp", "cmax", "cmin", "lerp", "renorm"),
    *(ELEMENTWISE - {"round"}),
):
    _changed(_lua)


def _stays_tensor(t: Translation, node: Expression) -> bool:
    """Whether a number is written as the tensor that it is computed from: an element, or a sum."""
    parts = [inner for inner in tree.walk(node) if isinstance(inner, Index) and inner in t.raw_elements]
    sums = [inner for inner in tree.walk(node) if isinstance(inner, Invoke) and inner in t.raw_elements]
    sources = [*(part.base for part in parts), *(inner.receiver for inner in sums if not t.whole(inner))]
    return any(t.kind(source) == "tensor" for source in sources)
