"""What a run of a program has shown that its text does not tell, and its page is written by.

Two things are seen: whether a batch normalization was trained on a batch of one example, and what the files hold that
the program loads and has not saved itself. A file's form (which fields, of what kind, tensors of how many
dimensions) is taken as a part of the program, as its text is; sizes and numbers are not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.kinds import Type

__all__ = ["NOTHING_SEEN", "Form", "Observed", "has_field", "loaded_by"]


def has_field(name: str) -> str:
    """The evidence that a table of a file has a field."""
    return f"has the field {name}"


@dataclass(frozen=True)
class Form:
    """What a value is like. ``kind`` is as in ``kinds.Type``; "" of one of which nothing is said."""

    kind: str = ""
    rank: int | None = None  # of a tensor
    tensor_type: str | None = None
    element: Form | None = None  # of a list
    fields: Mapping[str, Form] = field(default_factory=dict)  # of a table with names
    constructor: str = ""  # of a module: what makes one like it, in Lua

    def models(self) -> dict[str, str]:
        """The constructors of the modules in a table, by their fields: ``a.b``."""
        models: dict[str, str] = {}
        for name, form in self.fields.items():
            if name.isascii() and name.isidentifier():
                models |= {name: form.constructor} if form.constructor else {}
                models |= {f"{name}.{inner}": text for inner, text in form.models().items()}
        return models

    def learn(self, result: Type) -> None:
        """Let the type of an expression be that of such a value."""
        if not self.kind:
            return
        result.be(self.kind)
        result.mark("loaded", "seen")
        if self.kind == "tensor":
            result.be_rank(self.rank)
            result.find().tensor_type = self.tensor_type
        if self.element is not None:
            result.mark("array")
            self.element.learn(result.of_elements())
        for name, form in self.fields.items():
            result.mark("record", has_field(name))
            form.learn(result.of_field(name))


@dataclass(frozen=True)
class Observed:
    """``one_row``: whether a normalization saw one example. ``loaded``: what ``torch.load`` gave, by its place."""

    one_row: bool = False
    loaded: Mapping[str, Form] = field(default_factory=dict)

    def forms_in(self, file: str) -> dict[int, Form]:
        """What is loaded on each line of a file."""
        name = f"{os.path.basename(file)}:"
        return {
            int(place.removeprefix(name)): form
            for place, form in self.loaded.items()
            if place.startswith(name)
        }

    def forms_of_calls(self, blocks: Mapping[str, tree.Block]) -> dict[tree.Call, Form]:
        """The calls at the places of ``loaded`` in the files of a program, by their names."""
        forms = {}
        for name, block in blocks.items() if self.loaded else ():
            of_file = self.forms_in(name)
            for call in tree.every(block, tree.Call) if of_file else ():
                form = loaded_by(call, of_file)
                if form is not None:
                    forms[call] = form
        return forms


NOTHING_SEEN = Observed()


def loaded_by(node: tree.Node, forms: Mapping[int, Form]) -> Form | None:
    """What ``torch.load(...)`` gives on one of these lines."""
    callee = node.callee if isinstance(node, tree.Call) else None
    is_load = (
        isinstance(callee, tree.Index)
        and isinstance(callee.base, tree.Name)
        and isinstance(callee.key, tree.String)
        and (callee.base.name, callee.key.value) == ("torch", "load")
    )
    return forms.get(node.line) if is_load else None
