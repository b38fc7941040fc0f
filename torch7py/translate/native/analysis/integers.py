"""Which numbers are whole: they are ints in Python, and are written without %.14g."""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree
from torch7py.translate.facts.methods import COMPARISONS
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.analysis.real_options import RealOptions
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import returns_of

__all__ = ["Integers"]

WHOLE_METHODS = set("size stride dim nDimension nElement numel storageOffset getDevice".split())
EXACT = 2**53  # whole numbers up to it are what they are in double precision


class Integers:
    """``is_whole(expression)``. A product too large for whole numbers to be exact in Lua is none.

    ``raw``: the same without a look at how large they are.
    """

    def __init__(self, translator: Known, raw: Integers | None = None) -> None:
        self.t = translator
        self.raw = raw
        self._variables: dict[Variable, bool] = {}
        self._functions: dict[tree.Function, bool] = {}
        self.real_options = RealOptions(translator, self.is_whole)
        self._sources: dict[Variable, list[Expression | bool]] = {} if raw is None else raw._sources
        self.without_value: set[Variable] = set() if raw is None else raw.without_value  # nil at first
        if raw is None:
            self._collect()

    def _collect(self) -> None:
        """What each variable is given: an expression, or for loops and the like whether that is whole."""
        types = self.t.types

        def add_source(name: Name, source: Expression | bool) -> None:
            self._sources.setdefault(self.t.scopes.of_name[name], []).append(source)

        for node in tree.those(self.t.program, tree.Local, tree.Assign, tree.NumericFor, tree.GenericFor):
            if isinstance(node, tree.Assignment):
                for index, target in enumerate(node.targets):
                    if not isinstance(target, Name):
                        continue
                    spread = index == len(node.values) - 1 and len(node.targets) > len(node.values)
                    if index < len(node.values) and not (
                        spread and isinstance(node.values[-1], (Call, Invoke, tree.Vararg))
                    ):
                        add_source(target, node.values[index])
                    elif node.values and isinstance(node.values[-1], (Call, Invoke)):
                        results = types.results.get(node.values[-1], [])
                        at = index - len(node.values) + 1
                        string_call = pattern_calls.matched(self.t, node.values[-1])
                        if string_call is not None and (
                            string_call[0] == "match" or (string_call[0] == "find" and at < 2)
                        ):
                            add_source(target, node.values[-1])
                            continue
                        add_source(target, at < len(results) and results[at].has("whole"))
                        if at >= 0:
                            for function in types.function_called(node.values[-1]):
                                self._from_returns(target, function, at, add_source)
                    elif isinstance(node, tree.Local):
                        self.without_value.add(self.t.scopes.of_name[target])
            elif isinstance(node, tree.NumericFor):
                step: Expression | bool = True if node.step is None else node.step
                add_source(node.variable, node.start)
                add_source(node.variable, step)
            elif isinstance(node, tree.GenericFor):
                source = node.values[0]
                path = types.path(source.callee) if isinstance(source, Call) else None
                for index, name in enumerate(node.names):
                    counts = path == "ipairs" or (path == "pairs" and self._by_number(source))
                    functions = types.of(source).find().functions if len(node.values) == 1 else []
                    for function in functions:
                        self._from_returns(name, function, index, add_source)
                    if not functions:
                        add_source(name, index == 0 and counts)
        for function, calls in types.calls_of.items():
            for call in calls:
                for parameter, argument in types.bound_arguments(function, call):
                    add_source(parameter, argument)
                self._from_last(function, call, add_source)

    def _from_last(
        self,
        function: tree.Function,
        call: Call | Invoke,
        add_source: Callable[[Name, Expression | bool], None],
    ) -> None:
        """Give parameters the values of a call at the end of the arguments, but the first, which is an argument."""
        last = call.arguments[-1] if call.arguments else None
        if not isinstance(last, (Call, Invoke)):
            return
        types = self.t.types
        called, results = types.function_called(last), types.results.get(last, [])
        rest = function.parameters[types.before(function, call) + len(call.arguments) :]
        for at, parameter in enumerate(rest, 1):
            for inner in called:
                self._from_returns(parameter, inner, at, add_source)
            if not called:
                add_source(parameter, at < len(results) and results[at].has("whole"))

    def _by_number(self, source: Expression) -> bool:
        """``pairs`` of a table that is only used by numbers."""
        if not isinstance(source, Call) or not source.arguments:
            return False
        table_type = self.t.types.of(source.arguments[0])
        plain = table_type.kind == "table" and table_type.has("array") and not table_type.find().fields
        return plain and not any(table_type.has(mark) for mark in ("sparse", "dict", "record"))

    def _from_returns(
        self,
        target: Name,
        function: tree.Function,
        at: int,
        add_source: object,
        seen: tuple[tree.Function, ...] = (),
    ) -> None:
        """Give a variable what a function returns in a place, which may be what it calls at its end."""
        assert callable(add_source)
        if function in seen:
            return
        for node in returns_of(function):
            last = node.values[-1] if node.values else None
            index = at - len(node.values) + 1  # among the values of the last
            if at < len(node.values) - 1 or (at < len(node.values) and not isinstance(last, (Call, Invoke))):
                add_source(target, node.values[at])
            elif isinstance(last, (Call, Invoke)) and self.t.types.function_called(last):
                for inner in self.t.types.function_called(last):
                    self._from_returns(target, inner, index, add_source, (*seen, function))
            elif not index:
                add_source(target, last)
            elif not isinstance(last, (Call, Invoke, tree.Vararg)):
                add_source(target, tree.Nil(node.span))
        known = self.t.types.returns.get(function)
        if known is not None and known.falls_off:
            add_source(target, tree.Nil(function.span))

    def sources(self, variable: Variable) -> list[Expression | bool]:
        """What a variable is given anywhere."""
        return self._sources.get(variable, [])

    def variable(self, variable: Variable) -> bool:
        is_integer = self._variables.get(variable)
        if is_integer is None:
            self._variables[variable] = True  # what a loop adds to it must be whole as well
            sources = self._sources.get(variable)
            is_integer = bool(sources) and all(
                source if isinstance(source, bool) else self.is_whole(source)
                for source in sources or ()
                if not isinstance(source, tree.Nil)
            )
            self._variables[variable] = is_integer
        return is_integer

    def is_whole(self, node: Expression) -> bool:
        if isinstance(node, tree.Paren):
            return self.is_whole(node.inner)
        if isinstance(node, tree.Number):
            return isinstance(node.value, int) and node.value <= EXACT
        if isinstance(node, Name):
            return self.variable(self.t.scopes.of_name[node])
        if isinstance(node, Binary):
            if node.operator in ("+", "-", "*", "%"):
                whole = self.is_whole(node.left) and self.is_whole(node.right)
                return whole and not (node.operator == "*" and self.overflows(node))
            if node.operator in ("and", "or"):
                return self._logical(node)
            return False
        if isinstance(node, tree.Unary):
            return node.operator == "#" or (node.operator == "-" and self.is_whole(node.operand))
        if isinstance(node, Call):
            path = self.t.path(node.callee)
            if path in ("math.max", "math.min", "math.abs"):
                return all(self.is_whole(argument) for argument in node.arguments)
            if path == "math.random":
                return bool(node.arguments)
            if path == "table.remove" and node.arguments:
                first = tree.Number(node.span, 1, "1")
                return self._index(Index(node.span, node.arguments[0], first, False))
            if path == "select":  # how many there are, or one of several, of which another may be whole
                return bool(node.arguments) and isinstance(node.arguments[0], tree.String)
            functions = self.t.types.function_called(node)
            entry = self.t.types.entries.get(node)
            if entry is not None and len(functions) == 1:
                index = Index(node.span, entry.table, entry.name, False)
                return self._index(index) and (entry.default is None or self.is_whole(entry.default))
            if functions:
                return all(self._returns_whole(function) for function in functions)
            if path is not None and path.startswith(("math.", "tonumber")):
                return path in ("math.floor", "math.ceil")
            return self.t.type(node).has("whole")
        if isinstance(node, Invoke):
            methods = self.t.types.function_called(node)
            if methods:
                return all(self._returns_whole(function) for function in methods)
            if node.method in ("sum", "max", "min") and self.t.kind(node) == "number":
                return self._of_whole_tensor(node.receiver)
            if self.t.kind(node.receiver) == "tensor":
                return node.method in WHOLE_METHODS
            return self.t.type(node).has("whole") and self.t.kind(node) == "number"
        if isinstance(node, Index):
            return self._index(node)
        return False

    def overflows(self, node: Binary) -> bool:
        """Whether a product of whole numbers may be too large to be exact in Lua: it is one of floats then."""
        if self.raw is None or self.t.kind(node) != "number":
            return False
        sides = self.raw.is_whole(node.left) and self.raw.is_whole(node.right)
        return sides and not self.t.intervals.exact(node)

    def option_is_real(self, name: str) -> bool:
        """Whether an option with a whole default is one for any number."""
        return self.real_options.is_real(name)

    def returns_whole(self, function: tree.Function, index: int) -> bool:
        """Whether a result of a function is always whole."""
        if not index:
            return self._returns_whole(function)
        returns = returns_of(function)
        return bool(returns) and all(
            len(r.values) > index and self.is_whole(r.values[index]) for r in returns
        )

    def _returns_whole(self, function: tree.Function) -> bool:
        known = self._functions.get(function)
        if known is None:
            self._functions[function] = True  # what a function makes of its own results must be whole as well
            returns = returns_of(function)
            known = bool(returns) and all(r.values and self.is_whole(r.values[0]) for r in returns)
            self._functions[function] = known
        return known

    def _logical(self, node: Binary) -> bool:
        left = node.left
        if isinstance(left, Binary) and left.operator == "and":
            return self.is_whole(left.right) and self.is_whole(node.right)
        # Tonumber(arg[1]) or 10, options.none or 10.
        if self._is_argument(left) or self._is_never_assigned(left):
            return self.is_whole(node.right)
        return self.is_whole(left) and self.is_whole(node.right)

    def _is_argument(self, node: Expression) -> bool:
        return isinstance(node, Call) and self.t.path(node.callee) == "tonumber"

    def _is_never_assigned(self, node: Expression) -> bool:
        if not (isinstance(node, Index) and isinstance(node.key, tree.String)):
            return False
        table_type = self.t.type(node.base)
        plain = table_type.kind == "table" and not table_type.find().classes
        return plain and self.t.tables.is_never_assigned(table_type, node.key.value)

    def _of_whole_tensor(self, node: Expression) -> bool:
        """Whether the elements of a tensor are of a whole type in Python."""
        if isinstance(node, Invoke) and node.method in COMPARISONS:
            return True
        if isinstance(node, Call) and (self.t.path(node.callee) or "").removeprefix("torch.") in COMPARISONS:
            return True
        return self.t.type(node).find().tensor_type in ("Long", "Int", "Short", "Byte", "Char")

    def _index(self, node: Index) -> bool:
        if self.t.kind(node.base) == "tensor":
            return self.t.kind(node) == "number" and self._of_whole_tensor_index(node)
        if self.t.kind(node.base) == "storage":
            return True
        return self.t.tables.holds_whole(node, self)

    def _of_whole_tensor_index(self, node: Index) -> bool:
        base: Expression = node
        while isinstance(base, Index) and self.t.kind(base.base) == "tensor":
            base = base.base
        base_type = self.t.type(base)
        return base_type.has("places") or self._of_whole_tensor(base)
