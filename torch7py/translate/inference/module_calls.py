"""Modules and criterions: what constructions make, and what their methods give."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch

from torch7py.nn.base import Module
from torch7py.nn.container import Container
from torch7py.nn.registry import layers as registered
from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kind_rules import (
    keeps_rank,
    output_kind,
    same_rank,
)
from torch7py.translate.kinds import Description, Type, unify, widen
from torch7py.translate.layers import SETTINGS
from torch7py.translate.library import is_criterion
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Number, String

__all__ = ["flat_vectors", "forward", "make", "method", "module_fields", "node_method", "program_fields"]

_ABOUT_FILES = ("clearState", "lightSerial", "mediumSerial", "heavySerial", "serialMode")
_SAME = ("training", "evaluate", "float", "double", "cuda", "clone", "type", "reset", "share")


# Tables that modules of Torch7's own have, and names that a module has in PyTorch.
_TABLES = {
    *dir(torch.nn.Sequential),
    *"modules output gradInput outputs cells gradOutputs gradCells gradInputs".split(),
}


def module_fields(program: Block) -> set[str]:
    """Names of fields that are given new tables: lists of layers among them that a program keeps in a module."""
    return {
        name
        for name, value in _field_assignments(program)
        if isinstance(value, tree.Table) and name not in _TABLES
    }


def program_fields(program: Block) -> set[str]:
    """Names of fields that the program gives modules of Torch7's, if to any, and that none of these has by itself.

    Functions among them are methods, and nil alone is no value of one.
    """
    no_values = (tree.Table, tree.Function, tree.Nil)
    assigned_names = {name for name, value in _field_assignments(program) if not isinstance(value, no_values)}
    return {name for name in assigned_names if not is_known_field(name)}


def _field_assignments(program: Block) -> Iterator[tuple[str, Expression]]:
    """``x.name = value``, of anything."""
    for node in tree.every(program, tree.Assign):
        for target, value in zip(node.targets, node.values, strict=False):
            if isinstance(target, Index) and target.dotted and isinstance(target.key, String):
                yield target.key.value, value


def is_known_field(name: str) -> bool:
    """Whether modules have a field or a method of this name, in Torch7 or in PyTorch."""
    if name in _GIVEN:
        return False
    return name in _TABLES or name in _KNOWN or name in _fields_of_layers() or hasattr(Module, name)


# Fields of modules that have nothing but what a program gives them: the title of a graph in a picture.
_GIVEN = {"name"}
# Fields that modules have for the bridge's sake, or that come and go.
_KNOWN = set(
    "_type inplace train accUpdate copyInput parameters sharedClones updateOutput updateGradInput".split()
)


@functools.cache
def _fields_of_layers() -> frozenset[str]:
    return frozenset(name for layer in registered.values() for name in getattr(layer, "fields", ()))


def _is_container(name: str) -> bool:
    module_class = registered.get(name)
    return module_class is not None and issubclass(module_class, Container)


def forward(module: Type, result: Type, arguments: list[Type]) -> bool:
    if module.kind == "criterion":
        return result.be("number") | result.mark("loss")
    shape = output_kind(module, arguments[0] if arguments else Type())
    if shape == "steps":
        return result.be_list("tensor", "steps")
    if shape == "tuple":
        return result.be_list("tensor", "tuple")
    if shape == "tensor":
        news = result.be("tensor")
        if arguments and keeps_rank(module):
            news |= same_rank(result, arguments[0])
        return news
    if not module.find().layers and not module.find().classes:
        result.mark("of a module")  # from a file: its use tells whether it is a table
    return False


def method(
    node: Invoke, receiver: Type, arguments: list[Type], results: list[Type], in_turn: bool = False
) -> bool:
    """What a method of a module gives. ``in_turn``: the first argument is an entry of a list in a loop over it."""
    result, name = results[0], node.method
    if name in ("forward", "updateOutput"):
        return forward(receiver, result, arguments)
    if name in ("backward", "updateGradInput"):
        return gradient(result, arguments)
    if name == "add":
        news = False
        layers = receiver.find().layers
        for layer in [one for one in layers if _is_container(one.name)][:1] or layers[:1]:
            if arguments and not any(child is arguments[0] for child in layer.children):
                layer.children.append(arguments[0])
                layer.in_turn += arguments[:1] if in_turn else []
                receiver.find().changed()
                news = True
        return news | unify(result, receiver)
    if name == "type" and not node.arguments:
        return result.be("string")
    of_itself = name in ("float", "double", "cuda", "clone", "type", "share")
    of_itself |= name == "reset" and not facts.gives_nothing(
        name, [one.name for one in receiver.find().layers]
    )
    if of_itself or name in SETTINGS or name in _ABOUT_FILES:
        return unify(result, receiver)
    if name == "get":
        part = _user_layer_at(node, receiver)
        return result.be_any_layer() if part is None else unify(result, part)
    if name == "findModules" and node.arguments:
        wanted = node.arguments[0]
        news = result.be_list("module")
        if isinstance(wanted, String):
            return news | _be_layers(result.of_elements(), receiver, wanted.value)
        return news | result.of_elements().be_any_layer()
    if name == "listModules":
        return result.be_list() | result.of_elements().be_any_layer()
    if name == "replace":
        return result.be_any_layer()
    if name == "gradParamClip":
        return result.be("number")
    if name == "size" and not node.arguments:
        return result.be("number") | result.mark("whole")
    if name == "getParameters":
        return flat_vectors(results)
    if name == "parameters":
        news = False
        for result_type in results[:2]:
            news |= result_type.be_list("tensor")
        return news
    return False


def _user_layer_at(node: Invoke, container: Type) -> Type | None:
    """A layer of one of the program's own classes, of which a chain's place tells that it is the one."""
    at = node.arguments[0] if len(node.arguments) == 1 else None
    if not isinstance(at, Number) or len(container.find().layers) != 1:
        return None
    (chain,) = container.find().layers
    if not facts.is_chain(chain.name) or chain.in_turn or not 1 <= at.value <= len(chain.children):
        return None
    part = chain.children[int(at.value) - 1]
    return part if part.find().classes else None


def gradient(result: Type, arguments: list[Type]) -> bool:
    """What a backward pass gives is like what the forward was given."""
    input_type = arguments[0] if arguments else Type()
    if input_type.kind == "table" and input_type.of_elements().kind == "tensor":
        return result.be_list("tensor")
    return unify(result, input_type) if input_type.kind == "tensor" else False


def _be_layers(type_: Type, module: Type, name: str) -> bool:
    """Learn that these are the layers of one name in a module."""
    news = False
    waiting, seen = [module.find()], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for layer in current.layers:
            if layer.name == name and layer not in type_.find().layers:
                type_.find().layers += (layer,)
                type_.find().changed()
                news = True
            waiting += [part.find() for part in (*layer.children, *layer.slots)]
    return news


def node_method(method: str, receiver: Type, results: list[Type]) -> bool:
    """A node of a graph that is named, or taken apart."""
    if method == "annotate":
        return unify(results[0], receiver)
    news = False
    for result in results:
        news |= result.be("tensor") | result.mark("node")
    return news


def make(path: str, node: Call, arguments: list[Type], result: Type) -> bool:
    if facts.is_serial(path) and len(arguments) == 1:
        return unify(result, arguments[0]) or True
    kind = "criterion" if is_criterion(path) else "module"
    result.be(kind)
    description = Description("nn." + path.split(".", 1)[1], node)
    description.arguments = list(arguments)
    result.find().layers += (description,)
    return True


def flat_vectors(results: list[Type]) -> bool:
    """The two vectors of all parameters and of their gradients."""
    news = False
    for index, mark in enumerate(("flat weights", "flat gradients")):
        widen(results, index + 1)
        news |= results[index].be("tensor") | results[index].be_rank(1) | results[index].mark(mark)
    return news
