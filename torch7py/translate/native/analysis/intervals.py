"""Between which bounds the numbers of a program lie, as far as its text tells.

What Lua and Python do alike for ordinary numbers they do differently at the edges: a division by zero is an error in
Python, a place below 1 counts from the end, an int has no largest value. These bounds say where plain Python is right.

All numbers of a program are taken together: a variable, a field or a function's result lies between the bounds of all
that it is given, and these are computed over and over until they stay, or until it is seen how they grow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.analysis.integers import Integers
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, Number, Unary
from torch7py.translate.tree_queries import bare, returns_of

__all__ = ["KNOWN", "Intervals"]

Bounds: TypeAlias = "tuple[float, float]"
Key: TypeAlias = "Variable | tuple[tree.Function, int] | tuple[Type, str | None]"

ANY: Bounds = (-math.inf, math.inf)
MANY = 1e6  # turns of a loop, items of a list, and sizes that a program is taken to have at most
KNOWN = -1e5  # least bounds below it say that nothing is known
NATURAL: Bounds = (0, MANY)
POSITIVE: Bounds = (1, MANY)
EXACT = 2.0**53  # whole numbers up to it are what they are in Lua too
PLAIN = 1e14  # whole numbers below it are written with all their digits
ROUNDS = 24

# What there is of is more than none; a tensor without elements has no dimensions, either.
_COUNTS = {"size": POSITIVE, "stride": POSITIVE, "elementSize": POSITIVE}
_COUNTS |= dict.fromkeys(("nElement", "numel", "dim", "nDimension"), NATURAL)
_LIKE_FIRST = {"math.floor": math.floor, "math.ceil": math.ceil}


class Intervals:
    """``of(expression)``: the bounds of a number."""

    def __init__(self, translator: Known, raw: Integers) -> None:
        self.t = translator
        self.raw = raw  # which numbers are whole when nothing is too large
        self._bounds: dict[Key, Bounds | None] = {}  # None: given nothing so far
        self._done: set[Key] = set()
        self._loops: dict[Variable, tree.NumericFor] = {}
        for node in tree.walk(translator.program):
            if isinstance(node, tree.NumericFor):
                self._loops[translator.scopes.of_name[node.variable]] = node

    # What is asked

    def of(self, node: Expression) -> Bounds:
        bounds = self._of(node)
        if self._settle():
            bounds = self._of(node)
        return ANY if bounds is None else bounds

    def positive(self, node: Expression) -> bool:
        """1 or more, if it is whole."""
        return self.of(node)[0] > 0

    def natural(self, node: Expression) -> bool:
        return self.of(node)[0] >= 0

    def negative(self, node: Expression) -> bool:
        return self.of(node)[1] < 0

    def nonzero(self, node: Expression) -> bool:
        low, high = self.of(node)
        return low > 0 or high < 0

    def finite(self, node: Expression) -> bool:
        low, high = self.of(node)
        return low > -math.inf and high < math.inf

    def exact(self, node: Expression) -> bool:
        """Whether a whole number is the same one in Lua, which has no larger ones than double precision."""
        low, high = self.of(node)
        return low >= -EXACT and high <= EXACT

    def plain(self, node: Expression) -> bool:
        """Whether Lua writes a whole number with all its digits."""
        low, high = self.of(node)
        return low > -PLAIN and high < PLAIN

    def loop(self, variable: Variable) -> tree.NumericFor | None:
        """The numeric loop whose variable this is."""
        return self._loops.get(variable)

    # Until nothing changes

    def _settle(self) -> bool:
        """Compute the bounds of all that was asked for so far; whether there was something to do."""
        waiting = [key for key in self._bounds if key not in self._done]
        if not waiting:
            return False
        history: list[dict[Key, Bounds | None]] = []
        for _ in range(ROUNDS):
            before = dict(self._bounds)
            for key in list(self._bounds):
                if key not in self._done:
                    self._bounds[key] = _join(self._bounds[key], self._assigned_bounds(key))
            history.append(dict(self._bounds))
            if self._bounds == before:
                break
        else:
            self._widen(history)
        self._done.update(self._bounds)
        return True

    def _widen(self, history: list[dict[Key, Bounds | None]]) -> None:
        """What still grows: by as much each turn, or by ever more."""
        for key, last in history[-1].items():
            if key in self._done or last is None:
                continue
            steps = [bounds for h in history[-9:] if (bounds := h.get(key)) is not None]
            low = _limit([-bounds[0] for bounds in steps])
            self._bounds[key] = (-low, _limit([bounds[1] for bounds in steps]))

    def _assigned_bounds(self, key: Key) -> Bounds | None:
        if isinstance(key, Variable):
            return self._variable(key)
        first, second = key
        if isinstance(first, Type):
            assert second is None or isinstance(second, str)
            return self._all(self.t.tables.assigned_values(first, second))
        assert isinstance(second, int)
        bounds: Bounds | None = None
        for node in returns_of(first):
            if second < len(node.values):
                bounds = _join(bounds, self._of(node.values[second]))
        return bounds

    def _all(self, nodes: list[Expression]) -> Bounds | None:
        if not nodes:
            return ANY
        bounds: Bounds | None = None
        for node in nodes:
            if not isinstance(node, tree.Nil):
                bounds = _join(bounds, self._of(node))
        return bounds

    def _variable(self, variable: Variable) -> Bounds | None:
        loop = self._loops.get(variable)
        sources = self.t.integers.sources(variable)
        bounds: Bounds | None = None
        if loop is not None:
            bounds = self._loop(loop)
            sources = sources[2:]  # the start and the step
        elif not sources:
            return ANY
        for source in sources:
            if isinstance(source, bool):
                bounds = _join(bounds, POSITIVE if source else ANY)
            elif not isinstance(source, tree.Nil):
                bounds = _join(bounds, self._of(source))
        return bounds

    def _loop(self, loop: tree.NumericFor) -> Bounds | None:
        start, stop = self._of(loop.start), self._of(loop.stop)
        step: Bounds | None = (1, 1) if loop.step is None else self._of(loop.step)
        if start is None or stop is None or step is None:
            return None
        if stop[1] == math.inf and self.raw.is_whole(loop.start):
            stop = (stop[0], max(start[1], MANY))  # it is left before that
        if step[0] > 0:
            return start[0], max(start[1], stop[1])
        if step[1] < 0:
            return stop[0], start[1]
        return _join(start, stop)

    # Expressions

    def _of(self, node: Expression) -> Bounds | None:
        """The bounds of an expression with what is known by now; None: it was given nothing yet."""
        if isinstance(node, tree.Paren):
            return self._of(node.inner)
        if isinstance(node, Number):
            return _point(node.value)
        if isinstance(node, Name):
            return self._known(self.t.scopes.of_name[node])
        if isinstance(node, Unary):
            if node.operator == "#":
                return self._length(node.operand)
            bounds = self._of(node.operand) if node.operator == "-" else ANY
            return None if bounds is None else (-bounds[1], -bounds[0])
        if isinstance(node, Binary):
            return self._binary(node)
        if isinstance(node, Index):
            return self._index(node)
        if isinstance(node, (Call, Invoke)):
            return self._call(node)
        return ANY

    def _known(self, key: Key) -> Bounds | None:
        if isinstance(key, Variable) and key.is_global and not key.writes:
            return ANY
        return self._bounds.setdefault(key, None)

    def _length(self, node: Expression) -> Bounds:
        if self.t.kind(node) == "table" and self.t.tables.never_empty(self.t.type(node)):
            return POSITIVE
        return POSITIVE if self._has_letters(node, ()) else NATURAL

    def _has_letters(self, node: Expression, seen: tuple[Variable, ...]) -> bool:
        """Whether a text is surely not empty."""
        node = bare(node)
        if isinstance(node, tree.String):
            return bool(node.value)
        if isinstance(node, Binary) and node.operator == "..":
            return self._has_letters(node.left, seen) or self._has_letters(node.right, seen)
        if isinstance(node, Invoke) and node.method == "rep" and self.t.kind(node.receiver) == "string":
            often = bool(node.arguments) and (self._of(node.arguments[0]) or ANY)[0] >= 1
            return often and self._has_letters(node.receiver, seen)
        if isinstance(node, Name):
            variable = self.t.scopes.of_name[node]
            sources = self.t.integers.sources(variable)
            return variable in seen or (
                bool(sources)
                and all(
                    not isinstance(source, bool) and self._has_letters(source, (*seen, variable))
                    for source in sources
                )
            )
        return False

    def _binary(self, node: Binary) -> Bounds | None:
        if node.operator == "or":
            left = bare(node.left)
            if isinstance(left, Binary) and left.operator == "and":
                left = left.right
            if self._is_argument(left):  # what the user gives is like what stands in its place
                return self._option(node.right)
            return _join(self._of(left), self._of(node.right))
        if node.operator == "and":
            return self._of(node.right)
        rule = _ARITHMETIC.get(node.operator)
        if rule is None:
            return ANY
        left_bounds, right_bounds = self._of(node.left), self._of(node.right)
        if left_bounds is None or right_bounds is None:
            return None
        whole = self.raw.is_whole(node.left) and self.raw.is_whole(node.right)
        return rule(left_bounds, right_bounds, whole)

    def _is_argument(self, node: Expression) -> bool:
        """``tonumber(arg[1])``"""
        return (
            isinstance(node, Call)
            and self.t.path(node.callee) == "tonumber"
            and any(
                isinstance(n, Name) and self.t.scopes.is_global(n, "arg")
                for n in tree.walk(node.arguments[0])
            )
        )

    def _option(self, default: Expression) -> Bounds:
        """What a user may say instead of a default: something of its kind."""
        bounds = self._of(default) or ANY
        if self.raw.is_whole(default):
            return (1 if bounds[0] > 0 else 0 if bounds[0] == 0 else -MANY), max(1e4, 100 * bounds[1])
        return (5e-324, math.inf) if bounds[0] > 0 else (0, math.inf) if bounds[0] == 0 else ANY

    def _index(self, node: Index) -> Bounds | None:
        path = self.t.path(node)
        if path == "math.pi":
            return (math.pi, math.pi)
        if path == "math.huge":
            return (math.inf, math.inf)
        kind = self.t.kind(node.base)
        base_type = self.t.type(node.base)
        name = node.key_name
        if kind == "table" and base_type.has("options") and name is not None:
            default = self.t.options.get(name)
            return ANY if default is None else self._option(default)
        if kind == "table" and not base_type.classes:
            return self._known((base_type.find(), name if base_type.find().fields else None))
        if kind == "storage" and not base_type.has("stored"):
            return POSITIVE  # the sizes of a tensor
        return self._whole_or_any(node)

    def _whole_or_any(self, node: Expression) -> Bounds:
        return (-MANY, MANY) if self.raw.is_whole(node) else ANY

    def _call(self, node: Call | Invoke) -> Bounds | None:
        functions = self.t.types.function_called(node)
        if functions:
            result: Bounds | None = None
            for function in functions:
                result = _join(result, self._known((function, 0)))
            return result
        matched = pattern_calls.matched(self.t, node)
        if matched is not None and matched[0] == "find":
            return POSITIVE
        if isinstance(node, Invoke):
            if self.t.kind(node.receiver) == "string":
                return {"byte": (0.0, 255.0), "len": NATURAL}.get(node.method, ANY)
            return _COUNTS.get(node.method) or self._whole_or_any(node)
        path = self.t.path(node.callee) or ""
        argument_bounds = [self._of(argument) for argument in node.arguments]
        if path in (
            "math.max",
            "math.min",
            "math.floor",
            "math.ceil",
            "math.abs",
            "math.random",
            "torch.random",
        ):
            if any(bounds is None for bounds in argument_bounds):
                return None
            return _library(path, [bounds for bounds in argument_bounds if bounds is not None])
        return _RANGES.get(path) or self._whole_or_any(node)


_RANGES: dict[str, Bounds] = {
    "string.byte": (0, 255),
    "string.len": NATURAL,
    "math.sin": (-1, 1),
    "math.cos": (-1, 1),
    "math.tanh": (-1, 1),
    "math.exp": (0, math.inf),
    "math.atan": (-2, 2),
    "torch.uniform": ANY,
    "os.time": (0, 1e11),
    "os.clock": (0, 1e11),
}


def _library(path: str, argument_bounds: list[Bounds]) -> Bounds:
    if path in ("math.random", "torch.random"):
        if not argument_bounds:
            return (0, 1) if path == "math.random" else (0, 2.0**32)
        return (
            (1, argument_bounds[0][1])
            if len(argument_bounds) == 1
            else (argument_bounds[0][0], argument_bounds[1][1])
        )
    if not argument_bounds:
        return ANY
    lows, highs = [low for low, _ in argument_bounds], [high for _, high in argument_bounds]
    if path == "math.max":
        return max(lows), max(highs)
    if path == "math.min":
        return min(lows), min(highs)
    low, high = argument_bounds[0]
    if path == "math.abs":
        return (0 if low < 0 < high else min(abs(low), abs(high))), max(abs(low), abs(high))
    function = _LIKE_FIRST[path]
    return _rounded(function, low), _rounded(function, high)


def _rounded(function: Callable[[float], int], value: float) -> float:
    return value if math.isinf(value) else float(function(value))


def _point(value: float) -> Bounds:
    try:
        return float(value), float(value)
    except OverflowError:
        return ANY


def _join(a: Bounds | None, b: Bounds | None) -> Bounds | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a[0], b[0]), max(a[1], b[1])


def _limit(steps: list[float]) -> float:
    """Where a bound ends that was seen over some rounds."""
    if len(steps) < 9:
        return math.inf
    first, middle, last = steps[0], steps[4], steps[8]
    if math.isinf(last) or last == middle:
        return last
    if last - middle <= (middle - first) * (1 + 1e-9):  # a counter, or a sum
        return last + MANY * (last - middle)
    return math.inf


def _add(a: Bounds, b: Bounds, whole: bool) -> Bounds:
    return _number(a[0] + b[0], -math.inf), _number(a[1] + b[1], math.inf)


def _subtract(a: Bounds, b: Bounds, whole: bool) -> Bounds:
    return _number(a[0] - b[1], -math.inf), _number(a[1] - b[0], math.inf)


def _number(value: float, otherwise: float) -> float:
    return otherwise if math.isnan(value) else value


def _multiply(a: Bounds, b: Bounds, whole: bool) -> Bounds:
    # 0 times infinity: a bound that is not reached
    products = [0.0 if 0 in (x, y) else x * y for x in a for y in b]
    return min(products), max(products)


def _divide(a: Bounds, b: Bounds, whole: bool) -> Bounds:
    if b[0] <= 0 <= b[1]:
        return ANY
    return _multiply(a, (1 / b[1], 1 / b[0]), False)


def _modulo(a: Bounds, b: Bounds, whole: bool) -> Bounds:
    less = 1 if whole else 0
    if not whole and (a[0] == -math.inf or a[1] == math.inf):
        return ANY  # what is infinite has a remainder that is no number
    if b[0] > 0:
        if a[0] >= 0:
            return 0, min(a[1], b[1] - less)
        return 0, b[1] - less
    return (b[0] + less, 0) if b[1] < 0 else ANY


def _power(a: Bounds, b: Bounds, whole: bool) -> Bounds:
    try:
        if a[0] > 0:
            ends = [x**y for x in a for y in b]
            return min(ends), max(ends)
        if b[0] == b[1] == 2:
            return (0 if a[0] <= 0 <= a[1] else min(a[0] ** 2, a[1] ** 2)), max(a[0] ** 2, a[1] ** 2)
    except (OverflowError, ZeroDivisionError):
        return (0, math.inf) if a[0] > 0 else ANY
    return (0, math.inf) if a[0] >= 0 and b[0] > 0 else ANY


_ARITHMETIC: dict[str, Callable[[Bounds, Bounds, bool], Bounds]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}
