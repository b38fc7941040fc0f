"""What happens between two places of a function: which of two statements surely runs first, and what is changed."""

from __future__ import annotations

from collections.abc import Iterator

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts.methods import READING, VIEWS
from torch7py.translate.library import writes_image
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import LOOPS, base_name

__all__ = ["Flow", "passed_integers"]

# Functions of two tensors, which change the first only if they are given three.
_OPERATIONS = set(
    "cat cmul cdiv pow add mul div csub mm mv ger bmm cmax cmin cross fmod remainder atan2".split()
)
# And of one, which change it only if they are given two.
_OF_ONE = set("multinomial clamp renorm tril triu squeeze histc".split())


class Flow:
    def __init__(self, t: Known) -> None:
        self.t = t
        self.block_of, self.statement_of = self.t.surroundings.block_of, self.t.surroundings.home

    def same(self, a: Expression, b: Expression) -> bool:
        """Whether two expressions are written alike and mean the same variables."""
        a, b = tree_queries.bare(a), tree_queries.bare(b)
        if isinstance(a, Name):
            return self.t.scopes.variable(b) is self.t.scopes.of_name[a]
        if isinstance(a, Call) and isinstance(b, Call):
            path = self.t.path(a.callee)
            alike = path is not None and path == self.t.path(b.callee) and path.startswith("torch.")
            return alike and not path_draws(path or "") and self._all_same(a.arguments, b.arguments)
        if isinstance(a, Invoke) and isinstance(b, Invoke):
            alike = a.method == b.method and a.method in READING and self.same(a.receiver, b.receiver)
            return alike and self._all_same(a.arguments, b.arguments)
        if isinstance(a, (tree.Function, tree.Vararg)):
            return False
        return tree_queries.are_alike(a, b, self.same)

    def _all_same(self, a: tuple[Expression, ...], b: tuple[Expression, ...]) -> bool:
        return len(a) == len(b) and all(self.same(x, y) for x, y in zip(a, b, strict=True))

    def statement(self, node: tree.Node) -> Statement:
        return self.statement_of[node]

    def around(self, statement: Statement) -> tuple[Statement, ...]:
        return self.t.surroundings.parents[statement]

    def precedes(self, first: Statement, second: Statement) -> bool:
        """Whether one statement has run whenever another one of its function does."""
        if first is second:
            return True
        block = self.block_of[first]
        for at in (*self.around(second), second):
            if self.block_of[at] is block:
                return first.span.start <= at.span.start
        return False

    def loops(self, statement: Statement) -> list[Statement]:
        return [s for s in self.around(statement) if isinstance(s, LOOPS)]

    def repeats(self, first: Statement, second: Statement) -> bool:
        """Whether the second statement may run several times after the first has run once."""
        around = self.loops(first)
        return any(loop not in around for loop in self.loops(second))

    def between(self, first: tree.Node, second: tree.Node) -> Iterator[tree.Node | Block]:
        """The nodes that may be evaluated after one and before another, in the same function."""
        begin, end = self.statement(first), self.statement(second)
        start, stop = first.span.end, second.span.start
        around = self.loops(begin)
        inner = [loop for loop in self.loops(end) if loop not in around]
        if inner:  # what stands behind the second comes before it in the next turn
            stop = inner[0].span.end
        scope = self.t.surroundings.owner[begin]
        for statement in self.t.surroundings.statements_of(scope):
            if statement.span.end < start or statement.span.start >= stop:
                continue
            for node in tree.direct_nodes(statement):
                if isinstance(node, tree.Node) and start <= node.span.start < stop and node is not second:
                    yield node

    def read_in_other_turns(self, statement: Statement, target: Expression) -> bool:
        """Whether what a turn of a loop stores in a table may be read after that turn."""
        loops, name = self.loops(statement), base_name(target)
        if not loops or not isinstance(target, Index) or name is None:
            return bool(loops)
        for read in self.t.scopes.of_name[name].reads:
            if read is name:
                continue
            at = self.statement_of.get(read)
            entry = at is not None and any(
                isinstance(n, Index) and n.base is read and self.same(n.key, target.key)
                for n in tree.direct_nodes(at)
            )
            within = at is not None and loops[-1] in self.around(at)
            if not (entry and within and read.span.start > name.span.start):
                return True
        return False

    # Changes

    def _is_same(self, node: Expression, variables: set[Variable]) -> bool:
        """Whether an expression is one of these variables, a field of it or a view of it."""
        while True:
            if isinstance(node, Invoke) and node.method in VIEWS:
                node = node.receiver
            elif isinstance(node, (Index, tree.Paren)):
                node = node.base if isinstance(node, Index) else node.inner
            else:
                return isinstance(node, Name) and self.t.scopes.of_name[node] in variables

    def _names(self, node: Expression) -> set[Variable]:
        """The variables whose tensors an expression uses, and those that are views of them."""
        of_name = self.t.scopes.of_name
        variables = {of_name[n] for n in tree.walk(node) if isinstance(n, Name) and not self._is_number(n)}
        news = True
        while news:
            news = False
            for statement in self.block_of:
                if not isinstance(statement, tree.Assignment):
                    continue
                for target, value in zip(statement.targets, statement.values, strict=False):
                    if isinstance(target, Name) and self.t.kind(target) in ("tensor", None):
                        variable = of_name[target]
                        if variable not in variables and self._is_same(value, variables):
                            variables.add(variable)
                            news = True
        return variables

    def _is_number(self, node: Name) -> bool:
        return self.t.kind(node) in ("number", "string", "boolean", "function", "module", "criterion")

    def changed(self, value: Expression, first: tree.Node, second: tree.Node) -> bool:
        """Whether what an expression gives, or the tensor itself, may change between two places."""
        return self.assigned(value, first, second) or self.overwritten(value, first, second)

    def assigned(self, value: Expression, first: tree.Node, second: tree.Node) -> bool:
        """Whether a variable of an expression is given something else between two places."""
        of_name = self.t.scopes.of_name
        names = {of_name[n] for n in tree.walk(value) if isinstance(n, Name)}
        for node in self.between(first, second):
            if isinstance(node, tree.Assign) and any(
                isinstance(t, Name) and of_name[t] in names for t in node.targets
            ):
                return True
            if isinstance(node, (Call, Invoke)):
                for function in self.t.types.function_called(node):
                    scope = self.t.scopes.of_function[function]
                    if any(scope in v.writers for v in names):
                        return True
        return False

    def overwritten(self, value: Expression, first: tree.Node, second: tree.Node) -> bool:
        """Whether a tensor may be changed in place between two places."""
        names = self._names(value)
        return any(self._changes(node, names) for node in self.between(first, second))

    def _changes(self, node: tree.Node | Block, names: set[Variable], depth: int = 0) -> bool:
        if isinstance(node, tree.Assign):
            return any(isinstance(t, Index) and self._is_same(t, names) for t in node.targets)
        if isinstance(node, Invoke):
            if (
                self._is_same(node.receiver, names)
                and self.t.kind(node.receiver)
                in (
                    "tensor",
                    "table",
                    None,
                )
                and node.method not in READING
                and node.method != "multinomial"
            ):
                return True
            return self._changes_inside(node, names, depth)
        if isinstance(node, Call):
            path = self.t.path(node.callee)
            if path is not None and path.startswith("torch.") and len(node.arguments) > 1:
                name = path.removeprefix("torch.")
                tensors = sum(self.t.kind(a) in ("tensor", None) for a in node.arguments)
                plain = (
                    name in READING
                    or (name in _OPERATIONS and tensors < 3)
                    or (name in _OF_ONE and tensors < 2)
                )
                return self._is_same(node.arguments[0], names) and not plain
            if writes_image(path, [self.t.kind(argument) for argument in node.arguments]):
                return self._is_same(node.arguments[0], names)
            return self._changes_inside(node, names, depth)
        return False

    def _changes_inside(self, node: Call | Invoke, names: set[Variable], depth: int) -> bool:
        """Whether a function of the program that is called changes one of the tensors."""
        of_name = self.t.scopes.of_name
        for function in self.t.types.function_called(node):
            if depth > 3:
                return True
            inner = set(names)
            for parameter, argument in self.t.types.bound_arguments(function, node):
                if self._is_same(argument, names):
                    inner.add(of_name[parameter])
            if any(self._changes(n, inner, depth + 1) for n in tree.walk(function.body)):
                return True
        return False

    def runs(self, module: Expression, first: tree.Node, second: tree.Node) -> bool:
        """Whether a function called between two places may run a module's forward."""
        base = base_name(module)
        for node in self.between(first, second):
            if isinstance(node, (Call, Invoke)):
                for function in self.t.types.function_called(node):
                    if base is None or self.runs_inside(function, self.t.scopes.of_name[base]):
                        return True
        return False

    def runs_inside(
        self, function: tree.Function, module: Variable, seen: set[tree.Function] | None = None
    ) -> bool:
        """Whether a function may run the forward of a module that a variable holds, or has in it."""
        seen = set() if seen is None else seen
        if function in seen:
            return False
        seen.add(function)
        for node in tree.walk(function.body):
            if isinstance(node, Invoke) and node.method in ("forward", "updateOutput"):
                name = base_name(node.receiver)
                if name is None or self.t.scopes.of_name[name] is module or name.name == "self":
                    return True
                if self.t.scopes.of_name[name].kind == "parameter":
                    return True
            if isinstance(node, (Call, Invoke)) and any(
                self.runs_inside(f, module, seen) for f in self.t.types.function_called(node)
            ):
                return True
        return False


def path_draws(path: str) -> bool:
    """Whether a function of torch gives something else at every call."""
    return path in {
        "torch.rand",
        "torch.randn",
        "torch.randperm",
        "torch.random",
        "torch.uniform",
        "torch.normal",
    }


def passed_integers(statement: Statement, value: Expression) -> Name | None:
    """The variable that is given the whole value of an expression in a statement."""
    if not isinstance(statement, tree.Assignment) or not len(statement.targets) == len(statement.values) == 1:
        return None
    target = statement.targets[0]
    return target if statement.values[0] is value and isinstance(target, Name) else None
