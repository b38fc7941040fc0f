"""``local net, criterion = nn.Linear(2, 1), nn.MSECriterion()`` as two statements, each of which makes one module.

A module that is made by itself can be a class of the page, or a function, and what adds to it is found. The same for
tables of named values: one of them may be the settings of an optimizer; and for short names of functions. Where a graph
is made, ``x, size = inputs[1], 4`` is two statements as well: a class needs one in its constructor, one in ``forward``.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.tree import (
    Around,
    Assign,
    Assignment,
    Block,
    Call,
    Expression,
    Function,
    Index,
    Invoke,
    Local,
    Name,
    Statement,
)
from torch7py.translate.tree_queries import dotted

__all__ = ["split_constructions"]


def split_constructions(program: Block) -> None:
    """Split such statements of a program that was just parsed."""
    in_graphs = _in_graphs(program)
    parts: dict[Statement, list[Statement]] = {
        node: statements
        for node in tree.every(program, Assignment)
        if len(statements := _split(node, node in in_graphs)) > 1
    }
    if not parts:
        return
    for block in [node for node in tree.walk(program) if isinstance(node, Block)]:
        if any(statement in parts for statement in block.statements):
            split = [part for s in block.statements for part in parts.get(s, [s])]
            object.__setattr__(block, "statements", tuple(split))
        for kept in ("below", "all_below", "by_class"):
            object.__setattr__(block, kept, None)


def _in_graphs(program: Block) -> set[tree.Node | Block]:
    """What stands in the functions that make graphs."""
    bodies = [function.body for function in tree.every(program, Function)]
    graphs = {node for node in tree.every(program, Call) if facts.is_graph(dotted(node.callee) or "")}
    insides = [set(tree.walk(body)) for body in bodies] if graphs else []
    return {node for inside in insides if not graphs.isdisjoint(inside) for node in inside}


def _split(node: Assignment, in_graph: bool) -> list[Statement]:
    names, values = [name for name in node.targets if isinstance(name, Name)], node.values
    if not len(names) == len(node.targets) == len(values) > 1:
        return [node]
    makes = isinstance(node, Local) and any(map(_is_construction, values))
    are_nodes = {isinstance(value, (Call, Index)) for value in values}
    if not makes and not (in_graph and len(are_nodes) > 1):
        return [node]
    declared = {name.name for name in names}
    if any(isinstance(n, Name) and n.name in declared for value in values for n in tree.walk(value)):
        return [node]  # one of a variable that had the name before
    last = len(names) - 1
    around = node.around
    make: type[Local | Assign] = Local if isinstance(node, Local) else Assign
    return [
        make(
            node.span,
            Around(
                around.before if at == 0 else (),
                around.trailing if at == last else None,
                around.inside if at == 0 else (),
                around.blank and at == 0,
            ),
            (name,),
            (value,),
        )
        for at, (name, value) in enumerate(zip(names, values, strict=True))
    ]


def _is_construction(node: Expression) -> bool:
    if isinstance(node, tree.Table):
        return any(isinstance(field.key, tree.String) for field in node.fields)
    if isinstance(node, tree.Index):  # ``torch.norm``
        return isinstance(node.base, Name) and node.base.name in ("nn", "cudnn", "torch")
    while isinstance(node, Invoke):
        node = node.receiver
    callee = node.callee if isinstance(node, Call) else None
    base = callee.base if isinstance(callee, tree.Index) else None
    return isinstance(base, Name) and base.name in ("nn", "rnn", "cudnn")
