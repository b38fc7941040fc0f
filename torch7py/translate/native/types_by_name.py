"""Conversions to a type that the program has as text: ``x:type(opt.tensorType)``.

What the text may be is followed through variables and the fields of tables; where it is always a type of fractions, the
page asks at run time which one it is.
"""

from __future__ import annotations

from torch7py.translate import library, tree
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Expression, Index, Invoke, Name, String

__all__ = ["converted", "is_of_fractions", "possible_strings"]

_FRACTIONS = {f"torch.{name}Tensor" for name in "Float Double Half Cuda CudaDouble CudaHalf".split()}


def converted(t: Translation, receiver: Expression, name: Expression) -> Py | None:
    """``x:type(name)`` of a tensor, a module or a criterion; None where it is not known what the name may be."""
    if not is_of_fractions(t, name):
        return None
    return atom(f"{t.need('as_type')}({t.value(receiver)}, {t.value(name)})")


def is_of_fractions(t: Translation, name: Expression) -> bool:
    """Whether a text is surely the name of a type of fractions."""
    names = possible_strings(t, name)
    return names is not None and bool(names) and names <= _FRACTIONS


def possible_strings(t: Translation, node: Expression) -> set[str] | None:
    """The texts that an expression may be; None where that cannot be told."""
    strings: set[str] = set()
    return strings if _collect(t, node, strings, set()) else None


def _collect(t: Translation, node: Expression, strings: set[str], seen: set[object]) -> bool:
    if isinstance(node, tree.Paren):
        return _collect(t, node.inner, strings, seen)
    if isinstance(node, String):
        strings.add(node.value)
        return True
    if isinstance(node, Binary) and node.operator in ("or", "and"):  # a condition is no text
        sides = [node.right] if node.operator == "and" else [node.left, node.right]
        return all(_collect(t, side, strings, seen) for side in sides)
    if isinstance(node, Name):
        return _of_variable(t, t.scopes.of_name[node], strings, seen)
    if isinstance(node, Index) and node.dotted and isinstance(node.key, String):
        return _of_field(t, node, node.key.value, strings, seen)
    return False


def _of_variable(t: Translation, variable: Variable, strings: set[str], seen: set[object]) -> bool:
    if variable in seen:
        return True
    seen.add(variable)
    sources = t.integers.sources(variable)
    return bool(sources) and all(
        isinstance(source, Expression) and _collect(t, source, strings, seen) for source in sources
    )


def _of_field(t: Translation, node: Index, name: str, strings: set[str], seen: set[object]) -> bool:
    """What the program puts into this field of the tables that this one may be, and the default of an option."""
    table = t.type(node.base).find()
    if (table, name) in seen:
        return True
    seen.add((table, name))
    values: list[Expression] = []
    for statement in tree.every(t.program, tree.Assign):
        for at, target in enumerate(statement.targets):
            if not (isinstance(target, Index) and t.type(target.base).find() is table):
                continue
            if not isinstance(target.key, String):
                return False
            if target.key.value == name:
                if at >= len(statement.values):
                    return False
                values.append(statement.values[at])
    for constructor in tree.every(t.program, tree.Table):
        if t.type(constructor).find() is table:
            values += [f.value for f in constructor.fields if f.key_name == name]
    for call in tree.every(t.program, Invoke):
        option = call.arguments[0] if call.method == "option" and len(call.arguments) > 1 else None
        if isinstance(option, String) and library.option_name(option.value) == name:
            values.append(call.arguments[1])
    return bool(values) and all(_collect(t, value, strings, seen) for value in values)
