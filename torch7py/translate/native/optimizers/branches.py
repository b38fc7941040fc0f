"""Methods that a program chooses in branches: the state made in one is for the method called in one alike."""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.optimizers.choices import is_known_at
from torch7py.translate.tree import Call, Expression, Index, Name, Statement

__all__ = ["calls_in_branch"]


def calls_in_branch(t: Translation, calls: list[Call], statement: Statement) -> list[Call]:
    """Those of the calls that run if, and only if, the branch of a statement is taken; none where that may change."""
    around = _branches(t, statement)
    if not around:
        return []
    condition, block = around[-1]
    if condition is not None and not _is_steady(t, condition, statement):
        return []
    result = []
    for call in calls:
        others = _branches(t, t.training.flow.statement(call))
        if any(inner is block or (other is not None and _alike(condition, other)) for other, inner in others):
            result.append(call)
        elif not any(other is not None and _excludes(condition, other) for other, _ in others):
            shares = any(inner in _siblings(t, statement) for _, inner in others)
            if not shares:
                return []
    return result


def _siblings(t: Translation, statement: Statement) -> list[tree.Block]:
    """The other branches of the condition that a statement is in."""
    (*_, inner) = [s for s in t.surroundings.parents[statement] if isinstance(s, tree.If)]
    blocks = [block for _, block in inner.branches]
    return [*blocks, *([inner.otherwise] if inner.otherwise is not None else [])]


def _parts(condition: Expression | None) -> tuple[Expression, Expression] | None:
    """The two sides of ``opt.method == 'sgd'``."""
    while isinstance(condition, tree.Paren):
        condition = condition.inner
    if isinstance(condition, tree.Binary) and condition.operator == "==":
        return condition.left, condition.right
    return None


def _alike(condition: Expression | None, other: Expression) -> bool:
    return (
        condition is not None
        and _parts(condition) is not None
        and tree_queries.same_expression(condition, other)
    )


def _excludes(condition: Expression | None, other: Expression) -> bool:
    """Whether two conditions compare one thing with different constants."""
    one, two = _parts(condition), _parts(other)
    constant = (tree.String, tree.Number)
    return (
        one is not None
        and two is not None
        and tree_queries.same_expression(one[0], two[0])
        and isinstance(one[1], constant)
        and isinstance(two[1], constant)
        and not tree_queries.same_expression(one[1], two[1])
    )


def _branches(t: Translation, statement: Statement) -> list[tuple[Expression | None, tree.Block]]:
    """The branches of conditions that a statement is in, outermost first."""
    places = t.surroundings
    branches: list[tuple[Expression | None, tree.Block]] = []
    around = places.parents[statement]
    for at, inner in zip(around, (*around, statement)[1:], strict=True):
        if isinstance(at, tree.If):
            blocks: list[tuple[Expression | None, tree.Block]] = [*at.branches]
            if at.otherwise is not None:
                blocks.append((None, at.otherwise))
            branches += [(condition, block) for condition, block in blocks if inner in block.statements]
    return branches


def _is_steady(t: Translation, condition: Expression, statement: Statement) -> bool:
    """Whether a condition is made of what never changes."""
    outermost: list[Expression] = []
    waiting: list[tree.Node | tree.Block] = [condition]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (Name, Index)):
            outermost.append(node)
        elif isinstance(node, (Call, tree.Invoke, tree.Function)):
            return False
        else:
            waiting += tree.children(node)
    return all(is_known_at(t, node, statement) for node in outermost)
