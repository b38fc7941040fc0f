"""``x - nn.Linear(4, 3) - nn.Tanh()``: in nngraph each layer is given the node before it.

``-nn.Identity()`` is an input. They are read as the calls that they are: ``nn.Tanh()(nn.Linear(4, 3)(x))`` and
``nn.Identity()()``. What comes after a node is what is given it, whatever makes that: ``x - nn.Tanh() - norm(n)`` is
``norm(n)(nn.Tanh()(x))``.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.scopes import Scopes, Variable, resolve
from torch7py.translate.tree import Binary, Block, Call, Expression, Index, Invoke, Name, Unary
from torch7py.translate.tree_queries import bare, statements, targets
from torch7py.translate.tree_queries import values as values_of

__all__ = ["read_chains"]


def read_chains(program: Block) -> None:
    """Put calls in the place of such chains of a program that was just parsed."""
    chains = _Chains(program)
    if chains.calls:
        chains.find_others()
        replace_in(program, chains.calls)


class _Chains:
    def __init__(self, program: Block) -> None:
        self.program = program
        self.nodes: set[Variable] = set()  # the variables that only ever hold nodes
        self.calls: dict[Expression, Expression] = {}  # what stands in the place of each chain
        for node in tree.every(program, Binary):
            if node.operator == "-" and _is_layer(node.right):
                self._read(node)
        for opposite in tree.every(program, Unary):
            if opposite.operator == "-" and _is_layer(opposite.operand):
                self.calls[opposite] = Call(opposite.span, opposite.operand, ())

    def _read(self, node: Binary) -> None:
        self.calls[node] = Call(node.right.span, node.right, (node.left,))  # they are made in this order

    def find_others(self) -> None:
        """What else a node is given to: the right side of a minus sign whose left side is one."""
        scopes = resolve(self.program)
        minus = [node for node in tree.every(self.program, Binary) if node.operator == "-"]
        others = sorted((n for n in minus if n not in self.calls), key=lambda n: n.span.end)
        assignments = _assigned_values(self.program, scopes)
        news = bool(others)
        while news:
            before = len(self.nodes) + len(self.calls)
            self.nodes |= {
                v for v, values in assignments.items() if all(self._is_node(x, scopes) for x in values)
            }
            for node in others:
                if node not in self.calls and self._is_node(node.left, scopes):
                    self._read(node)
            news = len(self.nodes) + len(self.calls) > before

    def _is_node(self, value: Expression | None, scopes: Scopes) -> bool:
        value = None if value is None else bare(value)
        if isinstance(value, Name):
            return scopes.of_name[value] in self.nodes
        return value in self.calls or (isinstance(value, Call) and _is_layer(value.callee))


def _assigned_values(program: Block, scopes: Scopes) -> dict[Variable, list[Expression | None]]:
    """What each variable is given that is only ever given one thing at a time; None is something else."""
    assignments: dict[Variable, list[Expression | None]] = {}
    written: dict[Variable, int] = {}
    for node in statements(program):
        target_list, values = targets(node), values_of(node)
        for at, target in enumerate(target_list):
            if isinstance(target, Name):
                variable = scopes.of_name[target]
                if values:
                    assignments.setdefault(variable, []).append(
                        values[at] if len(target_list) == len(values) else None
                    )
                written[variable] = written.get(variable, 0) + 1
    return {
        v: values
        for v, values in assignments.items()
        if v.kind in ("local", "global") and written[v] == len(v.writes) + (v.kind == "local")
    }


def _is_layer(node: Expression) -> bool:
    """Whether an expression makes a layer: ``nn.Linear(4, 3)``, with what is added to it."""
    while isinstance(node, Invoke):
        node = node.receiver
    callee = node.callee if isinstance(node, Call) else None
    return isinstance(callee, Index) and isinstance(callee.base, Name) and callee.base.name in ("nn", "cudnn")
