"""Tensors of whole numbers: what Torch7 computes with them is whole too, and comparisons give 0 and 1."""

from __future__ import annotations

from torch7py.translate import library, tree
from torch7py.translate.facts.methods import COMPARISONS, takes_another
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Invoke, Name
from torch7py.translate.tree_queries import bare

__all__ = [
    "changed",
    "counted_comparisons",
    "elements",
    "operation",
]

WHOLE = {"Long", "Int", "Short", "Byte", "Char"}
_ARITHMETIC = ("add", "csub", "mul", "cmul", "div", "cdiv")
_IN_PLACE = {"+": "add_", "-": "sub_", "*": "mul_", "/": "div_"}
_CONVERSIONS = {"long", "int", "short", "byte", "char"}
# What has the elements of its receiver, or of its first argument.
_ALIKE = COMPARISONS.keys() | set(
    "clone contiguous narrow select sub view viewAs reshape t transpose expand expandAs index gather squeeze unfold cat"
    " add mul div csub cmul cdiv fill zero copy resize resizeAs abs cmax cmin".split()
)


def elements(t: Translation, node: Expression, known: dict[Variable, str | None] | None = None) -> str | None:
    """``mask`` where a tensor holds truth values in Python, ``whole`` where ints, None where fractions or unknown.

    ``known``: of variables that were looked at, None for those that are being looked at.
    """
    known = {} if known is None else known
    node = bare(node)
    if t.kind(node) != "tensor":
        return None
    if isinstance(node, Name):
        variable = t.scopes.of_name[node]
        sources = t.integers.sources(variable)
        if sources and variable not in known:
            known[variable] = None
            element_kinds = {
                None if isinstance(source, bool) else elements(t, source, known) for source in sources
            }
            if len(element_kinds) == 1:
                known[variable] = element_kinds.pop()
        if known.get(variable) is not None:
            return known[variable]
    name, first = _called(t, node)
    if name == "cat" and isinstance(first, tree.Table) and first.fields:
        first = first.fields[0].value
    if _makes_mask(t, node):
        return "whole" if node in t.counted else "mask"
    if name in _CONVERSIONS:
        return "whole"
    if isinstance(node, Invoke) and name == "type" and node.arguments:
        kind = node.arguments[0]
        whole = isinstance(kind, tree.String) and library.TENSOR_TYPES.get(kind.value) in WHOLE
        return "whole" if whole else None
    if name in ("double", "float", "type", "typeAs"):
        return None
    if first is not None and name in _ALIKE:
        return elements(t, first, known)
    if isinstance(node, Binary):
        sides = [elements(t, side, known) for side in (node.left, node.right)]
        return "whole" if any(sides) else None
    return "whole" if t.type(node).find().tensor_type in WHOLE else None


def counted_comparisons(t: Translation) -> set[Expression]:
    """Comparisons whose results the program keeps in a variable and counts with in place: a ByteTensor is needed."""
    comparisons: set[Expression] = set()
    for node in tree.every(t.program, Invoke):
        if node.method in _ARITHMETIC and node.arguments and isinstance(node.receiver, Name):
            if t.kind(node.receiver) != "tensor":
                continue
            for source in t.integers.sources(t.scopes.of_name[node.receiver]):
                if not isinstance(source, bool) and _makes_mask(t, source):
                    comparisons.add(source)
    return comparisons


def _called(t: Translation, node: Expression) -> tuple[str, Expression | None]:
    if isinstance(node, Invoke):
        return node.method, node.receiver
    if isinstance(node, Call):
        path = t.path(node.callee) or ""
        if path in library.TENSOR_TYPES:
            return {"Long": "long", "Byte": "byte", "Int": "int", "Short": "short", "Char": "char"}.get(
                library.TENSOR_TYPES[path] or "", "double"
            ), None
        if path.startswith("torch.") and node.arguments:
            return path.removeprefix("torch."), node.arguments[0]
    return "", None


def _makes_mask(t: Translation, node: Expression) -> bool:
    """Whether an expression compares, and leaves the result in no tensor that is there."""
    name, first = _called(t, node)
    if name not in COMPARISONS or not isinstance(node, (Call, Invoke)):
        return False
    operands = [argument for argument in node.arguments if argument is not first]
    return not takes_another(name, [t.kind(operand) for operand in operands])


def operation(t: Translation, left: Expression, operator: str, right: Expression) -> Py | None:
    """``left operator right`` where a tensor of whole numbers is among them; None where there is none."""
    kinds = [elements(t, side) for side in (left, right)]
    if not any(kinds) or operator not in "+-*/":
        return None
    for side, kind in zip((left, right), kinds, strict=True):
        fraction = t.kind(side) == "number" and not t.whole(side)
        if fraction or (t.kind(side) == "tensor" and kind is None):
            raise Undecided("T7-271", side.line, "fractions in the arithmetic of a tensor of whole numbers")
    level = code.ADD if operator in "+-" else code.MULTIPLY
    texts = [
        atom(f"{t.value(side).at(code.ATOM)}.byte()") if kind == "mask" else t.value(side)
        for side, kind in zip((left, right), kinds, strict=True)
    ]
    if operator == "/":
        return atom(f'torch.div({texts[0]}, {texts[1]}, rounding_mode="trunc")')
    if "mask" not in kinds:
        return None
    return Py(f"{texts[0].at(level)} {operator} {texts[1].at(level + 1)}", level)


def changed(t: Translation, receiver: Expression, operator: str, value: Expression) -> Py | None:
    """``receiver operator= value`` where the receiver is a tensor of whole numbers; None where it is none."""
    kind = elements(t, receiver)
    if kind is None:
        return None
    if kind == "mask" and isinstance(receiver, Invoke):  # of a comparison itself
        text = f"{t.value(receiver).at(code.ATOM)}.byte().{_IN_PLACE[operator]}"
        return atom(f"{text}({t.expressions.beside(value, receiver)})")
    if kind == "mask":
        raise Problem("T7-271", receiver.line, "arithmetic in place on what a comparison gave")
    if t.kind(value) == "number" and not t.whole(value):
        raise Undecided("T7-271", receiver.line, "fractions in the arithmetic of a tensor of whole numbers")
    if operator != "/":
        return None
    return atom(f'{t.value(receiver).at(code.ATOM)}.div_({t.value(value)}, rounding_mode="trunc")')
