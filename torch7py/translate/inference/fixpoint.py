"""The end of an inference: the rules until nothing changes, then guesses."""

from __future__ import annotations

import threading

from torch7py.translate import tree
from torch7py.translate.inference.state import Inference
from torch7py.translate.kinds import Rules, unify

__all__ = ["settle"]

_one_at_a_time = threading.Lock()  # as there is one rule that is being applied
_PROTOCOL = {"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"}


def settle(inference: Inference) -> None:
    with _one_at_a_time:
        _settle(inference)


def _settle(inference: Inference) -> None:
    rules = Rules(inference.rules)
    rules.settle()
    while inference.join():
        rules.settle()
    open_ones = [node for node, type_ in inference.types.by_node.items() if type_.kind is None]
    _guess_methods(inference)
    rules.settle()
    for guess in inference.guesses:
        if guess():
            rules.settle()
    # What is still open and is counted with, is a number.
    for node, type_ in list(inference.types.by_node.items()):
        if isinstance(node, tree.Binary) and node.operator in "+-*/%^" and type_.kind is None:
            for side in (inference.types.of(node.left), inference.types.of(node.right)):
                if side.kind is None:
                    side.be("number")
            rules.settle()
    # Only what was learned lives on: rules look at all that there is.
    rules.close()
    _make_objects_one(inference)
    inference.use_site_types.settle()
    by_node = inference.types.by_node
    for node, type_ in by_node.items():
        root = by_node[node] = type_.find()
        root.readers = None
        root.sources = tuple(source for source in root.sources if source.find() is not root)
    inference.types.guessed.update(node for node in open_ones if by_node[node].kind is not None)


def _make_objects_one(inference: Inference) -> None:
    """What turned out to be objects of one family of classes, and nothing else, is what those are."""
    types = inference.types
    of_results = (result for results in types.results.values() for result in results)
    of_returns = (result for returns in types.returns.values() for result in returns.types)
    of_versions = (version for _, versions in types.versions.values() for version in versions)
    for type_ in dict.fromkeys((*types.by_node.values(), *of_results, *of_returns, *of_versions)):
        instances = {lua_class.instance.find() for lua_class in type_.find().classes}
        if type_.kind == "object" and len(instances) == 1:
            (instance,) = instances
            if instance.kind == "object":
                unify(instance, type_)


def _guess_methods(inference: Inference) -> None:
    """What nn hands to the methods of a layer of the program's own."""
    for lua_class in inference.types.classes.values():
        if lua_class.instance.kind not in ("module", "criterion"):
            continue
        for name, function in lua_class.methods.items():
            if name not in _PROTOCOL:
                continue
            for parameter in function.parameters[1:]:
                parameter_type = inference.name_type(parameter)
                if parameter_type.kind is None and not parameter_type.find().fields:
                    parameter_type.be(
                        "number" if parameter.name in ("scale", "lr", "learningRate") else "tensor"
                    )
            if name in ("updateOutput", "updateGradInput", "updateOutput"):
                result_type = inference.types.returns[function].at(0)
                if result_type.kind is None:
                    result_type.be(
                        "number"
                        if lua_class.instance.kind == "criterion" and name == "updateOutput"
                        else "tensor"
                    )
        for name in ("output", "gradInput"):
            field_type = lua_class.instance.of_field(name)
            if field_type.kind is None and lua_class.instance.kind != "criterion":
                field_type.be("tensor")
