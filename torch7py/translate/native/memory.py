"""The memory of tensors: what ``x:data()`` points to, as a vector of the elements from there on.

Programs go through it with ``p[i]`` and ``p + n``, and keep texts in it, as bytes with a zero behind them:
``ffi.copy(x:data(), text)`` and ``ffi.string(x:data())``.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.analysis.memory_calls import first_tensor
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, methods, statement
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.tensors.names_of_types import type_of_memory
from torch7py.translate.native.tensors.rules import Arguments, rule
from torch7py.translate.tree import Binary, Block, Call, Expression, Index, Invoke, Unary
from torch7py.translate.tree_queries import same_expression

__all__ = ["element", "moved"]


def _from_first(t: Translation, node: Expression) -> Py:
    if not _are_followed(t):
        raise Problem(
            "T7-271", node.line, "a pointer to a tensor's memory, used otherwise than to go through it"
        )
    return atom(f"{t.value(node).at(code.ATOM)}.view(-1)")


def _are_followed(t: Translation) -> bool:
    """Whether pointers are only kept, moved on, and given to functions of texts: a vector is no address."""
    if t.follows_pointers is None:
        pointers = {node for node, type_ in t.types.by_node.items() if type_.find().kinds == {"pointer"}}
        t.follows_pointers = not pointers - {
            node for parent in tree.walk(t.program) for node in _free(t, parent)
        }
    return t.follows_pointers


def _free(t: Translation, parent: tree.Node | Block) -> tuple[Expression, ...]:
    """The expressions right in a statement or another expression that may be pointers there."""
    if isinstance(parent, tree.Local):
        return (*parent.names, *parent.values)
    if isinstance(parent, tree.Assign):
        return (*parent.targets, *parent.values)
    if isinstance(parent, Binary) and parent.operator == "+":
        return (parent.left,)
    if isinstance(parent, Index):
        return (parent.base,)
    if isinstance(parent, Call) and t.path(parent.callee) in ("ffi.copy", "ffi.string"):
        return parent.arguments
    return (parent.call,) if isinstance(parent, tree.Run) else ()


@rule("data")
def data(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return _from_first(t, receiver)


def _size(t: Translation, node: Invoke) -> Py:
    """``storage:size()``"""
    return atom(f"len({t.value(node.receiver)})")


def _type(t: Translation, node: Invoke) -> Py:
    if node.arguments:
        raise Undecided("T7-271", node.line, "a storage of another type")
    return type_of_memory(t, node.receiver)


methods["memory", "type"] = _type
methods["memory", "size"] = methods["storage", "size"] = _size


@function("torch.data")
def data_of(t: Translation, node: Call) -> Py:
    if len(node.arguments) != 1 or t.kind(node.arguments[0]) != "tensor":
        raise Problem("T7-203", node.line, "torch.data of something that may be no tensor")
    return _from_first(t, node.arguments[0])


def moved(t: Translation, node: Binary) -> Py:
    """``p + n``: the elements from the n-th on."""
    if t.kind(node.right) != "number":
        raise Problem("T7-203", node.line, "a pointer and something that may be no number")
    if not t.intervals.natural(node.right):  # from which a slice would count from the end
        return atom(f"{t.need('moved_on')}({t.value(node.left)}, {t.value(node.right)})")
    far = _offset(t, node.right)
    space = "" if str(far).isalnum() or str(far).isidentifier() else " "  # as a formatter would have it
    return atom(f"{t.value(node.left).at(code.ATOM)}[{far}{space}:]")


def _offset(t: Translation, node: Expression) -> Py:
    """How far on, without a fraction."""
    return t.expressions.whole_number(node) if t.whole(node) else atom(f"int({t.value(node)})")


def element(t: Translation, node: Index, stored: bool = False) -> Py:
    """``p[n]``, counted from 0."""
    if t.kind(node.key) != "number" or not t.intervals.natural(node.key):
        raise Problem("T7-203", node.line, "what may be a place before a pointer, or no number")
    subscript = f"{t.value(node.base).at(code.ATOM)}[{_offset(t, node.key)}]"
    return atom(subscript if stored else f"{subscript}.item()")


@function("ffi.string")
def string(t: Translation, node: Call) -> Py:
    """``ffi.string(p[, length])``"""
    if not 1 <= len(node.arguments) <= 2 or t.kind(node.arguments[0]) != "pointer":
        reason = "ffi.string of something else than the memory of a tensor"
        raise (Undecided if first_tensor(t, node) is not None else Problem)("T7-203", node.line, reason)
    length = node.arguments[1:]
    text = "".join(f", {t.expressions.whole_number(argument)}" for argument in length)
    return atom(f"{t.need('text_at')}({t.value(node.arguments[0])}{text})")


@statement("ffi.copy")
def copy(t: Translation, node: Call) -> None:
    """``ffi.copy(p, text[, length])``; with a length, there is no zero behind the text."""
    kinds = [t.kind(argument) for argument in node.arguments]
    if kinds[:2] != ["pointer", "string"] or len(kinds) > 3:
        reason = "ffi.copy of something else than a text into the memory of a tensor"
        raise (Undecided if first_tensor(t, node) is not None else Problem)("T7-203", node.line, reason)
    target, source = (t.value(argument) for argument in node.arguments[:2])
    if len(kinds) == 2:
        t.emit(f"{t.need('put_text')}({target}, {source})")
        return
    if not _is_length(node.arguments[2], node.arguments[1]):
        is_known = first_tensor(t, node) is not None
        raise (Undecided if is_known else Problem)("T7-203", node.line, "ffi.copy of a part of a text")
    t.emit(f'{t.need("put_text")}({target}, {source}, b"")')


def _is_length(node: Expression, of: Expression) -> bool:
    """``#text``"""
    return isinstance(node, Unary) and node.operator == "#" and same_expression(node.operand, of)
