"""The fields of a layer that a program writes itself: parameters, gradients, what lives for a moment."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from torch import nn

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.code import Py
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["KEPT_BY_NN", "LayerFields"]

KEPT_BY_NN = {"output", "gradInput"}


@dataclass(eq=False)
class LayerFields:
    """What the fields of one class of layers are, and how they are written at the moment."""

    t: Known
    lua_class: LuaClass
    name: str
    parameters: list[str] = field(default_factory=list)
    gradients: dict[str, str] = field(default_factory=dict)  # gradWeight -> weight
    temporary: set[str] = field(default_factory=set)  # fields that live from a forward to its backward
    by_hand: bool = False  # the gradients are the program's own
    texts: dict[str, str] = field(default_factory=dict)  # fields that are written otherwise at the moment
    at_return: list[str] = field(default_factory=list)
    no_return: str | None = None  # the variable that takes a returned value
    layer_used: bool = False
    taken: set[str] | None = None
    # Of `output` and `gradInput`, where they are tables.
    entries: dict[str, int] = field(default_factory=dict)
    # Locals that are such a field: h = self.output.
    short_names: dict[Variable, str] = field(default_factory=dict)
    named_short: set[Expression] = field(default_factory=set)  # what such a local is given
    spread: str = ""  # the name of a table of inputs in its function
    trains_inner: bool = False  # whether its backward adds to the gradients of layers inside
    user_passes: bool = False  # whether its backward halves are methods like others
    inherits: bool = False  # whether PyTorch has the layer that it derives from
    handed: list[str] = field(default_factory=list)  # parameters that its function is handed
    halves: list[tree.Function] = field(default_factory=list)  # of its backward pass

    def __post_init__(self) -> None:
        self.forward = self.lua_class.methods.get("updateOutput")

    def self_field(self, node: tree.Node | tree.Block) -> str | None:
        """The field, of an expression ``self.field`` in a method of the class."""
        of_self = node.of_self if isinstance(node, Index) else None
        if isinstance(node, Index) and of_self and self.lua_class in self.t.type(node.base).find().classes:
            return of_self
        if isinstance(node, Name) and self.short_names:
            return self.short_names.get(self.t.scopes.of_name[node])
        if isinstance(node, Index) and isinstance(node.key, tree.Number) and isinstance(node.base, Index):
            name = self.self_field(node.base)
            if name in KEPT_BY_NN and self.entries.get(name, 0) >= int(node.key.value) >= 1:
                return f"{name}{int(node.key.value)}"  # an entry of a table, which has a variable of its own
        return None

    def is_table(self, name: str) -> bool:
        """Whether ``output`` or ``gradInput`` is a table."""
        return self.lua_class.instance.of_field(name).kind == "table"

    @property
    def handed_gradients(self) -> dict[str, str]:
        """The gradients that the function gives, of the weights that it is handed."""
        return self.gradients if self.handed else {}

    def gives_both(self) -> bool:
        """Whether gradients of two inputs are given, where a criterion has a prediction and a target."""
        first = self.forward.parameters[1:2] if self.forward is not None else ()
        return self.entries["gradInput"] > 1 and not any(
            self.t.kind(parameter) == "table" for parameter in first
        )

    def _count_entries(self, name: str) -> int:
        """How many entries a table has that the methods only name by number; 0 for one of another size."""
        if not self.is_table(name):
            return 0
        count = 0
        for function in self.lua_class.methods.values():
            for node in tree.walk(function.body):
                if (
                    isinstance(node, Index)
                    and isinstance(node.base, Index)
                    and self.self_field(node.base) == name
                ):
                    if not isinstance(node.key, tree.Number):
                        return 0
                    count = max(count, int(node.key.value))
                if (
                    isinstance(node, tree.Assign)
                    and len(node.targets) == 1
                    and self.self_field(node.targets[0]) == name
                ):
                    value = node.values[0]
                    if isinstance(value, tree.Table):
                        count = max(count, len(value.fields))
        return count

    def is_self(self, node: Expression) -> bool:
        return isinstance(node, Name) and node.name == "self"

    def fields_of(self, node: tree.Node | tree.Block) -> list[str]:
        return [name for n in tree.walk(node) if (name := self.self_field(n)) is not None]

    def text(self, name: str) -> str | None:
        """What stands for a field at the moment; None for ``self.name``."""
        replacement = self.texts.get(name)
        if replacement is None and self.texts.get("") is not None:
            self.layer_used = True
        return replacement

    def attribute(self, name: str) -> str:
        """The name of a field, where nn.Module has one of its own."""
        if name == "train":
            return "training"
        python = code.attribute_name(name)
        return f"{python}_" if hasattr(nn.Module, name) and name != "training" else python

    def written_as(
        self, texts: dict[str, str], no_return: str | None, at_return: list[str]
    ) -> AbstractContextManager[None]:
        return altered(self, texts=texts, no_return=no_return, at_return=at_return)

    def local(self, name: str) -> str:
        """The name of a field as a variable of the methods that compute: none of theirs."""
        if self.taken is None:
            self.taken = set()
            for function in [*([self.forward] if self.forward is not None else []), *self.halves]:
                for node in tree.walk(function):
                    if isinstance(node, Name):
                        self.taken.add(self.t.names.of(node))
        python = code.python_name(name)
        while python in self.taken:
            python += "_"
        return python

    # What is said of its methods where the class is written

    @property
    @abstractmethod
    def parents(self) -> str:
        """The module of the class it derives from, in its function."""

    @property
    @abstractmethod
    def remembers_output(self) -> bool:
        """Whether the forward half begins with what it gave last."""

    @abstractmethod
    def inner_gradient(self, node: Call | Invoke) -> Py | None:
        """``self.net:backward(x, g)`` in a backward half: gradients of a module that the layer has in it."""

    @abstractmethod
    def write_forward(self) -> None:
        """The method ``forward`` of the class."""
