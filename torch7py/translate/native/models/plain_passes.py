"""Passes of modules and nodes of graphs in plain calls, where not all is known of them."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD, FORWARD
from torch7py.translate.native import code
from torch7py.translate.native.code import Py
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.inputs import input_kind, takes_items
from torch7py.translate.native.models.overwritten_inputs import is_seen_overwritten
from torch7py.translate.native.plain_calls import arguments, library_call
from torch7py.translate.native.problem import Problem
from torch7py.translate.patching import altered
from torch7py.translate.tree import Call, Expression, Invoke

__all__ = ["node_of", "open_pass", "pass_of"]


def pass_of(t: Translation, node: Call | Invoke) -> Py:
    """A call of a module there or back, of which the library keeps what it needs for the way back."""
    module, method = (node.receiver, node.method) if isinstance(node, Invoke) else (node.callee, "forward")
    args = arguments(t, node.arguments)
    if node.arguments:
        args[0] = _input(t, module, node.arguments[0], args[0])
    args.insert(0, t.value(module).text)
    of_steps = any(facts.by_step(layer.name) for layer in t.type(module).find().layers)
    if of_steps and len(args) == (2 if method in FORWARD else 3) and method in ("forward", "backward"):
        return library_call(t, f"{method}_step", args)
    if of_steps:
        raise Problem(
            "T7-226", node.line, f"{method} with these arguments, of a module that remembers its steps"
        )
    if method in FORWARD:
        return library_call(t, "forward", args)
    if len(args) < 3:
        raise Problem("T7-226", node.line, f"{method} with these arguments")
    _refuse_both(t, module, node)
    which = {"updateGradInput": "inputs", "accGradParameters": "weights"}.get(method)
    return library_call(t, "backward", [*args, *([f"which={code.quoted(which)}"] if which else [])])


def open_pass(t: Translation, node: Invoke, every: bool) -> Py:
    """The same of what may be a module or another object; ``every``: all values that it gives."""
    if node.method in BACKWARD:
        _refuse_both(t, node.receiver, node)
    function = "module_method_all" if every else "module_method"
    return library_call(
        t, function, [t.value(node.receiver).text, code.quoted(node.method), *arguments(t, node.arguments)]
    )


def _refuse_both(t: Translation, module: Expression, node: Call | Invoke) -> None:
    """Refuse a criterion of the program's own, as far as this may be one, that gives gradients of the target, too."""
    if t.kind(module) == "module":
        return
    user_criteria = [lua_class for lua_class in t.classes.all if lua_class.instance.kind == "criterion"]
    candidates = t.type(module).find().classes or user_criteria
    if any(t.classes.layer_of(lua_class).gives_both() for lua_class in candidates):
        raise Problem("T7-226", node.line, "a criterion that gives the gradients of both its arguments")


def _input(t: Translation, module: Expression, node: Expression, text: str) -> str:
    """What a module is given, in the form that its class in the page takes."""
    module_type = t.type(module)
    if is_seen_overwritten(t, module_type, node):
        raise Problem("T7-230", node.line, "an input that the module's first layer writes over")
    if t.kind(node) == "table" and input_kind(module_type) == "steps" and not t.type(node).has("steps"):
        text = library_call(t, "steps_of", [t.value(node).text]).text
    elif t.kind(node) != "tensor" or not takes_items(module_type):
        return text
    else:
        text = t.value(node).at(code.ATOM)
    return f"{text}.long()" if takes_items(module_type) else text


def node_of(t: Translation, node: Call) -> Py:
    """A node of a graph that has no class: ``module(node)``."""
    if t.kind(node.callee) == "criterion":
        return _loss_node(t, node)
    args = arguments(t, node.arguments)
    if takes_items(t.type(node.callee)) and args:
        if len(args) > 1 or t.kind(node.arguments[0]) == "table":
            raise Problem("T7-221", node.line, "a module that takes places and other values, in a graph")
        args = [f"{t.value(node.arguments[0]).at(code.ATOM)}.long()"]
    return library_call(t, "node", [t.value(node.callee).text, *args])


def _loss_node(t: Translation, node: Call) -> Py:
    """``criterion({prediction, target})``: a node that gives the loss as a tensor of one element."""
    entries = node.arguments[0] if len(node.arguments) == 1 else None
    if not isinstance(entries, tree.Table) or len(entries.fields) != 2 or any(x.key for x in entries.fields):
        raise Problem("T7-221", node.line, "a criterion of something else than two nodes")
    prediction, target = (item.value for item in entries.fields)
    sources = [t.value(prediction).text, t.value(target).text]
    names = {prediction: "prediction", target: "target"}
    instead = {**t.expressions.instead, **{value: code.atom(name) for value, name in names.items()}}
    with altered(t.expressions, instead=instead):
        base, criterion = t.value(node.callee).at(code.ATOM), t.type(node.callee)
        loss = t.models.inputs.loss(base, criterion, prediction, target, node.line)
    module = library_call(t, "LossOf", [f"lambda {', '.join(names.values())}: {loss}"])
    return library_call(t, "node", [module.text, *sources])
