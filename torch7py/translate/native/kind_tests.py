"""Questions of what kind a value is, where it may be of several: ``isinstance(x, dict)`` for ``type(x) == 'table'``."""

from __future__ import annotations

import re

from torch7py.translate.inference.narrowing import lua_type_of
from torch7py.translate.kinds import Type
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.tree import Binary, Call, Expression, Invoke, Name, String
from torch7py.translate.tree_queries import bare

__all__ = ["compared", "either", "finds_tensor", "is_typed", "may_be_itself_only"]

_FINDING = ("string.find", "string.match")

_ISINSTANCE = re.compile(r"isinstance\((?P<value>[\w.]+), (?P<classes>\w+|\([\w, ]+\))\)")
_UNSURE = (None, "any", "string", "number", "boolean", "table")
_PLAIN = {"string": "str", "boolean": "bool", "number": "(int, float)"}


def compared(t: Translation, node: Binary) -> Py | None:
    """``type(x) == 'table'`` of a value whose kinds are known, and more than one."""
    if node.operator not in ("==", "~="):
        return None
    for call, name in ((node.left, node.right), (node.right, node.left)):
        path = t.path(call.callee) if isinstance(call, Call) and len(call.arguments) == 1 else None
        if path in ("type", "torch.type") and isinstance(call, Call) and isinstance(name, String):
            tested = _test(t, call.arguments[0], name.value, path == "torch.type")
            if tested is not None:
                return tested if node.operator == "==" else Py(f"not {tested.at(code.NOT)}", code.NOT)
            if path == "torch.type" and name.value in _PLAIN and t.kind(call.arguments[0]) in _UNSURE:
                t.imports |= {"inspect", "torch"}
                asked = f"{t.need('lua_type')}({t.conditions.maybe(call.arguments[0])})"
                operator = "==" if node.operator == "==" else "!="
                return Py(f"{asked} {operator} {code.quoted(name.value)}", code.COMPARE)
    return None


def either(left: Py, right: Py) -> Py | None:
    """``isinstance(x, str) or isinstance(x, dict)`` as one call."""
    one, other = _ISINSTANCE.fullmatch(left.text), _ISINSTANCE.fullmatch(right.text)
    if one is None or other is None or one["value"] != other["value"]:
        return None
    names = [test["classes"].strip("()") for test in (one, other)]
    return atom(f"isinstance({one['value']}, ({', '.join(names)}))")


def may_be_itself_only(t: Translation, left: Expression, right: Expression) -> bool:
    """Whether both of two values may be of kinds that Python compares otherwise, or one a tensor."""
    kinds = [t.type(side).find().kinds for side in (left, right)]
    if any("tensor" in side_kinds for side_kinds in kinds):
        return True
    if any("boolean" in one and "number" in other for one, other in (kinds, kinds[::-1])):
        return True  # True == 1
    return all(
        len(side_kinds) != 1 and side_kinds & {"table", "object", "storage", "boolean"}
        for side_kinds in kinds
    )


def _whole(t: Translation, value: Expression) -> Type:
    """The type of what is asked: of a parameter of several kinds all that it is given."""
    if isinstance(value, Name) and value in t.types.narrowed:
        return t.types.version(value)
    return t.type(value).find()


def finds_tensor(t: Translation, node: Expression) -> Py | None:
    """``torch.typename(x):find('Tensor')`` of a value of several kinds."""
    if isinstance(node, Invoke) and node.method in ("find", "match") and len(node.arguments) == 1:
        asked, pattern = node.receiver, node.arguments[0]
    elif isinstance(node, Call) and len(node.arguments) == 2 and t.path(node.callee) in _FINDING:
        asked, pattern = node.arguments
    else:
        return None
    asked = bare(asked)
    if not isinstance(pattern, String) or not pattern.value.endswith("Tensor"):
        return None
    if not isinstance(asked, Call) or t.path(asked.callee) not in ("torch.type", "torch.typename"):
        return None
    kinds = _whole(t, asked.arguments[0]).kinds
    if len(kinds) < 2 or "tensor" not in kinds or kinds & {"object", "module", "criterion"}:
        return None
    return atom(f"torch.is_tensor({t.value(asked.arguments[0])})")


def is_typed(t: Translation, node: Expression) -> Py | None:
    """``torch.typename(x)`` as a condition: whether x is a tensor, where nothing else that it may be has a name."""
    if not isinstance(node, Call) or t.path(node.callee) != "torch.typename" or len(node.arguments) != 1:
        return None
    kinds = _whole(t, node.arguments[0]).kinds
    if len(kinds) < 2 or "tensor" not in kinds or any(lua_type_of(kind) is None for kind in kinds):
        return None
    if kinds & {"object", "module", "criterion", "class", "storage"}:
        return None
    return atom(f"torch.is_tensor({t.value(node.arguments[0])})")


def _test(t: Translation, value: Expression, said: str, by_torch: bool) -> Py | None:
    type_ = _whole(t, value)
    kinds = set(type_.kinds)
    if kinds == {"table"} and said == "table":
        return _is_table(t, value, type_)
    is_parameter = isinstance(value, Name) and t.scopes.of_name[value].kind == "parameter"
    if kinds == {"tensor"} and said == "table" and is_parameter and not type_.has("flat weights"):
        named = "(dict, list, tuple)" if t.is_floor else "(list, tuple)"
        return atom(f"isinstance({t.value(value)}, {named})")  # which this program gives nowhere
    if len(kinds) < 2 or any(lua_type_of(kind) is None for kind in kinds):
        return None
    if said in ("string", "boolean") and said in kinds:
        return atom(f"isinstance({t.value(value)}, {_PLAIN[said]})")
    if any(not source.find().kinds for source in type_.sources):
        return None  # which may be anything
    if by_torch and kinds & {"object", "module", "criterion", "class"}:
        return None
    text = t.value(value)
    if said == "userdata" and kinds & {"tensor", "storage"} == {"tensor"}:
        return atom(f"torch.is_tensor({text})")
    if said == "number" and said in kinds and "boolean" not in kinds:
        return atom(f"isinstance({text}, {_PLAIN[said]})")
    alike = {kind for kind in kinds if lua_type_of(kind) == "table"}
    if said != "table" or alike != {"table"}:
        return None
    forms, are_steps = t.tables.forms(type_), _are_steps(t, type_)
    if are_steps and "tensor" in kinds:
        reason = "whether something is a table, which a sequence is and the page has as one tensor"
        raise t.of_each_module("T7-308", value.line, reason)
    if not forms or "options" in forms or t.tables.of_modules(type_):
        return None
    if t.is_floor:  # which makes every table as one of the library's, whatever the program does with it
        forms |= {"dict", "list"}
    names = [*(["dict"] if forms - {"list"} else []), *(["list", "tuple"] if "list" in forms else [])]
    names += ["torch.Tensor"] if are_steps else []
    shown = names[0] if len(names) == 1 else f"({', '.join(names)})"
    return atom(f"isinstance({text}, {shown})")


def _are_steps(t: Translation, type_: Type) -> bool:
    """Whether something may be a table of steps, which the page may have as one tensor."""
    return not t.plain_modules and any(table.has("steps") for table in t.types.tables_of(type_))


def _is_table(t: Translation, value: Expression, type_: Type) -> Py | None:
    """Of what is a table, as far as the program tells: it may be missing, or something from elsewhere."""
    if type_.has("losses") or type_.has("flat weights") or type_.has("of a module"):
        return None
    if t.tables.forms(type_) & {"options", "several"} or t.tables.of_modules(type_):
        return None
    of_steps = ", torch.Tensor" if _are_steps(t, type_) else ""
    return atom(f"isinstance({t.conditions.maybe(value)}, (dict, list, tuple{of_steps}))")
