"""What is known of a program before any of it is written."""

from __future__ import annotations

import re
from collections.abc import Set
from contextlib import AbstractContextManager
from functools import cached_property
from typing import NamedTuple, Protocol

from torch7py.translate import tree
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.kinds import Type
from torch7py.translate.method_names import MethodNames
from torch7py.translate.native.names import Names
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.project import Project
from torch7py.translate.native.surroundings import Surroundings
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.types import Types
from torch7py.translate.usage import is_unset

__all__ = ["NOTHING_KNOWN", "PROVED", "Known", "PlainForms", "WholeNumbers"]


class PlainForms(NamedTuple):
    """What is written in plain calls because a first attempt has shown that its idiomatic form cannot be proved.

    ``graphs``: where graphs are made that have no class. ``passes``: whether modules go there and back call by call,
    each keeping what it needs, and no loss goes back as a whole. ``vectors``: whether flat weights are vectors of
    which the parameters are views, which the functions of optim move. ``modules``: whether modules are objects with
    Torch7's methods and fields, of which nothing else is known. ``tensors``: whether it is only seen when the page runs
    if a part of a tensor is one element, and equal elements are sorted in the order in which Torch7 leaves them.
    ``values``: whether only what is written out is taken for known: tables are the library's, and of what kind a value
    is, is seen when the page runs. ``apart``: whether each layer of Torch7's is a module of PyTorch's, and each
    container one that holds its parts as Torch7's does, so that the library goes through them as Torch7's methods do.
    """

    graphs: frozenset[int] = frozenset()
    passes: bool = False
    vectors: bool = False
    modules: bool = False
    tensors: bool = False
    values: bool = False
    apart: bool = False


PROVED = PlainForms()
NOTHING_KNOWN = PlainForms(passes=True, vectors=True, modules=True, tensors=True, values=True)

_WRITTEN_OUT = (tree.Number, tree.String, tree.Boolean, tree.Function)
# Kinds of values that are what they are in whichever form a page is, where the form for the kind is the only one.
_SAME_IN_ALL_FORMS = frozenset({"boolean", "criterion", "module", "number", "storage", "string", "tensor"})
_TABLE_OR_NO_PARTS = frozenset({"boolean", "number", "string", "table"})
_MODULES = frozenset({"criterion", "module"})
_DOUBTED = _SAME_IN_ALL_FORMS | {"table"}


class WholeNumbers(Protocol):
    def is_whole(self, node: Expression) -> bool:
        """Whether a number is an int in Python."""

    def sources(self, variable: Variable) -> list[Expression | bool]:
        """What a variable is given."""


class NumberBounds(Protocol):
    def of(self, node: Expression) -> tuple[float, float]:
        """The bounds of a number."""

    def positive(self, node: Expression) -> bool:
        """Whether a whole number is 1 or more."""

    def exact(self, node: Expression) -> bool:
        """Whether a whole number is the same one in double precision."""


class TableContents(Protocol):
    def representation(self, table_type: Type) -> str:
        """What a table is in a page: a list, a dict, ..."""

    def assigned_values(self, table_type: Type, name: str | None) -> list[Expression]:
        """What a field of tables is given, or (no name) all that is put under numbers."""

    def is_never_assigned(self, table_type: Type, name: str) -> bool:
        """Whether tables that the program makes never get a field of this name."""

    def never_empty(self, table_type: Type) -> bool:
        """Whether a list has items from the beginning, and none is ever taken out."""

    def holds_whole(self, node: Index, integer_analysis: WholeNumbers | None = None) -> bool:
        """Whether all numbers that a table is given are whole."""


class Known:
    """The program, and what can be asked of it. Analyses take this, and nothing of how pages are written.

    Which numbers are whole, how large they are and what tables hold hangs together: these three ask each other here.
    """

    integers: WholeNumbers
    intervals: NumberBounds
    tables: TableContents

    def __init__(
        self, project: Project, scopes: Scopes, types: Types, one_row: bool, plainly: PlainForms
    ) -> None:
        self.project, self.program, self.scopes, self.types = project, project.program, scopes, types
        self.plain_graphs, self.plain_passes, self.plain_vectors = plainly[:3]
        self.plain_modules, self.plain_tensors, self.plain_values = plainly[3:6]
        self.apart = plainly.apart and not plainly.modules
        self.of_modules: set[Problem] = set()  # what is refused unless ``apart``
        self.doubted = _DOUBTED if plainly.values else frozenset[str]()  # kinds that are not taken for known
        self.is_floor = plainly.values
        self.native_tables: set[Expression] = set()  # written out for functions that have a native form
        # As plain_modules, which is not set where a module is written for an object.
        self.objects = plainly.modules
        self.torch7_files: set[Expression] = set()  # calls that load what Torch7 has written
        self.one_row = one_row  # whether a run has shown batches of one example
        self.names = Names(scopes, self._of_files())
        self.surroundings = Surroundings(project.program, scopes)
        # Lua counts bytes: with letters beyond ASCII, places and lengths are not those of Python's text.
        self.wide_text = any(not node.value.isascii() for node in tree.every(self.program, tree.String))
        # Tables that plain calls gave, of which no other part of the program tells.
        self.opened: set[Type] = set()
        self.method_names = MethodNames(project.program, types)
        self.file = project.script.name  # whose page is being written
        self.options: dict[str, Expression] = {}  # of CmdLine, with their defaults

    def _of_files(self) -> set[Variable]:
        """The variables that have what another file of the program gives."""
        return {
            self.scopes.of_name[name]
            for statement in tree.every(self.program, tree.Local)
            for name, value in zip(statement.names, statement.values, strict=False)
            if isinstance(value, Call) and value in self.project.requires
        }

    def type(self, node: Expression) -> Type:
        return self.types.of(node)

    def kind(self, node: Expression) -> str | None:
        type_ = self.types.by_node.get(node)  # as types.kind, which is asked here a hundred thousand times
        if type_ is None:
            return None
        kinds = type_.kinds if type_.is_root else type_.find().kinds
        if kinds and not (self.opened and type_.find() in self.opened):
            only = min(kinds) if len(kinds) == 1 else self._only_kind(node, kinds)
            if only is None:
                return "any"
            if only in self.doubted and not isinstance(node, _WRITTEN_OUT) and node not in self.native_tables:
                return "any"
            is_object = self.plain_modules and (only in ("module", "criterion") or type_.has("node"))
            return "any" if is_object else only
        return "any" if kinds else None

    def _only_kind(self, node: Expression, kinds: Set[str]) -> str | None:
        """The kind of which something is where it is used so, of several that it may be of."""
        if self._is_taken_for_table(node, kinds):
            return "table"
        call = self._receivers.get(node)
        if call is None or self.type(node).has("message"):  # which may be a text where it seems a number
            return None
        with_method = self.method_names.kinds_with(call.method, kinds)
        if "tensor" in with_method:  # of which the inference has told what the method gives
            return None
        return min(with_method) if len(with_method) == 1 else None

    @cached_property
    def _receivers(self) -> dict[Expression, Invoke]:
        return {node.receiver: node for node in tree.every(self.program, Invoke)}

    def must_be(self, node: Expression) -> bool:
        """Whether a program ends where something is nil: its method is called, or a part of it is asked for."""
        return node in self._receivers or node in self._indexed

    def _is_taken_for_table(self, node: Expression, kinds: Set[str]) -> bool:
        """Whether something that may be a table is indexed, and is nothing else that has parts.

        An index of a number or a truth value ends a program. A text has no fields of the program's, which Lua says
        with nil, and the page with an error.
        """
        index = self._indexed.get(node)
        if index is None or not kinds <= _TABLE_OR_NO_PARTS or "table" not in kinds:
            return False
        is_no_method = isinstance(index.key, tree.String) and not hasattr(str, index.key.value)
        return "string" not in kinds or (is_no_method and not self.type(node).has("array"))

    @cached_property
    def _indexed(self) -> dict[Expression, Index]:
        return {node.base: node for node in tree.every(self.program, Index)}

    @property
    def doubts_what_is_the_same(self) -> bool:
        return bool(self.doubted & _SAME_IN_ALL_FORMS)

    def believing(self) -> AbstractContextManager[None]:
        """Take for known what is the same in all forms, where what is to be written has no form for any kind."""
        return altered(self, doubted=self.doubted - _SAME_IN_ALL_FORMS)

    def doubting(self) -> AbstractContextManager[None]:
        """Take nothing for known for a while but what is a module, which can do other things in each form of a page."""
        return altered(self, doubted=_DOUBTED - _MODULES, plain_values=True)

    def is_plain_graph(self, made: tree.Node) -> bool:
        """Whether what makes a graph is written so that the page makes it when it runs."""
        return self.plain_modules or self.apart or made.span.start in self.plain_graphs

    def of_each_module(self, code: str, line: int, reason: str) -> Problem:
        """What is refused of modules, unless each of Torch7's is one in the page: a plain call has it then."""
        if self.apart:
            return Undecided(code, line, reason)
        problem = Problem(code, line, reason)
        self.of_modules.add(problem)
        return problem

    def is_object(self, node: Expression) -> bool:
        """Whether this is a module or a criterion, in a program whose modules are objects."""
        is_one = self.plain_modules and self.types.kind(node) in ("module", "criterion")
        return is_one and self.path(node) is None

    def path(self, node: Expression) -> str | None:
        path = self.types.path(node)
        if path is not None and self.is_floor and path.partition(".")[0] in self.unset_globals:
            return None  # a part of nil is an error when the page runs
        return path

    @cached_property
    def unset_globals(self) -> frozenset[str]:
        """The names of globals that nothing gives a value; where nothing is taken for known, no other code is run."""
        return self._unset(self.is_floor)

    @cached_property
    def unset_in_page(self) -> frozenset[str]:
        """The names of globals that nothing gives a value, as a page runs no code of Lua."""
        return self._unset(True)

    def _unset(self, runs_no_other_code: bool) -> frozenset[str]:
        read = [name for name, variable in self.scopes.globals.items() if not variable.writes]
        calls = self.project.requires.keys()
        return frozenset(n for n in read if is_unset(self.program, n, calls, runs_no_other_code))

    def whole(self, node: Expression) -> bool:
        return self.integers.is_whole(node)

    def representation(self, node: Expression) -> str:
        type_ = self.type(node)
        return "several" if type_.find() in self.opened else self.tables.representation(type_)

    @cached_property
    def layer_names(self) -> list[str]:
        """The layers of nn that the program names, in the order in which it does."""
        paths = (self.path(node) for node in tree.every(self.program, Index))
        return list(
            dict.fromkeys(path for path in paths if path is not None and re.fullmatch(r"nn\.\w+", path))
        )

    @cached_property
    def field_names(self) -> frozenset[str]:
        """The names of fields that the program has as texts or behind a dot."""
        indices = tree.every(self.program, Index)
        return frozenset(node.key.value for node in indices if isinstance(node.key, tree.String))

    @cached_property
    def writes_over_inputs(self) -> bool:
        """Whether the program may make layers that write over their input, which a truth value tells.

        Of constructors that are values it is not known what they are given.
        """
        calls = [n for n in tree.every(self.program, Call) if (self.path(n.callee) or "").startswith("nn.")]
        called = {call.callee for call in calls}
        layers = {node for node in tree.every(self.program, Index) if self.path(node) in self.layer_names}
        return not layers <= called or any(
            self.kind(argument) == "boolean"
            and not (isinstance(argument, tree.Boolean) and not argument.value)
            for call in calls
            for argument in call.arguments
        )

    @cached_property
    def goes_back_plainly(self) -> bool:
        """Whether passes of modules of which not all is known go back call by call, by the pages' library."""
        return self.plain_passes or any(
            node.method in BACKWARD
            and self.kind(node.receiver) in (None, "any")
            and self.path(node.receiver) is None
            for node in tree.every(self.program, Invoke)
        )

    def unread(self, node: Expression) -> str | None:
        """``_`` for a variable that nobody reads."""
        return "_" if isinstance(node, Name) and not self.scopes.of_name[node].reads else None

    def is_unpacked(self, node: Expression | None) -> bool:
        """Whether this is a call of ``unpack``."""
        return isinstance(node, Call) and self.path(node.callee) in ("unpack", "table.unpack")
