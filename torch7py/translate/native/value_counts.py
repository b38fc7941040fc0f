"""How many values calls give: in Lua, where a call at the end of a list stands for all of them, and in the page.

A function of the page gives one value, or a tuple of as many as it gives at most; what Lua would not have is None. So
a list of values may end with such a call only where Lua always has that many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Set
from functools import cached_property
from typing import TypeVar

from torch7py.translate import page_library, tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.native import patterns
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.interfaces.expressions import Count
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.tree import Call, Expression, Invoke
from torch7py.translate.tree_queries import returns_of

__all__ = ["OF_LUA", "ValueCounts", "only_fails"]

_Found = TypeVar("_Found")

_ONE: Count = (1, 1)
# How many values those methods of modules give that give several, or may.
_OF_MODULES: dict[str, Count] = {"findModules": (2, 2), "getParameters": (2, 2), "parameters": (2, 2)}
_NONE = {"print", "table.insert", "table.sort", "os.exit"}
# How many values those of Lua's own functions give that give several, or may.
OF_LUA: dict[str, Count] = {
    **dict.fromkeys(("string.gsub", "string.find", "math.modf", "math.frexp"), (2, 2)),
    **dict.fromkeys(("select", "pcall", "xpcall", "table.foreach", "table.foreachi"), (0, math.inf)),
    **dict.fromkeys(("next", "io.open", "os.remove", "os.rename", "os.execute"), (1, 3)),
}
# Functions that give no value of what has no type of Torch7's, or no ending; and kinds of what has one.
_OR_NONE = {"torch.typename", "paths.extname"}
_TYPED = {"tensor", "module", "criterion", "storage"}


class ValueCounts:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self._written: dict[tree.Function, int] = {}
        self._counts: dict[tree.Function, Count | None] = {}
        self._begun: list[tree.Function] = []  # of which it is being found out
        self._incomplete = False  # whether one of them calls itself at its end

    def written(self, function: tree.Function) -> int:
        return self._memoized(
            function, self._written, 0, lambda: max(map(self._written_at, returns_of(function)), default=0)
        )

    def _memoized(
        self,
        function: tree.Function,
        kept: dict[tree.Function, _Found],
        first: _Found,
        find: Callable[[], _Found],
    ) -> _Found:
        """What is found out of a function, which may call itself at its end: for that call it is the first."""
        if function in kept:
            self._incomplete |= function in self._begun
            return kept[function]
        kept[function] = first
        self._begun.append(function)
        kept[function] = find()
        self._begun.pop()
        result = kept[function]
        if self._incomplete:
            del kept[function]  # unless nothing else waits for it
        if not self._begun:
            kept[function], self._incomplete = result, False
        return result

    def _written_at(self, node: tree.Return) -> int:
        if len(node.values) != 1:
            return len(node.values)
        (only,) = node.values
        called = self.t.types.function_called(only) if isinstance(only, (Call, Invoke)) else []
        if not called or self.t.training.closures.issuperset(called):
            return 1
        return max(1, *map(self.written, called))

    def of_function(self, function: tree.Function) -> Count | None:
        return self._memoized(function, self._counts, None, lambda: self._count(function))

    def _count(self, function: tree.Function) -> Count | None:
        ends = [self._at(node) for node in returns_of(function)]
        known = self.t.types.returns.get(function)
        if not only_fails(self.t, function) and (known is None or known.falls_off or not known.counts):
            ends.append((0, 0))
        return _both([end for end in ends if end is not None])

    def _at(self, node: tree.Return) -> Count | None:
        if not node.values:
            return (0, 0)
        last = self.of(node.values[-1])
        return None if last is None else (len(node.values) - 1 + last[0], len(node.values) - 1 + last[1])

    def of(self, node: Expression) -> Count | None:
        t = self.t
        if isinstance(node, tree.Vararg):
            return (0, math.inf)
        if not isinstance(node, (Call, Invoke)):
            return _ONE
        functions = t.types.function_called(node)
        if functions and not t.training.closures.isdisjoint(functions):
            return (2, 2)
        if functions:
            return _both([count for f in functions if (count := self.of_function(f)) is not None])
        if t.is_unpacked(node):
            return (0, math.inf)
        if isinstance(node, Invoke) and node.method == "split" and t.graphs.is_node(node.receiver):
            return (0, math.inf)
        if t.calls.gives_two(node):
            return self._of_library(node)
        if self.is_unknown(node):
            return (0, math.inf)
        path = t.path(node.callee) if isinstance(node, Call) else None
        if path in ("coroutine.resume", "coroutine.yield"):
            return (0, math.inf)
        if path == "assert" and isinstance(node, Call) and node.arguments:
            last = self.of(node.arguments[-1])
            before = len(node.arguments) - 1
            return None if last is None else (before + last[0], before + last[1])
        if self.may_lack_value(node):
            return (0, 1)
        if self._is_of_module(node) and isinstance(node, Invoke) and node.method in _OF_MODULES:
            return _OF_MODULES[node.method]
        if self.gives_nothing(node):
            return (0, 0)
        return (0, 0) if path in _NONE else _ONE

    def gives_nothing(self, node: Expression) -> bool:
        """Whether a call is one of a module's method that gives no value."""
        if not isinstance(node, Invoke) or not self._is_of_module(node):
            return False
        layers = self.t.type(node.receiver).find().layers
        return facts.gives_nothing(node.method, [layer.name for layer in layers])

    def _is_of_module(self, node: Expression) -> bool:
        """Whether a call is one of a method that a module or a criterion of a package has."""
        t = self.t
        return (
            isinstance(node, Invoke)
            and t.types.kind(node.receiver) in ("module", "criterion")
            and not t.types.function_called(node)
        )

    def may_lack_value(self, node: Expression) -> bool:
        """Whether a call of a library gives one value or none, which is None in the page."""
        t = self.t
        path = t.path(node.callee) if isinstance(node, Call) and node.arguments else None
        return isinstance(node, Call) and path in _OR_NONE and t.kind(node.arguments[0]) not in _TYPED

    def is_unknown(self, node: Call | Invoke) -> bool:
        t = self.t
        if t.types.function_called(node):
            return False
        called = node.receiver if isinstance(node, Invoke) else node.callee
        if t.plain_modules and t.types.kind(called) in ("module", "criterion"):
            own = t.field_names - page_library.object_methods()  # which the program may have put there
            return isinstance(node, Invoke) and (node.method in _OF_MODULES or node.method in own)
        if isinstance(called, tree.Index) and t.kind(called.base) == "tensor":
            return False  # x.cat(tensors, 1)
        return t.path(called) is None and t.kind(called) in (None, "any", "function")

    def is_handed_on(self, node: Call | Invoke) -> bool:
        """Whether a call gives all values of another, of which nobody knows how many these are."""
        return any(map(self.is_handing_on, self.t.types.function_called(node)))

    def is_handing_on(self, function: tree.Function) -> bool:
        return function in self._handing_on

    def is_as_written(self, function: tree.Function) -> bool:
        """Whether a function of the page gives as many values as Lua's, always as many or those of its last call."""
        actual, written = self.of_function(function), self.written(function)
        return actual is None or actual == (written, written) or function in self._handing_on

    def is_counted(self, node: Call | Invoke) -> bool:
        """Whether a call gives exactly the values of Lua's: no function of which nothing is known is at an end."""
        functions = self.t.types.function_called(node)
        ends = [r.values[-1] for f in functions for r in returns_of(f) if r.values]
        unknown = any(isinstance(end, (Call, Invoke)) and self.is_unknown(end) for end in ends)
        return all(map(self.is_exact, functions)) and not unknown

    def drops(self, node: Call | Invoke) -> bool:
        """Whether a function of the page may give fewer values than Lua's: not all that a call at its end gives."""
        functions = self.t.types.function_called(node)
        count_range = self.of(node)
        if not functions or count_range is None or self.is_handed_on(node) or self.t.calls.varies(node):
            return False
        if not self.t.training.closures.isdisjoint(functions):
            return count_range[1] > max(1, self.t.calls.count(node))
        counts = ((f, self.of_function(f)) for f in functions)
        return any(count is not None and count[1] > max(1, self.written(f)) for f, count in counts)

    def hands_on(self, node: tree.Return) -> bool:
        """Whether a return gives all values of such a call, as somebody asks for more than the first."""
        last = node.values[-1] if node.values else None
        function = self.t.scope.function
        if not isinstance(last, (Call, Invoke)) or function not in self._handing_on:
            return False
        return self._is_open(last) or self.is_handed_on(last)

    def _is_open(self, node: Call | Invoke) -> bool:
        """Whether it is only seen when it runs how many values a call gives: of something unknown, as many as a table
        has, of Lua's own functions, and those of torch's that give several tensors."""
        several = self.t.calls.gives_several_of_lua(node) or self.t.calls.gives_several_tensors(node)
        return self.is_unknown(node) or self.t.is_unpacked(node) or several

    @cached_property
    def _handing_on(self) -> set[tree.Function]:
        """The functions at whose end is a call of something unknown, and of which a call asks for several values."""
        t = self.t
        ends = {
            function: [r.values[-1] for r in returns_of(function) if r.values] for function in t.types.returns
        }
        calls = {f: [c for c in values if isinstance(c, (Call, Invoke))] for f, values in ends.items()}
        called = {c: self._run_by(c) for ends_of in calls.values() for c in ends_of}
        handing = {f for f, ends_of in calls.items() if any(map(self._is_open, ends_of))}
        opened = {f for f in handing if not t.calls.gives_list(f)}
        handing = opened | self._varying
        handing -= t.training.closures
        while more := {
            f for f in calls.keys() - handing if any(handing.intersection(called[c]) for c in calls[f])
        }:
            handing |= more
        asked = handing.intersection(f for c in self._asked_for_all() for f in self._run_by(c))
        asked |= opened & self._counted
        asked |= handing & self._methods_of_layers
        asked = (asked - (self._varying - opened)) | (self._varying & self._counted)
        while more := {
            other for f in asked for c in calls[f] for other in handing.intersection(called[c]) - asked
        }:
            asked |= more
        return asked

    @cached_property
    def _methods_of_layers(self) -> set[tree.Function]:
        """The functions that the program puts into classes of nn's, whose objects anyone calls."""
        put: dict[Expression, Expression] = {
            s.target: s.function for s in tree.every(self.t.program, tree.FunctionStatement)
        }
        for node in tree.every(self.t.program, tree.Assign):
            put |= dict(zip(node.targets, node.values, strict=False))
        return {
            value
            for target, value in put.items()
            if isinstance(value, tree.Function)
            and isinstance(target, tree.Index)
            and (self.t.path(target.base) or "").startswith("nn.")
        }

    @cached_property
    def _varying(self) -> set[tree.Function]:
        """The functions that give now more and now fewer values, and always some."""
        known = self.t.types.returns.items()
        bounds = {f: self.of_function(f) for f, returns in known if returns.counts and not returns.falls_off}
        return {f for f, bound in bounds.items() if bound is not None and bound[0] != bound[1]}

    @cached_property
    def _counted(self) -> set[tree.Function]:
        """The functions of which a call takes as many values as there are: ``print(f())``, ``{f()}``."""
        t = self.t
        functions: set[tree.Function] = set()
        for node in tree.walk(t.program):
            if isinstance(node, Call):
                called = t.types.function_called(node)
                takes_any = any(f.vararg for f in called) or t.path(node.callee) in ("print", "select")
                last = node.arguments[-1] if node.arguments and takes_any else None
            else:
                last = t.calls.end_of_list(node) if isinstance(node, tree.Table) else None
            if isinstance(last, (Call, Invoke)):
                functions.update(self._run_by(last))
        return functions

    def _run_by(self, node: Call | Invoke) -> Collection[tree.Function]:
        """The functions whose values a call gives, ``pcall``'s behind whether it went well."""
        if isinstance(node, Call) and node.arguments and self.t.path(node.callee) in ("pcall", "xpcall"):
            return self.t.type(node.arguments[0]).functions or self._handed_about
        functions = self.t.types.function_called(node)
        if functions or not self.is_unknown(node):
            return functions
        name = node.method if isinstance(node, Invoke) else None
        if isinstance(node, Call) and isinstance(node.callee, tree.Index):
            name = node.callee.key_name
        if name is None:
            return self._handed_about
        return self._stored.get(name, set()) | self._stored.get(None, set())

    @cached_property
    def _handed_about(self) -> Set[tree.Function]:
        """The functions that may be called by other names than their own, or have none."""
        t = self.t
        calls = list(tree.every(t.program, Call))
        called = {call.callee for call in calls}
        called |= {c.arguments[0] for c in calls if t.path(c.callee) in ("pcall", "xpcall") and c.arguments}
        return t.types.returns.keys() - {
            function
            for _, name, function in tree_queries.named_functions(t.program)
            if called.issuperset(t.scopes.of_name[name].reads)
        }

    @cached_property
    def _stored(self) -> dict[str | None, set[tree.Function]]:
        """The functions that the program puts into fields, by their names; those under other keys by None."""
        t = self.t
        stored: dict[str | None, set[tree.Function]] = {}
        for name, value in _stores(t.program):
            functions = [value] if isinstance(value, tree.Function) else t.type(value).functions
            stored.setdefault(name, set()).update(functions)
        return stored

    def is_exact(self, function: tree.Function | None) -> bool:
        """Whether each return of a function of the page has as many values as Lua's."""
        return function in self._handing_on and function in self._varying

    def _asked_for_all(self) -> Iterator[Call | Invoke]:
        """The calls of which more than the first value is taken, but for those at the end of a function."""
        for node in tree.walk(self.t.program):
            last: Expression | None = None
            if isinstance(node, tree.Assignment):
                last = node.values[-1] if 0 < len(node.values) < len(node.targets) else None
            elif isinstance(node, tree.GenericFor):
                last = node.values[-1]
            elif not isinstance(node, tree.Return):
                last = self.t.calls.end_of_list(node)
            if isinstance(last, (Call, Invoke)):
                yield last

    def _of_library(self, node: Call | Invoke) -> Count:
        """Of a call of Lua's or Torch7's own that gives several values, or may."""
        string_call = pattern_calls.matched(self.t, node)
        if string_call is not None and string_call[0] == "match":
            return (1, patterns.captures(self.t, string_call[2][0]))
        if string_call is not None and string_call[0] == "find":
            return (1, math.inf)
        if self.t.calls.gives_letters(node):
            return (0, math.inf)
        path = self.t.path(node.callee) if isinstance(node, Call) else None
        closes = isinstance(node, Invoke) and node.method == "close"
        return OF_LUA.get("os.execute" if closes else path or "", (2, 2))

    def are_all(self, node: Expression) -> bool:
        if isinstance(node, (Call, Invoke)) and self._hands_all_on(node):
            return True
        count = self.of(node)
        return count is None or count[0] == count[1] == max(1, self.t.calls.count(node))

    def _hands_all_on(self, node: Call | Invoke) -> bool:
        """Whether a function gives its ``...`` behind what it always gives: a tuple of as many as Lua has."""
        functions = self.t.types.function_called(node)
        returns = [r for f in functions for r in returns_of(f)]
        ends = [r.values[-1:] for r in returns]
        falls = any(self.t.types.returns[f].falls_off for f in functions)
        return bool(ends) and not falls and all(isinstance(last, tree.Vararg) for end in ends for last in end)


def _both(counts: list[Count]) -> Count | None:
    if not counts:
        return None
    return min(low for low, _ in counts), max(high for _, high in counts)


def only_fails(t: Translation, function: tree.Function) -> bool:
    """Whether a function ends by an error, if it does not return: a method that is there to be overridden."""
    last = function.body.statements[-1] if function.body.statements else None
    call = last.call if isinstance(last, tree.Run) else None
    return isinstance(call, Call) and t.path(call.callee) == "error" and not t.types.returns[function].counts


def _stores(program: tree.Block) -> Iterator[tuple[str | None, Expression]]:
    """What a program puts into fields, and their names; None for keys that are not written out."""
    for node in tree.walk(program):
        if isinstance(node, tree.Field):
            yield node.key_name, node.value
        elif isinstance(node, tree.FunctionStatement) and isinstance(node.target, tree.Index):
            yield node.target.key_name, node.function
        elif isinstance(node, tree.Assign):
            for target, value in zip(node.targets, node.values, strict=False):
                if isinstance(target, tree.Index):
                    yield target.key_name, value
        elif isinstance(node, (Call, Invoke)):  # of rawset, table.insert, and others of the program's own
            for value in node.arguments:
                yield None, value
