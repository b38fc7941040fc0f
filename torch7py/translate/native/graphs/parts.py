"""What a class of a graph is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.layers import Layer
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Call, Index

__all__ = ["Child", "GraphClass", "Loop", "Part", "Site", "camel", "declared", "snake"]

Loop = tree.NumericFor | tree.GenericFor


@dataclass(eq=False)
class Child:
    """A layer that a class of a graph keeps: made at one place of the program, once or in every turn of a loop."""

    name: str
    loops: tuple[Loop, ...] = ()
    chosen: bool = False  # made in one branch only

    @property
    def many(self) -> bool:
        return bool(self.loops)

    @property
    def indexed(self) -> bool:
        """Whether the turn of the loop says which one it is."""
        return len(self.loops) == 1 and isinstance(self.loops[0], tree.NumericFor) and not self.chosen


@dataclass(eq=False)
class Site:
    """A place where a node is made: of a layer, by a function, or by a module that a variable holds."""

    layer: Layer | None
    children: list[Child]
    function: tree.Function | None = None


@dataclass(eq=False)
class GraphClass:
    """A class that is being written."""

    name: str
    scope: Scope
    body: Block
    inputs: list[str] = field(default_factory=list)  # of forward
    all_inputs: str = ""  # or one list of them
    only_input: bool = False  # of which there is one, which a graph is given by itself
    input_variables: set[Variable] = field(default_factory=set)
    sources: dict[Call, str] = field(default_factory=dict)  # what makes the node of an input, and its name
    silent: bool = False  # its comments stay where the statements were
    sites: dict[Call, Site] = field(default_factory=dict)
    lines_with_children: set[int] = field(default_factory=set)  # those of sites that have layers of their own
    children: list[Child] = field(default_factory=list)
    wanted: set[Variable] = field(default_factory=set)  # sizes that forward works out anew
    kept: dict[str, None] = field(default_factory=dict)  # sizes that the constructor keeps for it
    waiting: list[tree.Comment] = field(default_factory=list)  # of statements that are not written
    iterators: dict[str, str] = field(default_factory=dict)  # of children whose turn has no number
    # Fields of the object whose method makes the graph, and what the class calls them.
    fields: dict[str, str] = field(default_factory=dict)
    given: list[Variable] = field(default_factory=list)  # the nodes that a part of a graph is given
    attributes: list[Child] = field(default_factory=list)  # the children, in their order as attributes
    # The children that are still to become attributes of it, in this order, where that is not the one in which its
    # constructor makes them; and those that are made.
    order: list[Child] = field(default_factory=list)
    made: set[Child] = field(default_factory=set)


@dataclass(eq=False)
class Part:
    """A function that makes nodes of nodes, as a class: its constructor's and its forward's arguments."""

    cls: GraphClass
    sizes: list[Variable]
    nodes: list[Variable]
    size_upvalues: list[Variable]
    node_upvalues: list[Variable]
    gives: int = 1  # how many nodes
    fields: list[Index] = field(default_factory=list)  # of the object in whose method it is

    @property
    def name(self) -> str:
        return self.cls.name


def declared(variable: Variable) -> int:
    first = variable.declaration or next(iter(variable.writes), None)
    return first.span.start if first is not None else -1


def camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", name) if part)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
