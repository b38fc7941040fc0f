"""Where a program calls modules, which functions may do so, and which tables stay where they are.

This is found once, before the program is followed.
"""

from __future__ import annotations

from typing import TypeAlias

from torch7py.translate import tree
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.user_passes import is_user_pass
from torch7py.translate.tree import Call, Expression, Index, Invoke

__all__ = ["Sites", "calls_of_modules", "is_backward", "that_call", "used_in_place"]

_BACKWARD = {"backward", "updateGradInput"}
_IN_PLACE = {"ipairs", "pairs", "unpack", "table.unpack", "table.insert", "table.concat", "next"}

Sites: TypeAlias = dict[Expression, Expression]  # calls of forward, and their modules


def calls_of_modules(t: Translation) -> Sites:
    """The calls of ``forward``, as a method or of the module itself, that are no nodes of a graph."""
    sites: Sites = {}
    for invoke in tree.every(t.program, Invoke):
        if is_user_pass(t, invoke):
            continue
        is_module = t.kind(invoke.receiver) == "module"
        if invoke.method in FORWARD and is_module and len(invoke.arguments) < 2:  # else a criterion's
            sites[invoke] = invoke.receiver
    for call in tree.every(t.program, Call):
        is_node = t.type(call).has("node")
        if t.kind(call.callee) == "module" and not is_node and not is_user_pass(t, call):
            sites[call] = call.callee
    return sites


def is_backward(t: Translation, node: Invoke) -> bool:
    """Whether a module or a criterion writes gradients over its last ones."""
    is_one = node.method in _BACKWARD and t.kind(node.receiver) in ("module", "criterion")
    return is_one and not is_user_pass(t, node)


def that_call(t: Translation, sites: Sites) -> set[tree.Function]:
    """The functions that may call a module, themselves or through others."""
    functions = tree.every(t.program, tree.Function)
    direct = {
        function
        for function in functions
        if any(
            node in sites or (isinstance(node, Invoke) and is_backward(t, node))
            for node in tree.walk(function.body)
        )
    }
    called = {
        function: {
            other
            for node in tree.walk(function.body)
            if isinstance(node, (Call, Invoke))
            for other in (
                *t.types.function_called(node),
                *(f for a in node.arguments for f in t.type(a).functions),
            )
        }
        for function in functions
    }
    while more := {f for f in functions if f not in direct and not called[f].isdisjoint(direct)}:
        direct |= more
    return direct


def used_in_place(t: Translation, sites: Sites) -> set[Expression]:
    """The expressions whose value, if it is a table, gets into no other place."""
    expressions: set[Expression] = {node.base for node in tree.every(t.program, Index)}
    expressions |= {node.operand for node in tree.every(t.program, tree.Unary)}
    for call in tree.every(t.program, Call):
        if t.path(call.callee) in _IN_PLACE or call in sites:
            expressions.update(call.arguments[:1])
    for invoke in tree.every(t.program, Invoke):
        if t.kind(invoke.receiver) in ("module", "criterion"):
            expressions.update(invoke.arguments)
    return expressions
