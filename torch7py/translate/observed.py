"""What a run of a program has shown that its text does not tell, and its page is written by.

Three things are seen: whether a batch normalization was trained on a batch of one example, what the files hold that
the program loads and has not saved itself, and what data sets of HDF5 and texts of JSON gave. A file's form (which
fields, of what kind, tensors of how many dimensions) is taken as a part of the program, as its text is; sizes and
numbers are not.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch7py.translate import tree, tree_queries
from torch7py.translate.kinds import Type

__all__ = ["FILLED", "NOTHING_SEEN", "Form", "Observed", "has_field", "loaded_by"]

FILLED = "torch.filled_from_file"  # in a rewritten program: gives a model the weights of one from a file


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
    keys: bool = False  # whether a table has texts for keys that say nothing of what is under them
    constructor: str = ""  # of a module: what makes one like it, in Lua

    def models(self) -> dict[tuple[str, ...], str]:
        """The constructors of the modules in a table, by the names of the fields on the way to each."""
        models: dict[tuple[str, ...], str] = {}
        for name, form in self.fields.items():
            models |= {(name,): form.constructor} if form.constructor else {}
            models |= {(name, *inner): text for inner, text in form.models().items()}
        return models

    def common(self, other: Form) -> Form:
        """What two values are both like."""
        if self.kind != other.kind or (self.element is None, self.keys) != (
            other.element is None,
            other.keys,
        ):
            return Form()
        element = (
            None if self.element is None or other.element is None else self.element.common(other.element)
        )
        return Form(
            self.kind,
            self.rank if self.rank == other.rank else None,
            self.tensor_type if self.tensor_type == other.tensor_type else None,
            element,
            keys=self.keys and other.keys,
            fields={
                name: form.common(other.fields[name])
                for name, form in self.fields.items()
                if name in other.fields
            },
        )

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
            result.mark("dict" if self.keys else "array")
            if self.keys:
                result.of_keys().be("string")
            self.element.learn(result.of_elements())
        for name, form in self.fields.items():
            result.mark("record", has_field(name))
            form.learn(result.of_field(name))


@dataclass(frozen=True)
class Observed:
    """What a run has shown, by the places of calls (``train.lua:24``).

    ``one_row``: whether a normalization saw one example. ``loaded``: what ``torch.load`` gave of files that the program
    had not saved. ``read``: what data sets of HDF5 gave, and texts of JSON, by ``train.lua:24 all`` or ``... decode``.
    """

    one_row: bool = False
    loaded: Mapping[str, Form] = field(default_factory=dict)
    read: Mapping[str, Form] = field(default_factory=dict)

    def tells_more_than(self, other: Observed) -> bool:
        """Whether this tells of values of which another one does not."""
        return not (self.loaded.keys() <= other.loaded.keys() and self.read.keys() <= other.read.keys())

    def forms_in(self, file: str) -> dict[int, Form]:
        """What is loaded on each line of a file."""
        name = f"{os.path.basename(file)}:"
        return {
            int(place.removeprefix(name)): form
            for place, form in self.loaded.items()
            if place.startswith(name)
        }

    def forms_of_calls(self, blocks: Mapping[str, tree.Block]) -> dict[tree.Expression, Form]:
        """What calls in the files of a program gave, by the names of the files.

        What a function hands on each call of it has given by itself, whatever its others were given.
        """
        if not self.loaded and not self.read:
            return {}
        forms: dict[tree.Expression, Form | None] = {}
        places = {name: f"{os.path.basename(name)}:" for name in blocks}
        by_callers = _places_of_tail_calls(blocks, places)
        for name, block in blocks.items():
            for call in tree.those(block, tree.Call, tree.Invoke):
                if isinstance(call, tree.Invoke):
                    given, ending = self.read, f" {call.method}"
                elif isinstance(call, tree.Call) and _is_of(call, "decode"):
                    given, ending = self.read, " decode"
                elif isinstance(call, tree.Call) and _is_of(call, "load", "torch"):
                    given, ending = self.loaded, ""
                else:
                    continue
                form = given.get(f"{places[name]}{call.line}{ending}")
                seen = [] if form is None else [form]
                for caller, place in by_callers.get(call, ()):
                    forms[caller] = given.get(f"{place}{ending}")
                    seen += [form] if (form := forms[caller]) is not None else []
                if seen or call not in forms:
                    forms[call] = functools.reduce(Form.common, seen) if seen else None
        return {call: form for call, form in forms.items() if form is not None}


def _places_of_tail_calls(
    blocks: Mapping[str, tree.Block], places: Mapping[str, str]
) -> dict[tree.Expression, list[tuple[tree.Expression, str]]]:
    """The calls, and where they are, of functions that end with ``return torch.load(path)``, by that call.

    Lua knows no longer that it is in such a function by then, so that what was seen is seen in whoever calls it.
    """
    functions: dict[str, list[tree.Expression]] = {}
    for block in blocks.values():
        named = [(node.target, node.function) for node in tree.every(block, tree.FunctionStatement)]
        named += [(node.name, node.function) for node in tree.every(block, tree.LocalFunction)]
        for target, function in named:
            returns = tree_queries.returns_of(function)
            values = returns[0].values if len(returns) == 1 else ()
            if len(values) == 1 and isinstance(values[0], (tree.Call, tree.Invoke)):
                functions.setdefault(_last_name(target), []).append(values[0])
    callers: dict[tree.Expression, list[tuple[tree.Expression, str]]] = {}
    for name, block in blocks.items():
        calls: list[tuple[str, tree.Expression]] = [
            (_last_name(call.callee), call) for call in tree.every(block, tree.Call)
        ]
        calls += [(call.method, call) for call in tree.every(block, tree.Invoke)]
        for called, caller in calls:
            for ending in functions.get(called, ()):
                callers.setdefault(ending, []).append((caller, f"{places[name]}{caller.line}"))
    return callers


def _last_name(node: tree.Expression) -> str:
    if isinstance(node, tree.Name):
        return node.name
    return node.key.value if isinstance(node, tree.Index) and isinstance(node.key, tree.String) else ""


NOTHING_SEEN = Observed()


def loaded_by(node: tree.Node, forms: Mapping[int, Form]) -> Form | None:
    """What ``torch.load(...)`` gives on one of these lines."""
    return forms.get(node.line) if isinstance(node, tree.Call) and _is_of(node, "load", "torch") else None


def _is_of(call: tree.Call, name: str, package: str = "") -> bool:
    """Whether a call is one of ``package.name``, of any package where none is said."""
    callee = call.callee
    return (
        isinstance(callee, tree.Index)
        and isinstance(callee.base, tree.Name)
        and callee.key_name == name
        and package in ("", callee.base.name)
    )
