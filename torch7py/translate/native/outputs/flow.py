"""Follows the outputs of modules through a program, statement by statement, to where they are read.

A fact is that a place (a variable, a field, an element of a table) may have memory of what a call of ``forward`` gave.
Another call that may be of the same module makes it stale; what reads a stale one is noted.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.facts.methods import COMPARISONS
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.outputs.facts import NOTHING, Fact, Facts, State, apart, join, key_of
from torch7py.translate.native.outputs.module_calls import (
    calls_of_modules,
    is_backward,
    that_call,
    used_in_place,
)
from torch7py.translate.native.outputs.module_identity import Identity, passes
from torch7py.translate.native.user_passes import has_user_passes
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import LOOPS

__all__ = ["overwritten"]

# Methods of tensors that give new memory, or no tensor. The others give the tensor itself or a view of it.
_NEW = COMPARISONS.keys() | set(
    "clone sum mean std var max min norm prod dot dim nDimension nElement numel dist trace size stride isContiguous"
    " isSameSizeAs equal all any type isTensor index gather maskedSelect repeatTensor cumsum cumprod sort topk median"
    " mode kthvalue long int byte char short storage storageOffset tolist totable nonzero reshape"
    " diag tril triu".split()
)
_VIEWS = {
    f"torch.{name}"
    for name in ("squeeze", "select", "narrow", "t", "transpose", "expand", "expandAs", "split")
}
_DEEPEST_CALL = 6
_MOST = 10_000  # statements gone through; a program with more than that is one of many small functions


def overwritten(translator: Translation) -> dict[Statement, str]:
    """The statements that read an output after its module wrote another one over it, and what is said of each."""
    flow = _Flow(translator)
    if flow.sites:
        flow.run()
    return flow.conflicts


class _Flow:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self.conflicts: dict[Statement, str] = {}
        self.sites = calls_of_modules(translator)
        if not self.sites:
            return
        self.identity = Identity(translator)
        self.matters = that_call(translator, self.sites)
        self.used_in_place = used_in_place(translator, self.sites)
        self.state: State | None = {}
        self.at: Statement | None = None
        self.held: list[Facts] = []  # values of expressions whose neighbours are still computed
        self.breaks: list[list[State]] = []
        self.jumps: dict[str, list[State]] = {}
        self.returned: list[Facts] = []
        self.ends: list[list[State]] = []
        self.active: list[tree.Function] = []
        self.entered: set[tree.Function] = set()
        self.bound: dict[Variable, Expression] = {}
        self.steps = 0

    def run(self) -> None:
        self.block(self.t.program)
        for function in tree.every(self.t.program, tree.Function):
            if function not in self.entered:
                self.state = {}
                for _ in range(2):
                    self.function(function, (), ())

    # States

    def copy(self) -> State | None:
        return None if self.state is None else dict(self.state)

    # Statements

    def block(self, block: Block) -> None:
        for statement in block.statements:
            if self.state is None and not isinstance(statement, tree.Label):
                continue
            self.steps += 1
            if self.steps > _MOST:
                return
            before, self.at = self.at, statement
            self.statement(statement)
            self.at = before

    def statement(self, node: Statement) -> None:
        if isinstance(node, tree.Assignment):
            value_facts = self.values(node.values)
            for target, value in zip(node.targets, node.values, strict=False):
                self.renewed(target, value)
            for index, target in enumerate(node.targets):
                # The last call may give several values.
                facts = value_facts[min(index, len(value_facts) - 1)] if value_facts else NOTHING
                self.store(target, facts)
        elif isinstance(node, tree.Run):
            self.value(node.call)
        elif isinstance(node, tree.Return):
            returned = self.values(node.values)
            if self.returned:
                self.returned[-1] = self.returned[-1].union(*returned)
                if self.state is not None:
                    self.ends[-1].append(self.state)
            self.state = None
        elif isinstance(node, tree.If):
            self.choice(node)
        elif isinstance(node, tree.Do):
            self.block(node.body)
        elif isinstance(node, tree.Break):
            if self.breaks and self.state is not None:
                self.breaks[-1].append(self.state)
            self.state = None
        elif isinstance(node, tree.Goto):
            if self.state is not None:
                self.jumps.setdefault(node.label, []).append(self.state)
            self.state = None
        elif isinstance(node, tree.Label):
            self.state = join([self.state, *self.jumps.pop(node.name, [])])
        elif isinstance(node, LOOPS):
            self.loop(node)

    def choice(self, node: tree.If) -> None:
        ends: list[State | None] = []
        for condition, body in node.branches:
            self.value(condition)
            otherwise = self.copy()
            self.block(body)
            ends.append(self.state)
            self.state = otherwise
        if node.otherwise is not None:
            self.block(node.otherwise)
        self.state = join([*ends, self.state])

    def loop(self, node: tree.NumericFor | tree.GenericFor | tree.While | tree.Repeat) -> None:
        variables: list[Name] = []
        if isinstance(node, tree.NumericFor):
            for bound in (node.start, node.stop, node.step):
                if bound is not None:
                    self.value(bound)
            variables = [node.variable]
        items = NOTHING
        if isinstance(node, tree.GenericFor):
            items = NOTHING.union(*self.values(node.values))
            source = node.values[0]
            if isinstance(source, Call) and source.arguments:
                items |= self.cells(source.arguments[0])
            variables = list(node.names)
        if self.state is None:
            return
        start = node.span.start, node.span.end
        self.state = {  # what the loop gave the last time it ran is older than what it gives now
            location: frozenset(
                fact._replace(old=True) if start[0] <= fact.site.span.start < start[1] else fact
                for fact in facts
            )
            for location, facts in self.state.items()
        }
        self.breaks.append([])
        skipped = None if isinstance(node, tree.Repeat) else self.copy()
        for _ in range(3):
            before = self.copy()
            for number, name in enumerate(variables):
                self.store(name, items if number == len(variables) - 1 else NOTHING)
            if isinstance(node, tree.While):
                self.value(node.condition)
            self.block(node.body)
            if isinstance(node, tree.Repeat) and self.state is not None:
                self.value(node.condition)
            if self.state is not None:
                self.turn(variables)
            self.state = join([before, self.state])
            if self.state == before:
                break
        self.state = join([skipped, self.state, *self.breaks.pop()])

    def turn(self, variables: list[Name]) -> None:
        """At the end of a turn what lies at the loop's variable in a table lies anywhere in it."""
        assert self.state is not None
        names = {name.name for name in variables}
        for location in [
            location for location in self.state if isinstance(location, tuple) and location[1] in names
        ]:
            facts = self.state.pop(location)
            everywhere = (location[0], "*")
            self.state[everywhere] = self.state.get(everywhere, NOTHING) | facts

    # Places

    def store(self, target: Expression, facts: Facts) -> None:
        if self.state is None:
            return
        if isinstance(target, Name):
            self.hold(self.t.scopes.of_name[target], facts)
            return
        if isinstance(target, Index):
            self.value(target.key)
            if self.t.kind(target.base) == "tensor":
                self.read(self.carried(target.base), target)  # a part of it is changed
                return
            location = (self.t.type(target.base), key_of(target.key))
            strong = location[1] != "*"
            self.state[location] = facts if strong else self.state.get(location, NOTHING) | facts

    def hold(self, variable: Variable, facts: Facts) -> None:
        assert self.state is not None
        if facts:
            self.state[variable] = facts
        else:
            self.state.pop(variable, None)

    def renewed(self, target: Expression, value: Expression) -> None:
        """A variable that alone has its table is given a new one: what lay in the old one is gone."""
        if not isinstance(target, Name) or not isinstance(value, tree.Table) or self.state is None:
            return
        if all(name in self.used_in_place for name in self.t.scopes.of_name[target].reads):
            table_type = self.t.type(value)
            kept = {
                (table_type, str(n) if item.key is None else key_of(item.key))
                for n, item in enumerate(value.fields, 1)
            }
            for location in [
                p for p in self.state if isinstance(p, tuple) and p[0] is table_type and p not in kept
            ]:
                del self.state[location]

    def cells(self, table: Expression) -> Facts:
        """What the elements of a table may have."""
        if self.state is None or not self.has_places(table):
            return NOTHING
        table_type = self.t.type(table)
        inner = {table_type, table_type.element.find()} if table_type.element is not None else {table_type}
        return NOTHING.union(
            *(
                facts
                for location, facts in self.state.items()
                if isinstance(location, tuple) and location[0] in inner
            )
        )

    def has_places(self, node: Expression) -> bool:
        """Whether the fields or elements of something are followed: of modules those that go through others."""
        if self.t.kind(node) == "module":
            return any(map(has_user_passes, self.t.type(node).find().classes))
        return self.t.kind(node) in ("table", "object")

    def read(self, facts: Facts, node: Expression) -> None:
        late = [
            (fact.site.span.start, fact.by.span.start, fact, fact.by) for fact in facts if fact.by is not None
        ]
        if late:
            _, _, fact, by = min(late, key=lambda entry: entry[:2])
            self.note(fact, by)

    def note(self, fact: Fact, by: Expression) -> None:
        if self.at is not None and self.at not in self.conflicts:
            what = "a gradient" if fact.backward else "an output"
            later = "the next call" if fact.site is by else f"the call in line {by.line}"
            self.conflicts[self.at] = f"{what} of line {fact.site.line} that {later} writes over"

    # Expressions

    def values(self, nodes: Sequence[Expression]) -> list[Facts]:
        """The values of expressions one after the other: a later one may write over an earlier one's."""
        depth = len(self.held)
        for node in nodes:
            self.held.append(self.value(node))
        result = self.held[depth:]
        del self.held[depth:]
        return result

    def value(self, node: Expression) -> Facts:
        """What an expression may have the memory of; it is read."""
        facts = self.carried(node)
        if not facts:
            return facts
        self.read(facts, node)
        return facts if self.t.kind(node) not in ("number", "string", "boolean") else NOTHING

    def carried(self, node: Expression) -> Facts:
        if self.state is None:
            return NOTHING
        if isinstance(node, tree.Paren):
            return self.carried(node.inner)
        if isinstance(node, Name):
            return self.state.get(self.t.scopes.of_name[node], NOTHING)
        if isinstance(node, Index):
            return self.index(node)
        if isinstance(node, tree.Table):
            return self.table(node)
        if isinstance(node, tree.Unary):
            if node.operator == "not":
                self.carried(node.operand)
            else:
                self.value(node.operand)
            return NOTHING
        if isinstance(node, tree.Binary):
            return self.binary(node)
        if isinstance(node, (Call, Invoke)):
            return self.call(node)
        return NOTHING

    def index(self, node: Index) -> Facts:
        facts = self.carried(node.base)
        self.value(node.key)
        name = node.key_name or ""
        if name in ("output", "gradInput") and self.t.kind(node.base) in ("module", "criterion"):
            module = self.identity.resolved(node.base, self.bound)
            return frozenset({Fact(node, module, backward=name == "gradInput")})
        if self.state is None or not self.has_places(node.base):
            return facts
        base = self.t.type(node.base)
        exact = self.state.get((base, key_of(node.key)))
        if exact is not None and key_of(node.key) != "*":
            return facts | exact
        return facts.union(
            *(
                more
                for location, more in self.state.items()
                if isinstance(location, tuple)
                and location[0] is base
                and not apart(location[1], key_of(node.key))
            )
        )

    def table(self, node: tree.Table) -> Facts:
        value_facts = self.values([item.value for item in node.fields])
        if self.state is None:
            return NOTHING
        table_type = self.t.type(node)
        for number, (item, facts) in enumerate(zip(node.fields, value_facts, strict=True), 1):
            self.state[table_type, str(number) if item.key is None else key_of(item.key)] = facts
        return NOTHING

    def binary(self, node: tree.Binary) -> Facts:
        if node.operator in ("and", "or"):
            left = self.carried(node.left)
            return left | self.carried(node.right)
        sides = (node.left, node.right)
        if node.operator in ("==", "~=") and any(isinstance(side, tree.Nil) for side in sides):
            for side in sides:
                self.carried(side)
            return NOTHING
        self.values(sides)
        return NOTHING

    # Calls

    def call(self, node: Call | Invoke) -> Facts:
        path = self.t.path(node.callee) if isinstance(node, Call) else None
        first = node.receiver if isinstance(node, Invoke) else node.callee
        value_facts = self.values([first, *node.arguments])
        receiver_facts, value_facts = value_facts[0], value_facts[1:]
        appended = path == "table.insert"
        for argument in node.arguments[1 if appended else 0 :]:
            self.read(self.cells(argument), argument)
        if self.state is None:
            return NOTHING
        if appended and node.arguments:
            location = (self.t.type(node.arguments[0]), "*")
            self.state[location] = self.state.get(location, NOTHING) | value_facts[-1]
            return NOTHING
        functions = self.t.types.function_called(node)
        if node in self.sites:
            return self.forward(node, value_facts)
        if isinstance(node, Invoke) and is_backward(self.t, node) and not functions:
            return self.called(node, node.receiver, True)
        if functions:
            return self.run_all(functions, node, receiver_facts, value_facts)
        for argument in node.arguments:  # a function that is given may be called, and more than once
            for function in self.t.type(argument).functions if self.t.kind(argument) == "function" else ():
                for _ in range(2):
                    self.function(function, (), ())
        if isinstance(node, Invoke):
            kind = self.t.kind(node.receiver)
            return receiver_facts if kind in ("tensor", None, "any") and node.method not in _NEW else NOTHING
        if path in ("unpack", "table.unpack", "table.remove") and node.arguments:
            return value_facts[0] | self.cells(node.arguments[0])
        if path in _VIEWS or path in ("assert", "pcall", "select"):
            return NOTHING.union(*value_facts)
        return NOTHING

    def forward(self, site: Expression, argument_facts: list[Facts]) -> Facts:
        module = self.sites[site]
        if passes(self.t.type(module)):
            return NOTHING.union(*argument_facts)
        return self.called(site, module, False)

    def called(self, site: Expression, module: Expression, backward: bool) -> Facts:
        """What a call gives, after it has written over what earlier ones gave."""
        if self.identity.keeps_all(module):
            return NOTHING
        module = self.identity.resolved(module, self.bound)
        new = Fact(site, module, backward=backward)
        assert self.state is not None
        self.state = {
            location: frozenset(self.after(fact, new) for fact in facts) if facts else facts
            for location, facts in self.state.items()
        }
        for facts in self.held:
            for fact in facts:
                if self.after(fact, new).by is not None:
                    self.note(fact, site)
        return frozenset({new})

    def after(self, fact: Fact, new: Fact) -> Fact:
        """A fact after a module was called."""
        if fact.by is not None or fact.backward is not new.backward:
            return fact
        if not self.identity.writes_over(fact.module, new.module):
            return fact
        if fact.site is new.site and not fact.old and self.identity.is_indexed(new.module):
            return fact  # another one of a list of modules
        return fact._replace(by=new.site)

    def run_all(
        self,
        functions: Sequence[tree.Function],
        node: Call | Invoke,
        receiver_facts: Facts,
        argument_facts: list[Facts],
    ) -> Facts:
        facts: Facts = NOTHING
        ends: list[State | None] = []
        start = self.copy()
        for function in functions:
            self.state = None if start is None else dict(start)
            is_method = isinstance(node, Invoke) or (
                bool(function.parameters) and len(function.parameters) == len(node.arguments) + 1
            )
            first = node.receiver if isinstance(node, Invoke) else None
            arguments = (first, *node.arguments) if is_method else node.arguments
            facts |= self.function(
                function, arguments, [receiver_facts, *argument_facts] if is_method else argument_facts
            )
            ends.append(self.state)
        self.state = join(ends)
        return facts

    def function(
        self, function: tree.Function, arguments: Sequence[Expression | None], argument_facts: Sequence[Facts]
    ) -> Facts:
        """The body of a function, where it is called."""
        self.entered.add(function)
        if self.state is None or function in self.active or len(self.active) >= _DEEPEST_CALL:
            return NOTHING
        if (
            function not in self.matters
            and not any(argument_facts)
            and not any(self.state.values())
            and not any(self.held)
        ):
            return NOTHING
        before = self.at, self.breaks, self.jumps, self.bound
        self.breaks, self.jumps, self.bound = [], {}, dict(self.bound)
        for number, parameter in enumerate(function.parameters):
            variable = self.t.scopes.of_name[parameter]
            self.hold(variable, argument_facts[number] if number < len(argument_facts) else NOTHING)
            argument = arguments[number] if number < len(arguments) else None
            self.bound.pop(variable, None)
            if argument is not None and not variable.writes:
                self.bound[variable] = self.identity.resolved(argument, before[3])
        self.active.append(function)
        self.returned.append(NOTHING)
        self.ends.append([])
        self.block(function.body)
        self.active.pop()
        self.state = join([self.state, *self.ends.pop()])
        facts = self.returned.pop()
        self.at, self.breaks, self.jumps, self.bound = before
        return facts
