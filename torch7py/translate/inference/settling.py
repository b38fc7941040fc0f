"""The end of an inference: the rules until nothing changes, then guesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.types import Types

if TYPE_CHECKING:
    from torch7py.translate.inference.statements import Inference

__all__ = ["learn", "settle"]

_PROTOCOL = {"updateOutput", "updateGradInput", "accGradParameters", "backward", "forward"}


def learn(types: Types, recorded: dict[int, set[str]]) -> None:
    if not recorded:
        return
    for node, found in types.by_node.items():
        kinds = recorded.get(node.place.start * 1_000_003 + node.place.end)
        if kinds:
            for kind in kinds:
                base, _, rank = kind.partition(":")
                if base == "nil":
                    found.find().may_be_nil = True
                elif found.kind is None or found.kind == base:
                    found.be(base)
                    if rank.isdigit() and not found.find().ranks:
                        found.find().ranks.add(int(rank))


def settle(inference: Inference) -> None:
    _run(inference)
    _guess_methods(inference)
    for guess in inference.guesses:
        if guess():
            _run(inference)
    # What is still open and is counted with, is a number.
    for node, found in list(inference.types.by_node.items()):
        if isinstance(node, tree.Binary) and node.operator in "+-*/%^" and found.kind is None:
            for side in (inference.types.of(node.left), inference.types.of(node.right)):
                if side.kind is None:
                    side.be("number")
            _run(inference)


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
    _run(inference)


def _run(inference: Inference) -> None:
    for _ in range(60):
        news = False
        for rule in inference.rules:
            news |= bool(rule())
        if not news:
            return
