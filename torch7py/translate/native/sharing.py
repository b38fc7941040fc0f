"""Modules that share weights: copies that are the model itself, and modules with weights twice."""

from __future__ import annotations

from collections.abc import Collection

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.methods import CHANGING, VIEWS
from torch7py.translate.kinds import LuaClass, Type, all_parts
from torch7py.translate.native.analysis.flow import passed_integers
from torch7py.translate.native.code import Py
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Expression, Index, Invoke, Name

__all__ = ["Sharing", "copy_with_same_parameters", "layers_in", "refuse_half", "refuse_weights_of_others"]

_SHARED = {"weight", "bias", "gradWeight", "gradBias"}


class Sharing:
    def __init__(self, t: Translation) -> None:
        self.t = t

    def may_share(self, node: Invoke) -> bool:
        """Whether a module may have weights twice, which Torch7 moves for each module that has them."""
        t = self.t
        sharing = {
            t.type(n.receiver).find()
            for n in tree.every(t.program, Invoke)
            if t.kind(n.receiver) == "module"
            and (n.method == "share" or (n.method == "clone" and n.arguments))
            and not tree_queries.same_expression(node.receiver, n.receiver)
        }
        parts = _parts_of(t.type(node.receiver))
        unknown = any(not part.layers and not part.classes for part in (*parts, *sharing))
        if not sharing or not (unknown or sharing & set(parts[1:])):
            return False
        if any("parameters" in lua_class.methods for part in parts for lua_class in part.classes):
            raise Problem(
                "T7-202",
                node.line,
                "updateParameters of a module with weights of layers that are not its own",
            )
        return True

    def copy(self, node: Invoke) -> Py:
        """``copy:share(model, ...)``: a copy that shares all that it has is the model itself."""
        t = self.t
        refuse_half(t, node, node.arguments[1:])
        receiver = node.receiver
        if isinstance(receiver, Name):
            sources = t.integers.sources(t.scopes.of_name[receiver])
            first = sources[0] if len(sources) == 1 else None
            reads = t.scopes.of_name[receiver].reads
            if isinstance(first, Invoke) and receiver in reads and reads[0] is receiver:
                receiver = first
        model = node.arguments[0]
        copied = isinstance(receiver, Invoke) and receiver.method == "clone" and not receiver.arguments
        if not (
            copied and isinstance(receiver, Invoke) and tree_queries.same_expression(receiver.receiver, model)
        ):
            raise Undecided("T7-202", node.line, "share of a module that is no copy of the other one")
        return t.value(model)

    def becomes_shared(self, node: Invoke) -> Invoke | None:
        """The statement's call that makes a copy share all with its model, before the copy is used."""
        t = self.t
        flow = t.training.flow
        target = passed_integers(flow.statement(node), node)
        reads = t.scopes.of_name[target].reads if target is not None else []
        first = flow.statement(reads[0]) if reads else None
        call = first.call if isinstance(first, tree.Run) else None
        if not (isinstance(call, Invoke) and call.method == "share" and call.receiver is reads[0]):
            return None
        names = {name.value for name in call.arguments[1:] if isinstance(name, tree.String)}
        same = bool(call.arguments) and tree_queries.same_expression(call.arguments[0], node.receiver)
        return call if same and names >= _SHARED else None


def copy_with_same_parameters(module: str) -> str:
    """``module:clone('weight', 'bias', 'gradWeight', 'gradBias')``: a copy with the module's parameters."""
    return f"copy.deepcopy({module}, {{id(x): x for x in {module}.parameters()}})"


def _parts_of(module: Type) -> list[Type]:
    """A module and all within it, those in the fields of the program's own layers too."""
    parts: dict[Type, None] = {}
    waiting = [module.find()]
    while waiting:
        current = waiting.pop()
        if current in parts:
            continue
        parts[current] = None
        for layer in current.layers:
            waiting += [part.find() for part in (*layer.children, *layer.slots)]
        for lua_class in current.classes:
            fields = [type_.find() for type_ in lua_class.instance.find().fields.values()]
            waiting += [type_ for type_ in fields if type_.kind == "module"]
    return [*parts]


def layers_in(module_type: Type) -> set[str]:
    """The names of all layers of a module, and of itself."""
    parts = all_parts(module_type)
    unknown = {"?" for part in parts if not part.layers}
    return {layer.name for part in parts for layer in part.layers} | unknown


def refuse_half(t: Translation, node: Invoke, names: tuple[Expression, ...]) -> None:
    """Refuse a copy that shares weights and not their gradients, as one that is trained: in PyTorch these are one."""
    field_names = {name.value for name in names if isinstance(name, tree.String)}
    if len(field_names) != len(names):
        raise Undecided("T7-202", node.line, f"{node.method} of fields that are not named by literals")
    layers = layers_in(t.type(node.receiver))
    needed = {"weight", "gradWeight"} if all(map(facts.only_weighs, layers)) else _SHARED
    if field_names >= needed or not any(
        isinstance(n, Invoke) and n.method in ("backward", "accGradParameters") for n in tree.walk(t.program)
    ):
        return
    raise Problem("T7-202", node.line, f"{node.method} of weights without their gradients, or of one of them")


def refuse_weights_of_others(t: Translation, lua_class: LuaClass, weights: Collection[str]) -> None:
    """Refuse a layer that takes the memory of another one's weight for its own, of which PyTorch has two parameters.

    Torch7 moves such memory by both, with one gradient where they share that as well.
    """
    for function in lua_class.methods.values():
        for node in tree.every(function.body, tree.Assign):
            for target, value in zip(node.targets, node.values, strict=False):
                name = target.of_self if isinstance(target, Index) else None
                if name in weights and _is_of_another(t, value, t.scopes.of_function[function], weights):
                    reason = f"self.{name}, which may be another layer's weight, too"
                    raise Problem("T7-243", value.line, reason)


def _is_of_another(t: Translation, value: Expression, scope: Scope, weights: Collection[str]) -> bool:
    """Whether something may have its memory from elsewhere than from the layer itself."""
    value = tree_queries.bare(value)
    while isinstance(value, Invoke) and value.method in VIEWS | CHANGING and t.kind(value) == "tensor":
        value = tree_queries.bare(value.receiver)
    if isinstance(value, Index):
        is_part = t.kind(value.base) == "tensor"
        return _is_of_another(t, value.base, scope, weights) if is_part else value.of_self not in weights
    if not isinstance(value, Name):
        return False
    variable = t.scopes.of_name[value]
    if variable.scope is not scope and (len(variable.reads) > 1 or variable.in_loop):
        return True  # each object gets the same
    sources = [source for source in t.integers.sources(variable) if not isinstance(source, bool)]
    return any(_is_of_another(t, source, scope, weights) for source in sources)
