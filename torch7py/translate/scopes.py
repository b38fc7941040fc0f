"""Which variable each name of a program means: locals, upvalues and globals, and who assigns them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from torch7py.translate import tree
from torch7py.translate.tree import Block, Expression, Name, Node, Statement
from torch7py.translate.tree_queries import dotted

__all__ = ["Scope", "Scopes", "Variable", "resolve"]


@dataclass(eq=False)
class Variable:
    """A local variable, a parameter, a loop's variable, or (``scope`` None) a global."""

    name: str
    kind: str  # local, parameter, loop, function (a local function) or global
    scope: Scope | None  # the function that declares it
    declaration: Name | None
    in_loop: bool = False  # declared in the body of a loop: each turn has one of its own
    reads: list[Name] = field(default_factory=list)
    writes: list[Name] = field(default_factory=list)  # without the declaration itself
    readers: set[Scope] = field(default_factory=set)
    writers: set[Scope] = field(default_factory=set)
    foreign: int | None = None  # where another function first uses it
    of_entries: bool = (
        False  # a loop's over ``pairs`` or ``ipairs``: a key or an entry of a table, which is not nil
    )

    @property
    def is_global(self) -> bool:
        return self.scope is None

    @property
    def captured(self) -> bool:
        """Whether an inner function uses it."""
        return self.scope is not None and any(user is not self.scope for user in self.readers | self.writers)

    @property
    def assigned_inside(self) -> bool:
        """Whether an inner function assigns it."""
        return self.scope is not None and any(writer is not self.scope for writer in self.writers)

    @property
    def constant(self) -> bool:
        """Whether it keeps the value of its declaration."""
        return not self.writes


@dataclass(eq=False)
class Scope:
    """A function, or the main program (``function`` None)."""

    function: tree.Function | None
    parent: Scope | None
    variables: list[Variable] = field(default_factory=list)
    upvalues: dict[Variable, None] = field(default_factory=dict)  # in the order in which they are met
    globals_written: set[str] = field(default_factory=set)
    inner: list[Scope] = field(default_factory=list)


@dataclass(eq=False)
class Scopes:
    main: Scope
    of_function: dict[tree.Function, Scope]
    of_name: dict[Name, Variable]
    globals: dict[str, Variable]
    loops_of: dict[Name, tuple[int, ...]]  # the loops of its function around a name, outermost first

    def variable(self, node: Node | Block | None) -> Variable | None:
        """The variable that an expression is the name of."""
        return self.of_name.get(node) if isinstance(node, Name) else None

    def is_global(self, node: Node, name: str) -> bool:
        """Whether an expression is the global of this name."""
        return isinstance(node, Name) and node.name == name and self.of_name[node].is_global


def resolve(program: Block) -> Scopes:
    resolver = _Resolver()
    resolver.block(program)
    return resolver.result


class _Resolver:
    def __init__(self) -> None:
        main = Scope(None, None)
        self.result = Scopes(main, {}, {}, {}, {})
        self.scope = main
        self.visible: list[dict[str, Variable]] = [{}]
        self.loops: tuple[int, ...] = ()  # around the current place, within the current function
        self.count = 0

    # Names

    def declare(self, name: Name, kind: str) -> None:
        variable = Variable(name.name, kind, self.scope, name, bool(self.loops))
        self.scope.variables.append(variable)
        self.visible[-1][name.name] = variable
        self.result.of_name[name] = variable
        self.result.loops_of[name] = self.loops

    def look_up(self, name: Name) -> Variable:
        for names in reversed(self.visible):
            if name.name in names and not name.of_globals:
                variable = names[name.name]
                break
        else:
            variable = self.result.globals.get(name.name) or Variable(name.name, "global", None, None)
            self.result.globals[name.name] = variable
        self.result.of_name[name] = variable
        self.result.loops_of[name] = self.loops
        scope: Scope | None = self.scope
        while variable.scope is not None and scope is not None and scope is not variable.scope:
            scope.upvalues[variable] = None
            scope = scope.parent
        return variable

    def read(self, name: Name) -> None:
        variable = self.look_up(name)
        variable.reads.append(name)
        variable.readers.add(self.scope)
        self.note_foreign(variable, name)

    def note_foreign(self, variable: Variable, name: Name) -> None:
        if self.scope is not (variable.scope or self.result.main):
            start = name.span.start
            variable.foreign = start if variable.foreign is None else min(variable.foreign, start)

    def write(self, target: Expression) -> None:
        if not isinstance(target, Name):
            self.expression(target)
            return
        variable = self.look_up(target)
        variable.writes.append(target)
        variable.writers.add(self.scope)
        self.note_foreign(variable, target)
        if variable.is_global:
            self.scope.globals_written.add(variable.name)

    # Walking

    def block(self, block: Block) -> None:
        self.visible.append({})
        self.statements(block)
        self.visible.pop()

    def statements(self, block: Block) -> None:
        for statement in block.statements:
            self.statement(statement)

    def loop(self, names: tuple[Name, ...], body: Block, condition: Expression | None = None) -> None:
        self.count += 1
        around, self.loops = self.loops, (*self.loops, self.count)
        self.visible.append({})
        for name in names:
            self.declare(name, "loop")
        self.statements(body)
        if condition is not None:
            self.expression(condition)
        self.visible.pop()
        self.loops = around

    def statement(self, node: Statement) -> None:
        if isinstance(node, tree.Assignment):
            self.expressions(node.values)
            for target in node.targets:
                if isinstance(node, tree.Local) and isinstance(target, Name):
                    self.declare(target, "local")
                else:
                    self.write(target)
        elif isinstance(node, tree.While):
            self.expression(node.condition)
            self.loop((), node.body)
        elif isinstance(node, tree.Repeat):
            self.loop((), node.body, node.condition)
        elif isinstance(node, tree.NumericFor):
            self.expressions([node.start, node.stop, *([] if node.step is None else [node.step])])
            self.loop((node.variable,), node.body)
        elif isinstance(node, tree.GenericFor):
            self.expressions(node.values)
            self.loop(node.names, node.body)
            source = node.values[0]
            if isinstance(source, tree.Call) and dotted(source.callee) in ("pairs", "ipairs"):
                for name in node.names:
                    self.result.of_name[name].of_entries = True
        elif isinstance(node, tree.FunctionStatement):
            self.write(node.target)
            self.function(node.function)
        elif isinstance(node, tree.LocalFunction):
            self.declare(node.name, "function")
            self.function(node.function)
        else:
            for child in tree.children(node):
                if isinstance(child, Block):
                    self.block(child)
                elif isinstance(child, Expression):
                    self.expression(child)

    def function(self, node: tree.Function) -> None:
        scope = Scope(node, self.scope)
        self.scope.inner.append(scope)
        self.result.of_function[node] = scope
        outer, self.scope = self.scope, scope
        loops, self.loops = self.loops, ()
        self.visible.append({})
        for parameter in node.parameters:
            self.declare(parameter, "parameter")
        self.statements(node.body)
        self.visible.pop()
        self.scope, self.loops = outer, loops

    def expressions(self, nodes: Iterable[Expression]) -> None:
        for node in nodes:
            self.expression(node)

    def expression(self, node: Expression) -> None:
        if isinstance(node, Name):
            self.read(node)
        elif isinstance(node, tree.Function):
            self.function(node)
        elif isinstance(node, tree.Table):
            parts = (part for item in node.fields for part in tree.children(item))
            self.expressions(part for part in parts if isinstance(part, Expression))
        else:
            self.expressions(child for child in tree.children(node) if isinstance(child, Expression))
