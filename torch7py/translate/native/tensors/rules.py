"""Where the rules for tensors stand, and what several of them need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch7py.translate import library, tree
from torch7py.translate.native import code, plain_calls
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.registering import registering
from torch7py.translate.tree import Call, Expression
from torch7py.translate.tree_queries import bare

Arguments: TypeAlias = tuple[Expression, ...]
Rule: TypeAlias = "Callable[[Translation, Expression, Arguments], Py]"

rules: dict[str, Rule] = {}  # x:f(...) as a value that changes nothing
in_place: dict[str, Rule] = {}  # x:f(...) that changes x: the call that does, and gives x

Maker: TypeAlias = "Callable[[Translation, Call], Py]"
makers: dict[str, Maker] = {}  # torch.f(...) that is no method of its first argument

rule, changing, maker = registering(rules), registering(in_place), registering(makers)

DTYPES = {
    "Double": "torch.float64",
    "Float": "torch.float32",
    "Long": "torch.int64",
    "Int": "torch.int32",
    "Short": "torch.int16",
    "Byte": "torch.uint8",
    "Char": "torch.int8",
}


def dimension(t: Translation, node: Expression) -> str:
    return str(t.expressions.position(node))


def receiver_text(t: Translation, node: Expression) -> str:
    return t.value(node).at(code.ATOM)


def sizes(t: Translation, arguments: Arguments) -> str:
    if t.plain_values and any(t.kind(x) == "any" and not _is_count(t, x) for x in arguments):
        listed = ", ".join([*plain_calls.arguments(t, arguments), ""][: max(2, len(arguments))])
        return f"*{plain_calls.library_call(t, 'sizes_in', [f'({listed})'])}"
    texts = []
    for argument in arguments:
        if argument is arguments[-1] and t.is_unpacked(argument):
            texts.append(f"*{t.calls.unpacked(argument).at(code.ATOM)}")
        elif (
            t.kind(argument) == "storage" or isinstance(argument, tree.Unary) or t.kind(argument) != "number"
        ):
            texts.append(t.value(argument).text)
        else:
            texts.append(str(t.expressions.whole_number(argument)))
    return ", ".join(texts)


def _is_count(t: Translation, node: Expression) -> bool:
    """Whether this is inferred to be a whole number."""
    return t.types.kind(node) == "number" and t.whole(node)


def renewed(t: Translation, receiver: Expression, write: Callable[[str], str]) -> Py:
    """``x:f()`` where PyTorch has no such change in place: x is given what ``write`` makes of its text.

    The receiver is computed once. What is made here, and nobody else has, is just replaced.
    """
    if is_new_tensor(t, receiver):
        return atom(write(t.value(receiver).text))
    base = receiver_text(t, receiver)
    if not is_repeatable(receiver):
        name = t.fresh("value")
        t.emit(f"{name} = {base}")
        base = name
    return atom(f"{base}.copy_({write(base)})")


def is_new_tensor(t: Translation, node: Expression) -> bool:
    """Whether an expression makes a tensor that nothing else refers to."""
    node = bare(node)
    if isinstance(node, tree.Binary):
        return True
    if isinstance(node, Call):
        path = t.path(node.callee) or ""
        of_sizes = path in library.TENSOR_TYPES and all(t.kind(a) == "number" for a in node.arguments)
        return of_sizes or path.removeprefix("torch.") in library.CREATORS
    if isinstance(node, tree.Invoke):
        return node.method == "clone" or (node.method in in_place and is_new_tensor(t, node.receiver))
    return False


def is_repeatable(node: Expression) -> bool:
    """Whether an expression may be written twice: names, fields, and places that they tell."""
    if isinstance(node, tree.Index):
        return is_repeatable(node.base) and is_repeatable(node.key)
    return isinstance(node, (tree.Name, tree.Number, tree.String))
