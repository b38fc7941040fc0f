"""Flat vectors whose elements the program changes: the parameters become views of them, as in Torch7.

Where a program only uses the vectors whole (to clear, to scale, to hand them to optim), they are not needed.
"""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts.methods import READING
from torch7py.translate.native import initialization
from torch7py.translate.native.analysis.state_slots import Holder, Holders
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Statement

__all__ = ["HELPER", "changed_in_part", "has_settings_by_element", "used_as_vectors", "value", "write"]

HELPER = "flatten_parameters"
_BY_ELEMENT = ("learningRates", "weightDecays")
_PARTS = {"narrow", "select", "sub", "view", "index"}


def changed_in_part(t: Translation, holders: Holders, vectors: list[Holder]) -> bool:
    """Whether the program stores into elements of one of these vectors, or changes a part of it."""

    def is_one(node: Expression) -> bool:
        while isinstance(node, (Index, tree.Paren)) and holders.of(node) not in vectors:
            node = node.base if isinstance(node, Index) else node.inner
        return holders.of(node) in vectors

    for node in tree.walk(t.program):
        if isinstance(node, tree.Assign) and any(
            isinstance(x, Index) and is_one(x.base) for x in node.targets
        ):
            return True
        if isinstance(node, Invoke):
            inner = node.receiver
            if isinstance(inner, Index) and is_one(inner.base):
                return True
            if isinstance(inner, Invoke) and inner.method in _PARTS and is_one(inner.receiver):
                return True
    return False


def used_as_vectors(t: Translation, holders: Holders, vectors: list[Holder]) -> bool:
    """Whether the program does with one of these vectors what has no form for one parameter after the other."""
    weights, gradients = vectors[0] if vectors else None, vectors[1] if len(vectors) > 1 else None
    if not vectors or any(isinstance(v, Variable) and v.kind == "parameter" for v in vectors):
        return False
    if has_settings_by_element(t):
        return True
    reads = {n: v for v in vectors for n in holders.uses(v)}
    plain: set[Expression] = set()
    for_optim = [
        function
        for node in tree.every(t.program, Call)
        if node.arguments and t.type(node.callee).has("optimizer")
        for function in t.type(node.arguments[0]).functions
    ]
    for node in tree.walk(t.program):
        if isinstance(node, Invoke) and node.receiver in reads:
            others = {holders.of(a) for a in node.arguments}
            other = weights if reads[node.receiver] is gradients else gradients
            if _has_form(t, node, reads[node.receiver] is gradients, other in others):
                plain.add(node.receiver)
                plain.update(a for a in node.arguments if a in reads)
        elif isinstance(node, Invoke):
            plain.update(a for a in node.arguments if a in reads)
        elif isinstance(node, Call):
            path = t.path(node.callee) or ""
            is_user_function = bool(t.types.function_called(node))
            last = 1 if path.startswith("torch.") and path != "torch.norm" else len(node.arguments)
            optimizes = path.startswith("optim.") or t.type(node.callee).has("optimizer")
            functions = t.types.function_called(node)
            if functions and all(f in for_optim for f in functions):
                plain.update(a for a in node.arguments[:1] if a in reads)
            elif optimizes or (path and not is_user_function and len(node.arguments) <= last):
                plain.update(a for a in node.arguments if a in reads)
        elif isinstance(node, (tree.Binary, tree.Unary, tree.Return)):
            plain.update(a for a in tree.children(node) if isinstance(a, Expression) and a in reads)
        elif isinstance(node, tree.Assign):
            plain.update(a for a in node.targets if a in reads)
    return not set(reads) <= plain


def has_settings_by_element(t: Translation) -> bool:
    """Whether the program gives optim a rate or a weight decay for each element of a vector."""
    keys = [node.key for node in tree.walk(t.program) if isinstance(node, (Index, tree.Field))]
    return any(isinstance(key, tree.String) and key.value in _BY_ELEMENT for key in keys)


def _has_form(t: Translation, node: Invoke, of_gradients: bool, of_both: bool) -> bool:
    """Whether a method of a vector is written for each parameter, or only reads it. ``of_both``: it takes the other."""
    args = node.arguments
    if node.method in READING:
        return True
    numbers = all(t.kind(a) == "number" for a in args)
    if node.method == "add" and len(args) == 2 and t.kind(args[0]) == "number":
        return of_both
    if not of_gradients:
        return node.method == "copy" or (numbers and node.method in initialization.ALIKE)
    if node.method == "fill":
        return len(args) == 1 and isinstance(args[0], tree.Number) and args[0].value == 0
    if node.method == "clamp":
        negated = args[0] if args else None
        return (
            len(args) == 2
            and isinstance(negated, tree.Unary)
            and negated.operator == "-"
            and tree_queries.same_expression(negated.operand, args[1])
        )
    return node.method == "zero" or (numbers and len(args) == 1 and node.method in ("mul", "div"))


def write(t: Translation, node: Statement, module: Expression) -> None:
    """``weights, gradients = flatten_parameters(model)``"""
    assert isinstance(node, tree.Assignment)
    t.helpers[HELPER] = None
    names = [t.target(target) for target in node.targets]
    names += ["_"] * (2 - len(names))
    t.emit(f"{', '.join(names)} = {HELPER}({t.training.vectors.counted(module)})")


def value(t: Translation, node: Invoke) -> str:
    """Both vectors of ``{model:getParameters()}``."""
    if not t.plain_vectors:
        raise Problem("T7-227", node.line, "flat weights and gradients in a table")
    t.helpers[HELPER] = None
    return f"{HELPER}({t.training.vectors.counted(node.receiver)})"
