"""Modules of which the text does not tell which call a gradient belongs to: they keep their last call, as in Torch7.

One of several in a list, one that another function runs, on inputs that the text does not compare: in a page these are
run and gone back through by the helpers of ``user_passes.py``, all their calls, so that each pass is one of its
module's last call or an error when the page runs.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.interfaces.training import Explicit
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.inputs import takes_items
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Expression, Invoke, Name

__all__ = ["find"]

_UNKNOWN = {
    "a backward pass of which is not known what input it belongs to",
    "a backward pass through one of several modules",
    "a backward pass of a table of inputs, in another function than its forward",
}


def find(t: Translation, explicit: Explicit, runs: Forwards) -> None:
    """Take modules with passes that were refused for not being known well enough, where all their calls are seen."""
    for backward_pass in list(explicit.passes.values()):
        node = backward_pass.node
        if backward_pass.refused not in _UNKNOWN or node not in explicit.passes:
            continue
        module = t.type(node.receiver)
        calls = [n for n in tree.every(t.program, Invoke) if t.type(n.receiver) is module]
        forwards = [n for n in calls if runs.is_forward(n)]
        passes = [n for n in calls if t.user_passes.is_backward(n)]
        if not forwards or not all(n in explicit.passes for n in passes) or _is_other(t, runs, node.receiver):
            continue
        if any(_is_elsewhere(t, explicit, n) for n in forwards):
            continue
        scopes = {_scope(t, n) for n in forwards}
        for call in passes:
            del explicit.passes[call]
            if isinstance(call.receiver, Name) and scopes != {_scope(t, call)}:
                explicit.may_be_stale(call.receiver)
        for call in forwards:
            explicit.forwards.pop(call, None)
        t.user_passes.take(module, [*forwards, *passes])


def _scope(t: Translation, node: Expression) -> Scope:
    return t.surroundings.owner[t.training.flow.statement(node)]


def _is_elsewhere(t: Translation, explicit: Explicit, forward: Invoke) -> bool:
    """Whether a module is run where a loss goes back through it by itself."""
    scope = _scope(t, forward)
    return scope in t.training.steps and scope not in explicit.scopes


def _is_other(t: Translation, runs: Forwards, module: Expression) -> bool:
    """Whether a module is run otherwise as well, keeps its steps itself, or is given what is looked up."""
    called = any(
        isinstance(n, tree.Call) and t.type(n.callee) is t.type(module) and runs.is_forward(n)
        for n in t.training.flow.statement_of
    )
    steps = runs.keeps_steps(module) or runs.parts_run(module)
    return called or steps or takes_items(t.type(module)) or bool(t.type(module).classes)
