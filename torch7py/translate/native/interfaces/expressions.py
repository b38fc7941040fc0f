"""What parts of the writer ask about values and what is assigned, called and defined."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Protocol

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native.code import Py
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement, Unary

__all__ = [
    "Assignments",
    "Calls",
    "Conditions",
    "Count",
    "Expressions",
    "Functions",
    "PlainLayers",
    "Reshapes",
    "Unpacking",
    "UserPasses",
    "ValueCounts",
]

Count = tuple[int, float]  # of values: at least, and at most


class Expressions(Protocol):
    instead: dict[Expression, Py]  # what is written for an expression in place of its value

    def value(self, node: Expression) -> Py:
        """The value of an expression: one value, a loss as a plain number."""

    def graph(self, node: Expression) -> Py:
        """The value with its autograd graph, where it has one."""

    def is_graph(self, node: Expression) -> bool:
        """Whether an expression has a loss with its graph in it."""

    def number(self, node: Expression) -> Py:
        """An operand of arithmetic: a text is the number that it says."""

    def whole_number(self, node: Expression, plus: int = 0) -> Py:
        """An expression as an int, for a size or a bound."""

    def position(self, node: Expression) -> Py:
        """A 1-based position as a 0-based one; one counted from the end stays."""

    def linear(self, node: Expression) -> tuple[Py | None, int]:
        """An expression as a term plus a whole constant."""

    def power(self, base: Expression, exponent: Expression) -> Py:
        """``base ^ exponent``, plain where Python can neither fail nor give a complex number."""

    def length(self, node: Unary) -> Py:
        """``#t``"""

    def beside(self, node: Expression, other: Expression, level: int = 0) -> str:
        """A tensor's text beside another's, in whose shape Torch7 takes its elements; PyTorch would repeat them."""


class Conditions(Protocol):
    def condition(self, node: Expression) -> Py:
        """An expression that is only asked whether it is true."""

    def maybe(self, node: Expression) -> Py:
        """A value that may be absent: None then, never an error."""


class Assignments(Protocol):
    def write(
        self, node: Statement, targets: tuple[Expression, ...], values: tuple[Expression, ...], local: bool
    ) -> None:
        """Write an assignment, or the declaration of local variables."""

    def one(self, target: Expression, value: Expression, node: Statement) -> None:
        """Write an assignment of one value."""

    def target(self, node: Expression) -> str:
        """What is assigned to, as text."""

    def may_append(self, target: Expression) -> bool:
        """Whether a store is an append, or may be one."""

    def appended(self, target: Index, value: Py | str) -> str:
        """A value that is put at the end of a list, or where the end may be."""


class Calls(Protocol):
    # Calls at the end of lists that are taken for one value, which is seen when the page runs.
    sole: set[Expression]

    def open_end(self, node: tree.Node | tree.Block) -> Call | Invoke | None:
        """The call at the end of a list of values that may stand for another number of them than one."""

    def end_of_list(self, node: tree.Node | tree.Block) -> Call | Invoke | None:
        """The call at the end of a list of values, where it may stand for several."""

    def takes_sole(self, node: Expression) -> bool:
        """Whether the call at the end of a list is from now on taken for one value."""

    def value(self, node: Call | Invoke, keep: bool = False) -> Py:
        """The first value of a call; ``keep``: with its graph."""

    def all_values(self, node: Expression) -> Py:
        """All values of a call: one value, or a tuple."""

    def one_of_several(self, node: Call | Invoke, which: Expression) -> Py:
        """One of the values that a call gives: ``select(2, f(x))``, which in Lua stands for all that follow it too."""

    def values_and_places(self, node: Expression) -> str | None:
        """Both results of ``x:max(2)`` or the like; None where the call is no such."""

    def loss(self, node: Expression) -> Py:
        """A criterion's value with its graph, where it is given a name of its own."""

    def gives_several_of_lua(self, node: Call | Invoke) -> bool:
        """Whether this is a call of one of Lua's own functions that gives several values, or may."""

    def gives_several_tensors(self, node: Call | Invoke) -> bool:
        """Whether this is a call of torch's or a method of a tensor's that gives several tensors."""

    def is_surely_one(self, node: Expression) -> bool:
        """Whether this is a call of a function of Lua's own or of torch's that gives one value, never more."""

    def gives_letters(self, node: Call | Invoke) -> bool:
        """``s:byte(1, -1)``, which gives the numbers of all letters from a place to another."""

    def gives_graph(self, node: Expression) -> bool:
        """Whether the value of a call has a graph behind it."""

    def arguments(self, node: Call | Invoke, functions: Sequence[tree.Function], first: int = 0) -> str:
        """The arguments of a call of these functions, from their parameter ``first`` on."""

    def unpacked(self, node: Expression, in_list: bool = False) -> Py:
        """The items of a list that ``unpack`` gives."""

    def argument_or(self, left: Expression, default: Expression) -> Py | None:
        """``tonumber(arg[1]) or 10`` and ``arg[1] or 'x'``"""

    def statement(self, node: Call | Invoke) -> None:
        """Write a call as a statement."""

    def by_rule(self, node: Call) -> bool:
        """Write a call of a library's function of which nobody asks for a value; whether there is a rule for it."""

    def several(self, node: Expression, targets: tuple[Expression, ...]) -> bool:
        """Write ``a, b = f()``; whether that was done."""

    def count(self, node: Expression | None) -> int:
        """How many values a call of the program's own functions gives (1 for all others)."""

    def least(self, node: Expression | None) -> int:
        """How many it gives at least."""

    def is_uneven(self, node: Call | Invoke) -> bool:
        """Whether one of several functions is called, which give different numbers of values."""

    def is_filled_up(self, node: Call | Invoke) -> bool:
        """Whether a call may be of functions that give different numbers of values, some of which only the page has."""

    def varies(self, node: Call | Invoke) -> bool:
        """Whether a call is of one of several functions that give different numbers of values, each always its own."""

    def is_one(self, node: Call | Invoke, least: int = 0) -> bool:
        """Whether a call at the end of a list gives one value, or (``least``: 0) none."""

    def is_fixed(self, function: tree.Function) -> bool:
        """Whether the last value that a function gives is never the several of another call."""

    def gives_two(self, node: Expression | None) -> bool:
        """Whether this is a call of Lua's or Torch7's own that gives two values or more, or may."""

    def gives_list(self, function: tree.Function) -> bool:
        """Whether a function gives all items of a list, and every call of it has names for them."""


class ValueCounts(Protocol):
    @property
    def run_unseen(self) -> Set[tree.Function]:
        """The functions that calls may run of which it is not known what they run."""

    def may_lack(self, node: Index) -> bool:
        """Whether an item may be missing in a list that was made with all values of a call at its end."""

    def gives_nothing(self, node: Expression) -> bool:
        """Whether a call is one of a module's method that gives no value."""

    def written(self, function: tree.Function) -> int:
        """How many values a function of the page gives; 0 where Lua's gives none."""

    def of(self, node: Expression) -> Count | None:
        """How many values an expression stands for at the end of a list; None where a call never comes back."""

    def of_function(self, function: tree.Function) -> Count | None:
        """How many values a function gives in Lua; None where it always ends by an error."""

    def may_lack_value(self, node: Expression) -> bool:
        """Whether a call of a library gives one value or none, which is None in the page."""

    def is_unknown(self, node: Call | Invoke) -> bool:
        """Whether nothing tells what a call runs: a function of unknown kind, or a method of something of such."""

    def is_exact_call(self, node: Expression) -> bool:
        """Whether a call may be one of a function that gives in the page exactly the values of Lua's."""

    def drops(self, node: Call | Invoke) -> bool:
        """Whether a function of the page may give fewer values than Lua's: not all that a call at its end gives."""

    def is_as_written(self, function: tree.Function) -> bool:
        """Whether a function of the page gives as many values as Lua's."""

    def is_exact(self, function: tree.Function | None) -> bool:
        """Whether a function of the page gives exactly the values of Lua's: one as itself, others as a tuple."""

    def are_all(self, node: Expression) -> bool:
        """Whether the values that a call of the page gives are as many as Lua's, so that they may end a list."""


class Unpacking(Protocol):
    @property
    def perhaps_nil(self) -> set[Variable]:
        """The variables for which a list may have no item."""

    def tables(self, call: Expression) -> list[Expression]:
        """The lists of whose items a call stands: ``unpack(t)``, or a function that returns that."""

    def items(self, values: str, tables: Sequence[Expression], targets: Sequence[Expression]) -> str:
        """The items of a list, one of several tables, for as many targets: None for those that it has not."""


class Functions(Protocol):
    def define(
        self,
        name: str,
        node: tree.Function,
        explicit_parameters: Sequence[Name] | None = None,
        inits: Sequence[str] = (),
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> None:
        """Write a function. ``explicit_parameters``: other parameters than its own, between ``first`` and ``last``."""

    def value(self, node: tree.Function) -> Py:
        """A function as a value: a lambda where it is one expression, else a definition before the statement."""

    def outer_variables(self, node: tree.Node) -> set[Variable]:
        """The variables of the main program that a part of it uses."""


class UserPasses(Protocol):
    def is_inside(self, function: tree.Function | None) -> bool:
        """Whether a function is a method of a class that goes back through modules by hand, or in one."""

    def is_backward(self, node: tree.Node | tree.Block) -> bool:
        """Whether a call goes back through a module or criterion, in a pass that the page has autograd compute."""

    def value(self, node: Call | Invoke) -> Py | None:
        """A call of a module inside; None for other calls."""

    def field(self, node: Index) -> Py | None:
        """``module.output`` of a module inside."""


class PlainLayers(Protocol):
    declined: Problem | None  # why the last class has no form in plain calls
    current: LuaClass | None  # whose methods are being written
    written: set[LuaClass]

    @staticmethod
    def attribute(name: str) -> str:
        """What a field or a method is called."""

    def write(self, lua_class: LuaClass, reason: Problem) -> bool:
        """Write a class that has no idiomatic form, for this reason; whether that was done."""

    def is_mode(self, node: Expression) -> bool:
        """``self.train`` in a method of the class, which is nil until somebody says whether it trains."""

    def special(self, node: Expression) -> Py | None:
        """What is done with the layer itself or with a module in it; None for other expressions."""


class Reshapes(Protocol):
    def are_copies(self, tensor: Expression) -> bool:
        """Whether what is made of a tensor by ``reshape`` needs memory of its own."""
