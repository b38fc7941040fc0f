"""The end of an inference: the rules until nothing changes, then guesses."""

from __future__ import annotations

import threading

from torch7py.translate import tree
from torch7py.translate.inference.state import Inference
from torch7py.translate.kinds import Rules, Type, unify
from torch7py.translate.types import Types

__all__ = ["learn", "settle"]

_one_at_a_time = threading.Lock()  # as there is one rule that is being applied
_PROTOCOL = {"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"}


_PLAIN = {"number", "string", "boolean", "tensor", "storage", "timer", "cmdline"}
_MADE = {"table", "module", "criterion", "function"}


def learn(types: Types, recorded: dict[int, set[str]]) -> None:
    """Take what a run saw for known where it was of one kind and nothing else is known.

    A table, a module or a function is what is known of the place that made it; where that is not known, nothing is
    learned, as a table's form in Python is decided where it is made; nor of parameters where tests say what they are.
    """
    if not recorded:
        return
    by_place = {
        node.place.start * 1_000_003 + node.place.end: found
        for node, found in types.by_node.items()
        if node not in types.narrowed
    }
    for key, seen in recorded.items():
        found = by_place.get(key)
        facts = [kind.split("@") for kind in sorted(seen - {"nil"})]
        if found is None or len({fact[0] for fact in facts}) != 1:
            continue
        kind = facts[0][0]
        if found.kind not in (None, kind):
            continue
        if kind in _PLAIN:
            found.be(kind)
            ranks = {int(fact[1]) for fact in facts if len(fact) > 1}
            if kind == "tensor" and len(ranks) == 1 and not found.find().ranks:
                found.find().ranks |= ranks
        elif not _learn_origin(types, found, facts, by_place):
            continue
        found.find().may_be_nil |= "nil" in seen


def _learn_origin(types: Types, found: Type, facts: list[list[str]], by_place: dict[int, Type]) -> bool:
    """Make a type one with those of the places that made its values, or of their class; whether they are known."""
    names = {fact[2] for fact in facts if len(fact) > 2}
    if names and names <= set(types.classes):
        for name in sorted(names):
            unify(found, types.classes[name].instance)
        return True
    places = [by_place.get(int(fact[1])) if len(fact) > 1 and fact[1] else None for fact in facts]
    if facts[0][0] not in _MADE or None in places:
        return False
    for place in places:
        if place is not None:
            unify(found, place)
    return True


def settle(inference: Inference) -> None:
    with _one_at_a_time:
        _settle(inference)


def _settle(inference: Inference) -> None:
    rules = Rules(inference.rules)
    rules.settle()
    open_ones = [node for node, found in inference.types.by_node.items() if found.kind is None]
    _guess_methods(inference)
    rules.settle()
    for guess in inference.guesses:
        if guess():
            rules.settle()
    # What is still open and is counted with, is a number.
    for node, found in list(inference.types.by_node.items()):
        if isinstance(node, tree.Binary) and node.operator in "+-*/%^" and found.kind is None:
            for side in (inference.types.of(node.left), inference.types.of(node.right)):
                if side.kind is None:
                    side.be("number")
            rules.settle()
    # Only what was learned lives on: rules look at all that there is.
    rules.close()
    inference.told_by_use.settle()
    by_node = inference.types.by_node
    for node, found in by_node.items():
        root = by_node[node] = found.find()
        root.readers = None
    inference.types.guessed.update(node for node in open_ones if by_node[node].kind is not None)


def _guess_methods(inference: Inference) -> None:
    """What nn hands to the methods of a layer of the program's own."""
    for made in inference.types.classes.values():
        if made.instance.kind not in ("module", "criterion"):
            continue
        for name, function in made.methods.items():
            if name not in _PROTOCOL:
                continue
            for parameter in function.parameters[1:]:
                found = inference.name_type(parameter)
                if found.kind is None and not found.find().fields:
                    found.be("number" if parameter.name in ("scale", "lr", "learningRate") else "tensor")
            if name in ("updateOutput", "updateGradInput", "updateOutput"):
                given = inference.types.returns[function].at(0)
                if given.kind is None:
                    given.be(
                        "number" if made.instance.kind == "criterion" and name == "updateOutput" else "tensor"
                    )
        for name in ("output", "gradInput"):
            field_type = made.instance.of_field(name)
            if field_type.kind is None and made.instance.kind != "criterion":
                field_type.be("tensor")
