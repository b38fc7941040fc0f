"""What other parts of the writer ask about modules, criterions and graphs of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.layers import Layer
from torch7py.translate.native.analysis.builders import Builders
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.code import Py
from torch7py.translate.tree import Call, Expression, Index, Invoke, Statement

__all__ = ["Graphs", "Models"]


class _Constructions(Protocol):
    def layer(self, node: Expression) -> Layer:
        """A construction as a tree of layers."""


class _Written(Protocol):
    def class_name(self, name: str) -> str:
        """A name for a class of modules that no other has."""

    def names_in(self, expressions: list[Expression]) -> dict[str, str]:
        """The variables in constructor arguments that a class of the module does not see, and what it is given."""


class _Inputs(Protocol):
    def forward(self, receiver: Expression, arguments: tuple[Expression, ...], line: int) -> Py:
        """A module or criterion that is run."""

    def input(self, module: Type, node: Expression) -> str:
        """The input of a module: steps as one tensor, other tables as tuples."""

    def target(self, criterion: Type, node: Expression, line: int) -> str:
        """The target of a criterion: classes count from 0 in PyTorch."""

    def loss(
        self, base: str, criterion_type: Type, prediction: Expression, target: Expression, line: int
    ) -> Py:
        """A criterion of a prediction and its target."""

    def spread(self, module: Expression, values: list[str]) -> str:
        """The arguments of a module in a graph: a graph takes several, other modules a tuple."""


class _Origins(Protocol):
    def cut(self, node: Expression, written: Py) -> Py:
        """A value without its graph, where it comes from layers."""


class _Coupling(Protocol):
    inside: set[tree.Node | tree.Block]  # all nodes of the statements that hand states over

    @property
    def takes_back(self) -> bool:
        """Whether gradients go back through states that are handed over."""

    def begins_at_state(self, module: Expression) -> bool:
        """Whether gradients of a module come through states that layers in it have handed over."""

    def copies_back(self, statement: Statement) -> bool:
        """Whether a statement only copies such gradients: also a loop of such, or a call of a function of such."""

    def functions_back(self) -> Iterable[Statement]:
        """The definitions of functions that only copy gradients."""


class _LayerTests(Protocol):
    def classes(self) -> Mapping[str, str | None]:
        """The names of all layers of the program, and the page's classes of them; None for what is no module there."""

    def condition(self, node: Expression) -> Py | None:
        """A test of a module's class, or of a weight that it may have; None for other conditions."""


class _LayerNames(Protocol):
    is_told: bool  # whether what is made now is told what Torch7 calls it

    @property
    def has_packages(self) -> bool:
        """Whether the program has a package of layers as a value, so that it may make others than it names."""

    def need(self, of_classes: bool) -> None:
        """Have what Torch7 calls the modules of the page on it, for functions of the pages' library."""


class Models:
    """Modules and criterions, how they are made and what is called on them."""

    constructions: _Constructions
    written: _Written
    inputs: _Inputs
    origins: _Origins
    coupling: _Coupling
    layer_tests: _LayerTests
    layer_names: _LayerNames

    def __init__(self, known: Known) -> None:
        self.builders = Builders(known)
        self.plain_modules: list[tuple[Layer, str]] = []  # every leaf made as a plain module

    @abstractmethod
    def call(self, node: Call | Invoke) -> Py | None:
        """A call on a module or criterion, or one that makes it."""

    @abstractmethod
    def statement(self, node: Call | Invoke) -> bool:
        """Write such a call as a statement; whether it is one."""

    @abstractmethod
    def plain_pass(self, node: Call | Invoke) -> Py:
        """A call that runs a module or goes back through it, by the pages' library."""

    @abstractmethod
    def open_pass(self, node: Invoke, every: bool) -> Py:
        """A call of the name of a pass on what may be no module."""

    @abstractmethod
    def plain_node(self, node: Call) -> Py:
        """A node of a graph that is made when the page runs."""

    @abstractmethod
    def refuse_unknown(self, node: Index | Invoke) -> None:
        """Refuse a method or a field that modules do not have in the page, where they are objects."""

    @abstractmethod
    def is_set(self, node: Invoke) -> bool:
        """Whether nothing but settings are behind a constructor, which are a part of it."""

    @abstractmethod
    def built(self, node: Call | Invoke) -> tuple[str, dict[str, str], bool]:
        """PyTorch's module, or a class of the page, for a constructor; its arguments by their names.

        And whether its weights have the names and the form of Torch7's.
        """

    @abstractmethod
    def base_layer(self, name: str, node: Call) -> tuple[str, dict[str, str]]:
        """PyTorch's layer with a call's arguments, for a class that derives from Torch7's; these by their names."""

    @abstractmethod
    def has_length(self, node: Expression) -> bool:
        """Whether Lua's ``#`` gives a module's number of parts, as that of an nn.Sequential."""

    @abstractmethod
    def field(self, node: Index) -> Py | None:
        """``model.weight`` and other fields of modules."""

    @abstractmethod
    def is_program_field(self, node: Index) -> bool:
        """Whether a field is one that the program gives a module of Torch7's: a list of layers, a mark."""

    @abstractmethod
    def setting(self, target: Index) -> str | None:
        """The attribute of ``nce.normalized = true``, which the page has as well."""

    @abstractmethod
    def assign(self, target: Index, value: Expression) -> bool:
        """``layer.accGradParameters = function() end``: its weights stay. Whether an assignment is one of these."""

    @abstractmethod
    def changed(self, node: Expression, target: Expression | None = None) -> AbstractContextManager[None]:
        """While what is written changes this expression in place: a weight by its data, which autograd does not see.

        ``target``: where it is kept, if it is not changed at once.
        """


class Graphs(Protocol):
    mode: str  # "init" or "forward" while a class is written

    @property
    def members(self) -> Mapping[Statement, Statement]:
        """The statements that make nodes of a graph, and the one that makes it."""

    def is_node(self, node: Expression) -> bool:
        """Whether the value of an expression is a node, or a table of them."""

    def makes_graph(self, node: Expression) -> bool:
        """Whether an expression is ``nn.gModule(...)``."""

    def takes_several(self, inputs: Expression) -> bool:
        """Whether a graph with these inputs is given them one by one."""

    def takes_values(self, module_type: Type) -> bool | None:
        """Whether a module is a graph that is given several values, one by one; None where it is no graph."""

    def call(self, node: Call | Invoke) -> Py | None:
        """A node as its value."""

    def method(self, name: str, function: tree.Function) -> bool:
        """Write a method that does nothing but build a graph; whether it is one."""

    def of_field(self, node: Index) -> Py | None:
        """A field of the object whose method makes a graph, in the class of that."""

    def nodes_of(self, node: Index) -> Py:
        """``net.forwardnodes``"""

    def of_node(self, node: Index) -> Py | None:
        """``node.data.annotations.name`` and ``node.data.module``, where a node is the layer in it."""
