"""What the parts of an inference share: the types, what is still to be found out, and where it stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import TypeAlias

from torch7py.translate import tree
from torch7py.translate.inference import union_types
from torch7py.translate.inference.objects import Objects
from torch7py.translate.inference.union_types import Cases, Sink
from torch7py.translate.inference.use_site_types import UseSiteTypes
from torch7py.translate.kinds import Type
from torch7py.translate.observed import Form
from torch7py.translate.scopes import Scopes
from torch7py.translate.tree import Block, Call, Expression, Name, Statement
from torch7py.translate.types import Types

__all__ = ["Inference"]

_Run: TypeAlias = Callable[[], bool]


class Inference(ABC):
    """The types that are known by now, and the rules for what is not; its parts ask each other through it."""

    def __init__(self, scopes: Scopes, files: dict[Call, tree.Function]) -> None:
        self.scopes = scopes
        self.files = files
        self.program = Block((), None, ())
        self.tuples: set[tree.Table] = set()  # constructors of tables with a kind for each place
        self.sinks: set[Sink] = set()  # what takes several kinds
        self.flows: dict[tuple[Type, Type], None] = {}  # sinks with what they are given, results with theirs
        self.cases: Cases | None = None
        self.loaded: Mapping[Expression, Form] = {}  # what a run has shown of the files that calls load
        self.options_read: set[str] = set()  # names of options that are read as Lua's values
        self.defaults: dict[str, str] = {}  # texts that options have by default
        self.graphs = False  # whether a module that is called makes a node of a graph
        self.types = Types(scopes)
        self.rules: list[_Run] = []
        self.with_names: list[Type] = []  # what is indexed with a string
        self.apart: set[tree.Assign] = set()  # what is assigned learns nothing from what takes it
        # That give a table of gradients for a table, and one for a tensor.
        self.either: set[tree.Function] = set()
        self.guesses: list[_Run] = []  # for what is still open when the rules have nothing more to say
        self.function: list[tree.Function | None] = [None]
        self.use_site_types = UseSiteTypes(self.types)
        self.objects = Objects(self.types, scopes)

    @abstractmethod
    def expression(self, node: Expression) -> Type:
        """The type of an expression, which is looked at once."""

    @abstractmethod
    def block(self, block: Block) -> None:
        """Look at the statements of a block."""

    def join(self) -> bool:
        """Make one of sinks and what they are given where these are alike after all; whether there was any."""
        return sum(union_types.join(sink, source) for sink, source in list(self.flows)) > 0

    def be_tensor(self, type_: Type) -> bool:
        """Guess that this is a tensor, where nothing is known of it and no field of it is looked at."""
        root = type_.find()
        if root.kind is not None or root.fields or any(other.find() is root for other in self.with_names):
            return False
        return root.be("tensor")

    def name_type(self, name: Name, target_of: Statement | None = None) -> Type:
        variable = self.scopes.of_name[name]
        bounds, types = self.types.versions[variable]
        at = name.span.start if target_of is None else target_of.span.end
        type_ = types[bisect_right(bounds, at)]
        narrowed = self.cases.narrowed(name, type_) if self.cases is not None and target_of is None else None
        return narrowed or type_

    def vararg(self) -> Type:
        """What ``...`` holds here; the script's own are its arguments."""
        function = self.function[-1]
        return Type("string") if function is None else self.types.varargs.setdefault(function, Type())

    def declare(self, name: Name) -> Type:
        type_ = self.name_type(name)
        self.types.by_node[name] = type_
        return type_
