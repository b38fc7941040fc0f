"""What has an idiomatic form in classes of layers in plain calls: calls, loops and stores of which enough is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch7py.translate import tree
from torch7py.translate.facts.methods import CHANGING
from torch7py.translate.native import plain_calls
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import same_expression

__all__ = ["has_operands", "literal_step", "natively", "several", "stored", "unpacked"]

# Methods that ask for operands of certain sizes, or give the tensor that of another one.
_OF_MATRICES = set("resizeAs mm mv bmm ger addmm addmv addr addbmm baddbmm".split())


def has_operands(t: Translation, node: Invoke) -> bool:
    """Whether a method changes a tensor by others, which need only have as many elements in Torch7.

    Those of matrices ask for the sizes that PyTorch's ask for, too, and of operands with as many dimensions the sizes
    are taken for the same.
    """
    receiver = node.receiver
    if node.method not in CHANGING or t.kind(receiver) != "tensor":
        return False
    if isinstance(receiver, Invoke) and receiver.method == "resizeAs" and len(receiver.arguments) == 1:
        return not all(same_expression(a, receiver.arguments[0]) for a in node.arguments)
    operands = [argument for argument in node.arguments if t.kind(argument) != "number"]
    if node.method in _OF_MATRICES and all(t.kind(operand) == "tensor" for operand in operands):
        return False
    ranks = {_rank(t, operand) for operand in operands}
    return bool(operands) and (None in ranks or ranks != {_rank(t, receiver)})


def _rank(t: Translation, node: Expression) -> int | None:
    """How many dimensions a tensor has; None where that is not known, or where it is none."""
    return t.type(node).rank if t.kind(node) == "tensor" else None


def natively(t: Translation, write: Callable[[], bool]) -> bool:
    """Write something in its idiomatic form; whether it has one. Nothing has where no kind is taken for known."""
    if t.plain_values:
        return False
    put_back = t.checkpoint()
    try:
        if write():
            return True
    except Problem:
        pass
    put_back()
    return False


def several(t: Translation, targets: Sequence[Expression], node: Invoke, method: str) -> bool:
    """Write a call of a method of the class for several names, where it always gives as many values."""
    names = [t.unread(target) or (t.target(target) if isinstance(target, Name) else "") for target in targets]
    if not all(names) or not t.types.function_called(node):
        return False
    count, counts = t.calls.count(node), t.counts.of(node)
    if count < 2 or counts is None or set(counts) != {count}:
        return False
    names = [*names[:count], *["_"] * (count - len(names))]
    t.emit(f"{', '.join(names)} = {method}({', '.join(plain_calls.arguments(t, node.arguments))})")
    for target in targets[count:]:
        t.emit(f"{t.target(target)} = None")
    return True


def unpacked(t: Translation, targets: Sequence[Expression], node: Expression) -> bool:
    """Write ``a, b = unpack(list)``; whether it is that, of what is a list."""
    if not t.is_unpacked(node) or not isinstance(node, Call) or len(node.arguments) != 1:
        return False
    (table,) = node.arguments
    is_list = t.kind(table) == "table" and t.representation(table) == "list"
    names = [target for target in targets if isinstance(target, Name)]
    if not is_list or len(names) < len(targets):
        return False

    def write() -> bool:
        items = t.unpacking.items(t.calls.unpacked(node).text, [table], names)
        t.emit(f"{', '.join(t.unread(name) or t.target(name) for name in names)} = {items}")
        return True

    return natively(t, write)


def stored(t: Translation, target: Index, value: Expression, node: Statement) -> bool:
    """Write ``table[key] = value`` of a table or a tensor; whether it is one.

    A list is only appended to: whether it has a place already, its form of the library sees when the page runs.
    """
    form = t.representation(target.base) if t.kind(target.base) == "table" else t.kind(target.base)
    is_known = form in ("dict", "record", "tensor") or (form == "list" and t.assignments.may_append(target))

    def write() -> bool:
        t.assignments.one(target, value, node)
        return True

    return is_known and t.path(target) is None and natively(t, write)


def literal_step(node: tree.NumericFor) -> int | None:
    """The step of a loop over numbers, where it is written out and whole."""
    if node.step is None:
        return 1
    is_negative = isinstance(node.step, tree.Unary) and node.step.operator == "-"
    number = node.step.operand if isinstance(node.step, tree.Unary) and is_negative else node.step
    if not isinstance(number, tree.Number) or not isinstance(number.value, int):
        return None
    return -number.value if is_negative else number.value
