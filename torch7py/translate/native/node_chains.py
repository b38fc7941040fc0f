"""``x - nn.Linear(4, 3) - nn.Tanh()``: in nngraph each layer is given the node before it.

``-nn.Identity()`` is an input. They are read as the calls that they are: ``nn.Tanh()(nn.Linear(4, 3)(x))`` and
``nn.Identity()()``.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.replacing import replace_in
from torch7py.translate.tree import Binary, Block, Call, Expression, Index, Invoke, Name, Unary

__all__ = ["read_chains"]


def read_chains(program: Block) -> None:
    """Put calls in the place of such chains of a program that was just parsed."""
    calls: dict[Expression, Expression] = {}
    for node in tree.every(program, Binary):
        if node.operator == "-" and _is_layer(node.right):
            calls[node] = Call(node.right.place, node.right, (node.left,))  # they are made in this order
    for opposite in tree.every(program, Unary):
        if opposite.operator == "-" and _is_layer(opposite.operand):
            calls[opposite] = Call(opposite.place, opposite.operand, ())
    if calls:
        replace_in(program, calls)


def _is_layer(node: Expression) -> bool:
    """Whether an expression makes a layer: ``nn.Linear(4, 3)``, with what is added to it."""
    while isinstance(node, Invoke):
        node = node.receiver
    callee = node.callee if isinstance(node, Call) else None
    return isinstance(callee, Index) and isinstance(callee.base, Name) and callee.base.name in ("nn", "cudnn")
