"""How many values calls give: in Lua, where a call at the end of a list stands for all of them, and in the page.

A function of the page gives one value, or a tuple of as many as it gives at most; what Lua would not have is None. So
a list of values may end with such a call only where Lua always has that many. Where some call would see the difference,
because it takes more values or tells no value from nil, the function gives *exactly* Lua's values: one as itself, none
or several as a tuple; the library's ``call`` and ``call_all`` take these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Set
from functools import cached_property
from typing import NamedTuple, TypeVar

from torch7py.translate import page_library, tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Type
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
# Functions of Lua's own that tell no value from nil.
_COUNTING = {"print", "select", "pcall", "xpcall", "assert"}
# The kinds of what is called by functions of the program, by a metatable's if it is none itself.
_CALLED_BY_FUNCTIONS = (None, "any", "function", "object", "table")
_MOST_ITEMS = 1e5  # a place beyond is one of which nothing is known
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


class _Use(NamedTuple):
    """What is taken of a call's values: so many at most, and whether none is told from nil."""

    wanted: float
    is_counted: bool


class ValueCounts:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self._written: dict[tree.Function, int] = {}
        self._counts: dict[tree.Function, Count | None] = {}
        self._begun: list[tree.Function] = []  # of which it is being found out
        self._incomplete = False  # whether one of them calls itself at its end

    def note_missing(self) -> None:
        """Note in the kinds of results, and of ``...``, which of them may be nil as there are not always so many."""
        types = self.t.types
        for function, returns in types.returns.items():
            count = self.of_function(function)
            for index in range(count[0] if count is not None else returns.known, returns.known):
                returns.at(index).be_nil()
            for call in types.calls_of.get(function, []) if function.vararg else ():
                last = call.arguments[-1] if call.arguments else None
                if isinstance(last, (Call, Invoke)) and (self.is_unknown(last) or self.is_exact_call(last)):
                    types.varargs.setdefault(function, Type()).be_nil()
        for node in tree.every(self.t.program, Call):
            if "table" in types.of(node.callee).find().kinds:  # which has a metatable with a function for it
                for result in types.results.get(node, []):
                    result.be_nil()

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
        if self._may_be_of_metatable(node):
            return (0, math.inf)
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

    def may_lack(self, node: tree.Index) -> bool:
        """Whether an item may be missing in a list that was made with all values of a call at its end."""
        t = self.t
        place = t.intervals.of(node.key)[1]
        for table in t.tables.uses.constructors.get(t.type(node.base).find(), ()):
            last = t.calls.end_of_list(table)
            if last is not None and len(table.fields) - 1 + self._certain(last) < place < _MOST_ITEMS:
                return True
        return False

    def _certain(self, node: Call | Invoke) -> float:
        """How many values a call gives at least before the first that may be nil."""
        count = self.of(node)
        if count is None:
            return math.inf
        known = [self.t.types.returns[f] for f in self.t.types.function_called(node)]
        missing = (i for returns in known for i in range(returns.known) if returns.at(i).nil)
        return min(count[0], min(missing, default=math.inf))

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
        if t.path(called) is not None or t.types.class_named(called) is not None:
            return False
        return t.kind(called) in _CALLED_BY_FUNCTIONS

    def is_exact_call(self, node: Expression) -> bool:
        """Whether a call may be one of a function that gives in the page exactly the values of Lua's."""
        if not isinstance(node, (Call, Invoke)):
            return False
        return self._may_be_of_metatable(node) or any(map(self.is_exact, self.t.types.function_called(node)))

    def _may_be_of_metatable(self, node: Call | Invoke) -> bool:
        """Whether a call is one of a function of the program, or of a table whose metatable has a function for it."""
        if not isinstance(node, Call) or not self.t.types.function_called(node):
            return False
        return "table" in self.t.type(node.callee).find().kinds

    def is_exact(self, function: tree.Function | None) -> bool:
        """Whether a function of the page gives exactly the values of Lua's: one as itself, others as a tuple."""
        return function in self._exact

    def is_as_written(self, function: tree.Function) -> bool:
        """Whether a function of the page always gives as many values as Lua's."""
        actual, written = self.of_function(function), self.written(function)
        return actual is None or actual == (written, written) or function in self._exact

    def drops(self, node: Call | Invoke) -> bool:
        """Whether a function of the page may give fewer values than Lua's: not all that a call at its end gives."""
        functions = self.t.types.function_called(node)
        count_range = self.of(node)
        if not functions or count_range is None or self.is_exact_call(node) or self.t.calls.varies(node):
            return False
        if not self.t.training.closures.isdisjoint(functions):
            return count_range[1] > max(1, self.t.calls.count(node))
        counts = ((f, self.of_function(f)) for f in functions)
        return any(count is not None and count[1] > max(1, self.written(f)) for f, count in counts)

    @cached_property
    def _exact(self) -> set[tree.Function]:
        """The functions of which some call sees that they would give other values in the page than Lua's."""
        t = self.t
        exact: set[tree.Function] = set()
        kept = {f for f in t.types.returns if t.calls.gives_list(f)} | t.training.closures
        of_classes = (c.methods.items() for c in t.classes.owners.values())
        kept |= {
            f for methods in of_classes for name, f in methods if name.startswith("__")
        }  # of which one is taken
        seen = [(self._run_by(call), use) for call, use in self._uses()]
        seen += [
            (functions, _Use(len(loop.names), is_counted=False)) for loop, functions in self._iterators()
        ]
        seen.append((self._methods_of_layers, _Use(math.inf, is_counted=False)))
        while seen:
            functions, use = seen.pop()
            for function in functions:
                if function in exact | kept or function not in t.types.returns:
                    continue
                if self._is_seen_otherwise(function, use):
                    exact.add(function)
                    ends = [r.values[-1] for r in returns_of(function) if r.values]
                    calls = [end for end in ends if isinstance(end, (Call, Invoke))]
                    seen += [(self._run_by(call), _Use(math.inf, is_counted=True)) for call in calls]
        return exact

    def _is_seen_otherwise(self, function: tree.Function, use: _Use) -> bool:
        """Whether the values that a use of a call takes are others in the page, where None stands for missing ones."""
        count, written = self.of_function(function), max(1, self.written(function))
        if count is None:
            return False
        return (min(count[1], use.wanted) > written) or (use.is_counted and count[0] < written)

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

    def _uses(self) -> Iterator[tuple[Call | Invoke, _Use]]:
        """The calls of which more than the first value may be taken, but for those at the end of a function."""
        t = self.t
        for node in tree.walk(t.program):
            last: Expression | None = None
            use = _Use(math.inf, is_counted=False)
            if isinstance(node, tree.Assignment):
                more = len(node.targets) - len(node.values)
                if node.values and more > 0:
                    last, use = node.values[-1], _Use(1 + more, is_counted=False)
            elif isinstance(node, tree.GenericFor):
                last, use = node.values[-1], _Use(3, is_counted=False)
            elif isinstance(node, tree.Table):
                last = t.calls.end_of_list(node)
            elif isinstance(node, (Call, Invoke)) and node.arguments:
                last, use = node.arguments[-1], self._use_of_last(node)
            if isinstance(last, (Call, Invoke)) and (use.wanted > 1 or use.is_counted):
                yield last, use

    def _use_of_last(self, node: Call | Invoke) -> _Use:
        """What a call takes of the values of its last argument."""
        t = self.t
        functions = self._run_by(node)
        is_known = bool(t.types.function_called(node))
        if not is_known and not self.is_unknown(node):
            counts = isinstance(node, Call) and t.path(node.callee) in _COUNTING
            return _Use(math.inf if t.calls.end_of_list(node) or counts else 1, counts)
        before = len(node.arguments) - 1 + isinstance(node, Invoke)
        room = max((math.inf if f.vararg else len(f.parameters) - before for f in functions), default=1)
        return _Use(room, is_counted=any(f.vararg for f in functions))

    def _run_by(self, node: Call | Invoke) -> Collection[tree.Function]:
        """The functions whose values a call gives, ``pcall``'s behind whether it went well."""
        path = self.t.path(node.callee) if isinstance(node, Call) else None
        if isinstance(node, Call) and node.arguments and path in ("pcall", "xpcall"):
            return self.t.type(node.arguments[0]).functions or self._handed_about
        if path == "coroutine.resume":
            return self._handed_about
        functions = self.t.types.function_called(node)
        if isinstance(node, Call) and self._may_be_of_metatable(node):
            return {*self._handed_about, *functions}
        if functions or not self.is_unknown(node):
            return functions
        name = node.method if isinstance(node, Invoke) else None
        if isinstance(node, Call) and isinstance(node.callee, tree.Index):
            name = node.callee.key_name
        if name is None:
            return self._handed_about
        return self._stored.get(name, set()) | self._stored.get(None, set())

    @cached_property
    def run_unseen(self) -> Set[tree.Function]:
        """The functions that calls may run of which it is not known what they run."""
        calls = [node for node in tree.walk(self.t.program) if isinstance(node, (Call, Invoke))]
        unseen = [c for c in calls if not self.t.types.function_called(c) or self._may_be_of_metatable(c)]
        return set().union(*map(self._run_by, unseen), *(functions for _, functions in self._iterators()))

    def _iterators(self) -> Iterator[tuple[tree.GenericFor, Collection[tree.Function]]]:
        """The loops over what functions give, with those that they may call at each turn."""
        t = self.t
        for loop in tree.every(t.program, tree.GenericFor):
            first = loop.values[0]
            functions = t.type(first).functions
            if isinstance(first, (Call, Invoke)):
                is_unknown = self.is_unknown(first)
            else:
                is_unknown = t.path(first) is None and t.kind(first) in _CALLED_BY_FUNCTIONS
            if functions or is_unknown:
                yield loop, functions or self._handed_about

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
